import { formatMoney, plural } from "./format.ts";

interface Props {
  /** Exact decimal; null: unknown. */
  usd: string | null;
  estimated?: boolean;
  /** Calls beside it whose cost is not known: with nothing else, the amount is unknown and not zero. */
  unknownCalls?: number;
}

/** An amount as people read it; pointing at it shows every digit. */
export function Money({ usd, estimated = false, unknownCalls = 0 }: Props) {
  if (unknownCalls > 0 && Number(usd ?? 0) === 0)
    return (
      <span className="text-muted" title={`What ${plural(unknownCalls, "call")} cost is not known`}>
        unknown
      </span>
    );
  if (usd === null) return <span className="text-muted">{formatMoney(usd)}</span>;
  return (
    <span title={`${usd} USD${estimated ? ", estimated" : ""}`}>
      {estimated && "~"}
      {formatMoney(usd)}
    </span>
  );
}
