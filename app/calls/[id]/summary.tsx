import type { ReactNode } from "react";
import type { View } from "#app/_frame/view.ts";
import { Cost } from "#app/_ui/cost.tsx";
import { formatCount, formatDuration } from "#app/_ui/format.ts";
import { Status } from "#app/_ui/status.tsx";
import { formatMomentFully } from "#app/_ui/time.ts";
import { Tokens } from "#app/_ui/tokens.tsx";
import { lineQuantity } from "#app/_ui/usage-words.ts";
import type { CallFacts, LineSum } from "#db/queries/call-page.ts";
import type { Outcome, UsageSource } from "#lib/call.ts";
import { outcomeSentence } from "./outcome-sentence.ts";
import { Problems } from "./problems.tsx";

interface SummaryProps {
  call: CallFacts;
  lines: readonly LineSum[];
  cost: { costUsd: string | null; unpriced: boolean };
  view: View;
}

/** The call in five figures and a sentence. */
export function Summary({ call, lines, cost, view }: SummaryProps) {
  const source = call.usageSource as UsageSource;
  const at = call.startedAt.getTime();
  const pieces =
    call.inputTokens === null && call.outputTokens === null
      ? lines.filter(({ direction, quantity }) => direction !== "tool" && quantity !== 0)
      : [];
  return (
    <section aria-label="Summary" data-testid="summary">
      <dl className="flex flex-wrap gap-x-8 gap-y-3">
        <Figure name="Cost">
          <Cost {...cost} usageSource={source} problems={call.problems} />
        </Figure>
        <Figure name="Duration">{formatDuration(call.durationMs)}</Figure>
        <Figure name="First token">{formatDuration(call.firstTokenMs)}</Figure>
        {call.firstAudioMs !== null && <Figure name="First audio">{formatDuration(call.firstAudioMs)}</Figure>}
        {/* What is billed by its length or by pieces has no tokens to tell. */}
        {pieces.map((line) => (
          <Figure key={line.unit} name={line.direction === "input" ? "Billed input" : "Billed output"}>
            {lineQuantity(line)}
          </Figure>
        ))}
        {pieces.length === 0 && (
          <>
            <Figure name="Tokens in">
              <Tokens count={call.inputTokens} source={source} low={call.inputTokensLow} high={call.inputTokensHigh} />
              {call.cachedTokens !== null && call.cachedTokens > 0 && (
                <span className="ml-2 text-sm font-normal text-muted">{formatCount(call.cachedTokens)} cached</span>
              )}
            </Figure>
            <Figure name="Tokens out">
              <Tokens
                count={call.outputTokens}
                source={source}
                low={call.outputTokensLow}
                high={call.outputTokensHigh}
              />
            </Figure>
          </>
        )}
      </dl>
      <p className="mt-3 flex flex-wrap items-center gap-x-4 gap-y-1 text-base">
        <Status outcome={call.outcome as Outcome} status={call.status} />
        <span className="font-semibold break-all">{call.model ?? call.requestModel ?? "model unknown"}</span>
        <span className="[overflow-wrap:anywhere]">
          {call.feature ?? <span className="text-muted">no feature given</span>}
        </span>
        <span className="text-muted">{formatMomentFully(at, view.zone)}</span>
      </p>
      <p className="mt-2 text-base" data-testid="verdict">
        {outcomeSentence(call)}
      </p>
      {call.errorMessage && (
        <blockquote className="mt-2 border-l-2 border-bad pl-3 text-base whitespace-pre-wrap [overflow-wrap:anywhere]">
          {call.errorMessage}
        </blockquote>
      )}
      {call.problems.length > 0 && <Problems codes={call.problems} />}
    </section>
  );
}

function Figure({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div>
      <dt className="text-xs text-muted">{name}</dt>
      <dd className="text-num font-semibold">{children}</dd>
    </div>
  );
}
