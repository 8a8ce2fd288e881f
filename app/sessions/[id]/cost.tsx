import { formatShare } from "#app/_ui/format.ts";
import { Money } from "#app/_ui/money.tsx";
import { ScrollBox } from "#app/_ui/scroll-box.tsx";
import { MODALITIES } from "#lib/modalities.ts";
import { addMoney } from "#lib/money.ts";
import type { Session } from "#lib/session.ts";

/** Priced lines of the session's calls, summed: exact decimals. */
export interface CostPart {
  /** Of the calls: a transcription of what the user said is priced apart. */
  endpoint: string;
  direction: "input" | "output" | "tool";
  modality: string;
  cached: boolean;
  costUsd: string;
}

const KINDS = [
  { label: "Input", is: ({ direction, cached }: CostPart) => direction === "input" && !cached },
  { label: "Cached input", is: ({ direction, cached }: CostPart) => direction === "input" && cached },
  { label: "Output", is: ({ direction }: CostPart) => direction === "output" },
] as const;

/** What the session cost, by what it was: the parts sum to the whole. */
export function CostTable({ parts, totalUsd, session }: Props) {
  if (parts.length === 0) return <p className="text-muted">Nothing in it has a price yet.</p>;
  const transcribed = parts.filter(({ endpoint }) => endpoint === TRANSCRIPTION);
  const spoken = parts.filter((part) => !transcribed.includes(part));
  const fees = spoken.filter(({ direction }) => direction === "tool");
  const rows = MODALITIES.map(({ name, label }) => ({ label, parts: spoken.filter((one) => one.modality === name) }));
  const used = rows.filter((row) => row.parts.some((part) => part.direction !== "tool"));
  return (
    <>
      <ScrollBox name="Cost by modality">
        <table className="figures" data-testid="table-cost">
          <caption className="sr-only">Cost by modality and kind, US dollars</caption>
          <thead>
            <tr>
              <th scope="col">USD</th>
              {KINDS.map(({ label }) => (
                <th key={label} scope="col">
                  {label}
                </th>
              ))}
              <th scope="col">Together</th>
              <th scope="col">Share</th>
            </tr>
          </thead>
          <tbody>
            {used.map((row) => (
              <Row key={row.label} label={row.label} parts={row.parts.filter(isUsage)} totalUsd={totalUsd} />
            ))}
            {fees.length > 0 && <Row label="Fees" parts={fees} totalUsd={totalUsd} whole />}
            {transcribed.length > 0 && (
              <Row label="Transcription of the user" parts={transcribed} totalUsd={totalUsd} whole />
            )}
          </tbody>
          <tfoot>
            <tr>
              <th scope="row">Cost</th>
              {KINDS.map(({ label }) => (
                <td key={label} />
              ))}
              <td data-testid="session-cost" title={`${totalUsd} USD`}>
                <Money usd={totalUsd} />
              </td>
              <td />
            </tr>
          </tfoot>
        </table>
      </ScrollBox>
      <p className="mt-2 max-w-4xl text-xs text-muted">
        {wastedInWords(session)} A cancelled answer is billed as far as it was generated. Each response is billed with
        the conversation before it.
      </p>
    </>
  );
}

interface Props {
  parts: readonly CostPart[];
  totalUsd: string | null;
  session: Pick<Session, "wastedMs" | "wastedUsd">;
}

const TRANSCRIPTION = "realtime_transcription";
const isUsage = ({ direction }: CostPart) => direction !== "tool";
const sumOf = (parts: readonly CostPart[]) => parts.reduce((sum, { costUsd }) => addMoney(sum, costUsd), "0");

/** `whole`: not told apart by kind. */
function Row({
  label,
  parts,
  totalUsd,
  whole = false,
}: {
  label: string;
  parts: CostPart[];
  totalUsd: string | null;
  whole?: boolean;
}) {
  const together = sumOf(parts);
  return (
    <tr>
      <th scope="row">{label}</th>
      {KINDS.map((kind) => (
        <td key={kind.label}>{!whole && <Amount parts={parts.filter(kind.is)} />}</td>
      ))}
      <td>
        <Money usd={together} />
      </td>
      <td>{formatShare(Number(together), Number(totalUsd ?? 0))}</td>
    </tr>
  );
}

const Amount = ({ parts }: { parts: readonly CostPart[] }) =>
  parts.length === 0 ? <span className="text-muted">0</span> : <Money usd={sumOf(parts)} />;

function wastedInWords({ wastedMs, wastedUsd }: Props["session"]): string {
  if (wastedMs === 0) return "Nothing that was generated went unheard.";
  return wastedUsd === null
    ? "A part of the audio was never heard; it has no price here."
    : `Of the output, ${wastedUsd} USD paid for audio that was never heard.`;
}
