import { formatCount, formatDuration } from "#app/_ui/format.ts";
import { ScrollBox } from "#app/_ui/scroll-box.tsx";
import { boundsOf, Tokens } from "#app/_ui/tokens.tsx";
import { lineName, lineQuantity } from "#app/_ui/usage-words.ts";
import type { CallFacts, LineSum } from "#db/queries/call-page.ts";
import type { UsageSource } from "#lib/call.ts";
import { MODALITIES } from "#lib/modalities.ts";
import { unbilledSentence } from "./unbilled-sentence.ts";

const KINDS = [
  { key: "input none", label: "Input" },
  { key: "input read", label: "Cached input" },
  { key: "input write", label: "Cache write" },
  { key: "output none", label: "Output" },
] as const;

const SOURCES: Record<UsageSource, string> = {
  reported: "Reported by the provider.",
  estimated: "Estimated: the provider reported none.",
  measured: "Measured by Omnimeter from what went through.",
  none: "Unknown: the provider reported none, and nothing was seen that it could be estimated from.",
};

/** What the call used: disjoint lines, modality × kind, whose sum is the call's total. */
export function Usage({ call, lines }: { call: CallFacts; lines: readonly LineSum[] }) {
  const source = call.usageSource as UsageSource;
  const tokens = lines.filter(({ unit, direction }) => unit === "token" && direction !== "tool");
  const others = lines.filter((line) => !tokens.includes(line) && line.quantity !== 0);
  const sum = (wanted: (line: LineSum) => boolean) =>
    tokens.filter(wanted).reduce((all, { quantity }) => all + quantity, 0);
  const unsaid = (key: string) => key === "input read" && call.cachedTokens === null;
  // Writes are kept for different times, at different prices: the table of lines below tells them apart.
  const kindOf = (line: LineSum) => `${line.direction} ${line.cache.startsWith("write") ? "write" : line.cache}`;
  const kinds = KINDS.filter(({ key }) => key !== "input write" || tokens.some((line) => kindOf(line) === key));
  const modalities = MODALITIES.filter(({ name }) => tokens.some(({ modality }) => modality === name));
  const total = sum(() => true);
  const expected =
    call.totalTokens ??
    (call.inputTokens === null || call.outputTokens === null ? null : call.inputTokens + call.outputTokens);
  return (
    <>
      <p className="text-muted">{unbilledSentence(call) ?? SOURCES[source]}</p>
      {tokens.length > 0 && (
        <ScrollBox name="Tokens by modality and kind">
          <table className="figures mt-2">
            <caption className="sr-only">Tokens by modality and kind</caption>
            <thead>
              <tr>
                <th scope="col">Tokens</th>
                {kinds.map(({ key, label }) => (
                  <th key={key} scope="col">
                    {label}
                  </th>
                ))}
                <th scope="col">Total</th>
              </tr>
            </thead>
            <tbody>
              {modalities.map(({ name, label }) => (
                <tr key={name}>
                  <th scope="row">{label}</th>
                  {kinds.map(({ key }) => (
                    <td key={key}>
                      <Quantity
                        value={unsaid(key) ? null : sum((line) => line.modality === name && kindOf(line) === key)}
                        source={source}
                      />
                    </td>
                  ))}
                  <td>
                    <Quantity value={sum((line) => line.modality === name)} source={source} />
                  </td>
                </tr>
              ))}
            </tbody>
            <tfoot>
              <tr>
                <th scope="row">Total</th>
                {kinds.map(({ key }) => (
                  <td key={key}>
                    <Quantity value={unsaid(key) ? null : sum((line) => kindOf(line) === key)} source={source} />
                  </td>
                ))}
                <td>
                  <Quantity value={total} source={source} />
                </td>
              </tr>
            </tfoot>
          </table>
        </ScrollBox>
      )}
      {others.length > 0 && (
        <ul aria-label="Usage beside tokens" className="mt-2 grid gap-1">
          {others.map((line) => (
            <li key={`${line.direction} ${line.modality} ${line.cache} ${line.unit}`}>
              {lineName(line)}: {lineQuantity(line)}
              {line.unit.endsWith("_token") && " tokens"}
            </li>
          ))}
        </ul>
      )}
      <ul className="mt-2 grid gap-1 text-muted">
        <Seconds lines={others} playedMs={call.inputAudioMs} />
        {source === "estimated" && (
          <>
            <li>Input{boundsOf(call.inputTokensLow, call.inputTokensHigh) || " has no bounds"}.</li>
            <li>Output{boundsOf(call.outputTokensLow, call.outputTokensHigh) || " has no bounds"}.</li>
          </>
        )}
        {call.reasoningTokens !== null && call.reasoningTokens > 0 && (
          <li>{formatCount(call.reasoningTokens)} of the output tokens are reasoning.</li>
        )}
        {((call.acceptedPredictionTokens ?? 0) > 0 || (call.rejectedPredictionTokens ?? 0) > 0) && (
          <li>
            Predicted output: {formatCount(call.acceptedPredictionTokens)} tokens accepted,{" "}
            {formatCount(call.rejectedPredictionTokens)} rejected (both are output).
          </li>
        )}
        {tokens.length > 0 && expected !== null && total !== expected && (
          <li className="text-warn">
            The lines sum to {formatCount(total)}, the call's total is {formatCount(expected)}.
          </li>
        )}
      </ul>
    </>
  );
}

/** Audio is billed by seconds that were rounded by whoever counted them: said where it is not what plays. */
function Seconds({ lines, playedMs }: { lines: readonly LineSum[]; playedMs: number | null }) {
  const billed = lines.find(({ unit, direction }) => unit === "second" && direction === "input");
  if (!billed || playedMs === null || Math.abs(billed.quantity * 1000 - playedMs) < 1) return null;
  return (
    <li>
      The audio plays for {formatDuration(playedMs)}; what is billed is {lineQuantity(billed)}.
    </li>
  );
}

/** Within a call's lines a missing one is 0: the lines are all there is. Null: nobody said, so it may be in another line. */
function Quantity({ value, source }: { value: number | null; source: UsageSource }) {
  if (value === null) return <span title="Not stated: it may be part of the input">—</span>;
  return value === 0 ? <span className="text-muted">0</span> : <Tokens count={value} source={source} />;
}
