import type { Call } from "#lib/call.ts";
import { type DecodedExchange, decodeExchange } from "#lib/recorder/decode-exchange.ts";
import type { Batch } from "./company.ts";
import { exchangeOf } from "./exchange.ts";

/** Calls with content in a company of any size, about, and as many again of those that somebody wrote about. */
const CONTENTS_MAX = 5000;
/** Of all calls, those with a comment. */
const COMMENTED_SHARE = 0.01;

interface ContentOptions {
  /** Calls of the whole company. */
  calls: number;
  contentKey: Buffer;
  /** Hashes of instructions whose words are stored. */
  knownInstructions: Set<string>;
}

/** Adds what was said in a small share of the chat completions, read and sealed as the recorder does it. */
export async function* withContents(
  batches: AsyncIterable<Batch>,
  { calls, contentKey, knownInstructions }: ContentOptions,
): AsyncGenerator<Batch> {
  const share = CONTENTS_MAX / calls;
  const ofCommented = share / COMMENTED_SHARE;

  function isKept({ id, template, unitHash }: Call, commented: ReadonlySet<string | null>): boolean {
    const chance = Number.parseInt(id.slice(-6), 16) / 0x1000000;
    if (template === null && unitHash !== null && !knownInstructions.has(unitHash)) return true;
    return chance < (commented.has(id) ? ofCommented : share);
  }

  for await (const batch of batches) {
    const commented = new Set(batch.feedback.map(({ feedback, callId }) => feedback.comment && callId));
    const contents: DecodedExchange[] = [...batch.contents];
    for (const [n, call] of batch.calls.entries()) {
      const turn = batch.turns[n];
      if (!turn || !isKept(call, commented)) continue;
      contents.push(
        await decodeExchange(exchangeOf(turn, call.origin), {
          projectId: call.projectId,
          contentKey,
          knownInstructions,
        }),
      );
    }
    yield { ...batch, contents };
  }
}
