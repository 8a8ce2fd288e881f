import type { UsageLine } from "#lib/call.ts";
import type { JsonObject } from "../bodies/json.ts";

type Wanted = (line: UsageLine) => boolean;

/**
 * What hosted tools used beside the model's own tokens, where the answer has a place to say it. null: nothing. What was counted from the
 * items of the output is counted from them again.
 */
export function rebuildToolUsage(lines: readonly UsageLine[]): JsonObject | null {
  const tools = lines.filter(({ direction, source }) => direction === "tool" && source === "reported");
  const sum = (wanted: Wanted) => tools.filter(wanted).reduce((all, { quantity }) => all + quantity, 0);
  const searches = sum(({ unit }) => unit.startsWith("web_search"));
  const drawn = tools.some(({ unit }) => unit === "input_token" || unit === "output_token");
  if (searches === 0 && !drawn) return null;
  return {
    ...(searches > 0 && { web_search: { num_requests: searches } }),
    ...(drawn && { image_gen: imageUsage(sum) }),
  };
}

/** The tokens of the image model behind the tool. */
function imageUsage(sum: (wanted: Wanted) => number): JsonObject {
  const split = (part: Wanted) => ({
    text_tokens: sum((line) => part(line) && line.modality === "text"),
    image_tokens: sum((line) => part(line) && line.modality === "image"),
  });
  const isInput: Wanted = ({ unit }) => unit === "input_token";
  const isCached: Wanted = (line) => isInput(line) && line.cache === "read";
  const isOutput: Wanted = ({ unit }) => unit === "output_token";
  const cached = sum(isCached);
  return {
    input_tokens: sum(isInput),
    input_tokens_details: split(isInput),
    ...(cached > 0 && { cached_tokens: cached, cached_tokens_details: split(isCached) }),
    output_tokens: sum(isOutput),
    output_tokens_details: split(isOutput),
    total_tokens: sum(isInput) + sum(isOutput),
  };
}
