import { hrefOf, type View } from "#app/_frame/view.ts";
import { formatCount, formatShare, plural, UNKNOWN } from "#app/_ui/format.ts";
import { Link } from "#app/_ui/link.tsx";
import { ScrollBox } from "#app/_ui/scroll-box.tsx";
import type { Context, ContextStep } from "./context.ts";

/** What each response was given to read: the conversation is paid for again with every one. */
export function ContextTable({ context, view }: { context: Context; view: View }) {
  const { steps, inputTokens, billedAgain, cachedTokens, unknown } = context;
  const most = Math.max(1, ...steps.map((step) => step.inputTokens ?? 0));
  return (
    <>
      <p className="text-base" data-testid="context">
        {formatCount(inputTokens)} input tokens in {plural(steps.length, "response")}:{" "}
        {formatShare(billedAgain, inputTokens)} had been sent before,{" "}
        {cachedTokens === null
          ? "what came from the cache was not stated."
          : `${formatShare(cachedTokens, inputTokens)} came from the cache.`}
        {unknown > 0 && ` Of ${plural(unknown, "response")} the input is not known.`}
      </p>
      <details className="mt-1" open={steps.length <= 30}>
        <summary className="text-muted">{plural(steps.length, "response")}</summary>
        <ScrollBox name="Context by response" className="max-h-[60vh] overflow-y-auto">
          <table className="figures mt-1 w-full max-w-4xl" data-testid="table-context">
            <caption className="sr-only">Input tokens of each response, and how many had been sent before</caption>
            <thead>
              <tr>
                <th scope="col">Response</th>
                <th scope="col">Turn</th>
                <th scope="col">Input tokens</th>
                <th scope="col">Sent before</th>
                <th scope="col">Cached</th>
                <th scope="col">Cache share</th>
                <th scope="col" className="w-1/3 !text-left">
                  <span className="sr-only">Drawn</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {steps.map((step, i) => (
                <Row key={step.callId} step={step} number={i + 1} most={most} view={view} />
              ))}
            </tbody>
          </table>
        </ScrollBox>
      </details>
      <p className="mt-2 max-w-4xl text-xs text-muted">
        Sent before: as much of a response's input as the response before it was given, at most; where items were
        dropped and others took their place it is less. Cached tokens are the provider's figure. Transcriptions are
        billed apart and not here.
      </p>
    </>
  );
}

function Row({ step, number, most, view }: { step: ContextStep; number: number; most: number; view: View }) {
  const { callId, turn, inputTokens, cachedTokens, billedAgain } = step;
  const percent = (tokens: number | null) => `${((tokens ?? 0) / most) * 100}%`;
  return (
    <tr>
      <th scope="row">
        <Link className="text-link inline-flex min-h-6 items-center" href={hrefOf(`/calls/${callId}`, view)}>
          {number}
        </Link>
      </th>
      <td>{turn === null ? UNKNOWN : turn + 1}</td>
      <td>{formatCount(inputTokens)}</td>
      <td>{formatCount(billedAgain)}</td>
      <td>{formatCount(cachedTokens)}</td>
      <td>{inputTokens && cachedTokens !== null ? formatShare(cachedTokens, inputTokens) : UNKNOWN}</td>
      <td className="relative">
        <span aria-hidden="true" className="relative block h-3">
          <span
            className="stage absolute inset-y-0 left-0 rounded-sm border border-[color:var(--bar)]"
            style={{ width: percent(inputTokens) }}
          />
          <span
            className="stage absolute inset-y-0 left-0 rounded-sm bg-[color:var(--bar)]"
            style={{ width: percent(billedAgain) }}
          />
        </span>
      </td>
    </tr>
  );
}
