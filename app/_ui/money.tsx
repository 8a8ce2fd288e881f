import { formatMoney } from "./format.ts";

interface Props {
  /** Exact decimal; null: unknown. */
  usd: string | null;
  estimated?: boolean;
}

/** An amount as people read it; pointing at it shows every digit. */
export function Money({ usd, estimated = false }: Props) {
  if (usd === null) return <span className="text-muted">{formatMoney(usd)}</span>;
  return (
    <span title={`${usd} USD${estimated ? ", estimated" : ""}`}>
      {estimated && "~"}
      {formatMoney(usd)}
    </span>
  );
}
