import type { UsageLine } from "#lib/call.ts";
import type { JsonObject } from "../bodies/json.ts";
import { asObject, asText, objectsIn } from "../bodies/json.ts";
import type { Facts } from "../facts.ts";
import { secondsToMs } from "../objects/child.ts";
import { containerSession } from "../objects/containers.ts";
import { readUsage } from "./usage.ts";

/**
 * What OpenAI's own tools cost beside the model's tokens: lines of the call, and container sessions, which are calls of their own. `items`
 * is the response's output as far as it was seen, `atMs` (since the epoch) when that was. Remote servers (mcp) and computer use cost
 * nothing but tokens.
 */
export function readToolFees(
  facts: Facts,
  atMs: number,
  request: JsonObject | null,
  response: JsonObject | null,
  items: readonly JsonObject[],
): void {
  const stated = objectsIn(response?.tools);
  const tools = stated.length > 0 ? stated : objectsIn(request?.tools);
  const used = asObject(response?.tool_usage);
  const fees = [
    ...searchFees(facts, tools, used, items),
    ...fee("file_search_call", "tool:file_search", count(items, "file_search_call"), "measured"),
    ...imageFees(facts, tools, used, items),
  ];
  const kinds = new Set<string>();
  for (const line of fees) {
    const kind = [line.modality, line.cache, line.unit].join();
    // The ledger has room for one line of a kind: of two tools with a model of their own the second is named, not priced.
    if (kinds.has(kind)) facts.problems.push("tool_cost_incomplete");
    else facts.lines.push(line);
    kinds.add(kind);
  }
  facts.children.push(...containers(facts, atMs, tools, response, items));
}

/** The count that is stated leaves out pages that were opened and searched in, which are free; so does ours. */
function searchFees(
  facts: Facts,
  tools: JsonObject[],
  used: JsonObject | null,
  items: readonly JsonObject[],
): UsageLine[] {
  const requests = asObject(used?.web_search)?.num_requests;
  const isStated = isCount(requests);
  if (typeof requests === "number" && !isStated) facts.problems.push("usage_bad_number");
  const searches = isStated ? requests : items.filter(isSearch).length;
  if (searches === 0) return [];
  const source = isStated ? "reported" : "measured";
  const names = tools.map(({ type }) => asText(type) ?? "");
  const isGeneral = names.some((name) => /^web_search(_\d|$)/.test(name));
  const isPreview = names.some((name) => name.startsWith("web_search_preview"));
  if (isGeneral === isPreview) facts.problems.push("search_tool_assumed");
  if (isPreview && !isGeneral) {
    const kind = REASONING.test(facts.model ?? "") ? "reasoning" : "non_reasoning";
    return fee("web_search_preview_call", `tool:web_search_preview:${kind}`, searches, source);
  }
  return [...fee("web_search_call", "tool:web_search", searches, source), ...contentBlock(facts, searches)];
}

const UNKNOWN_IMAGE_MODEL = "gpt-image-1";

const isCount = (value: unknown): value is number =>
  typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= SEARCHES_MAX;

/** A hundred times what any answer was seen to need: nothing true is beyond it. */
const SEARCHES_MAX = 10_000;

const isSearch = ({ type, action, status }: JsonObject): boolean =>
  type === "web_search_call" && status !== "failed" && (asObject(action)?.type ?? "search") === "search";

const REASONING = /^(ft:)?(o\d|gpt-([5-9]|\d\d)(?!.*chat)|computer-use)/;

/**
 * On these models what a search found counts as a fixed block of input tokens. Usage was always seen to contain it; where usage is too
 * small to, it is added.
 */
function contentBlock(facts: Facts, searches: number): UsageLine[] {
  const model = facts.model ?? "";
  const { inputTokens } = facts.usage;
  if (!FIXED_BLOCK.test(model) || inputTokens === null || inputTokens >= BLOCK_TOKENS * searches) return [];
  facts.problems.push("search_content_added");
  return [{ ...toolLine("input_token", model, BLOCK_TOKENS * searches, "measured"), modality: "text" }];
}

const FIXED_BLOCK = /^(ft:)?gpt-4(o|\.1)-mini(-|:|$)/;
const BLOCK_TOKENS = 8000;

/** Tokens of the image model behind the tool. Older answers draw pictures and do not say what that took. */
function imageFees(
  facts: Facts,
  tools: JsonObject[],
  used: JsonObject | null,
  items: readonly JsonObject[],
): UsageLine[] {
  const raw = asObject(used?.image_gen);
  const pictures = count(items, "image_generation_call");
  // Unpriced, because no list has a price for a picture of unknown size: what it cost is not nothing.
  const unknown = () => fee("image", UNKNOWN_IMAGE_MODEL, pictures, "measured");
  if (raw === null) {
    if (pictures > 0) facts.problems.push("image_usage_missing");
    return unknown();
  }
  const details = asObject(raw.input_tokens_details);
  const { cached_tokens, cached_tokens_details, output_tokens_details } = raw;
  const output = asObject(output_tokens_details) ?? { image_tokens: raw.output_tokens };
  const { lines, problems } = readUsage(
    {
      ...raw,
      input_tokens_details: { cached_tokens, cached_tokens_details, ...details },
      output_tokens_details: output,
    },
    { produced: pictures > 0, mixedInput: false },
  );
  if (problems.length > 0) {
    facts.problems.push("image_usage_inconsistent");
    return unknown();
  }
  const named = asText(tools.find(({ type }) => type === "image_generation")?.model);
  if (named === null && lines.length > 0) facts.problems.push("image_model_assumed");
  const product = named ?? UNKNOWN_IMAGE_MODEL;
  return lines.map((line) => ({
    ...line,
    direction: "tool",
    unit: line.direction === "input" ? "input_token" : "output_token",
    product,
  }));
}

function containers(
  { responseId: inherits }: Facts,
  seenAtMs: number,
  tools: JsonObject[],
  response: JsonObject | null,
  items: readonly JsonObject[],
): Facts["children"] {
  const ids = new Set(items.flatMap((item) => containerOf(item) ?? []));
  const atMs = secondsToMs(response?.created_at) ?? seenAtMs;
  // One that is made for the occasion has the size that the tool says, or the smallest; another was made by somebody else.
  const configured = tools
    .map(({ container, environment }) => container ?? environment)
    .find((one) => one !== undefined);
  const own = asObject(configured);
  const memory = own === null ? null : (own.memory_limit ?? "1g");
  return [...ids].map((id) => containerSession(id, memory, { inherits, atMs }));
}

function containerOf(item: JsonObject): string | null {
  if (item.type !== "code_interpreter_call" && item.type !== "shell_call") return null;
  return asText(item.container_id) ?? asText(asObject(item.environment)?.container_id);
}

/** The fee of a model that searches before it answers: chat counts no searches, so one for each request. */
export function readChatSearchFee(facts: Facts, request: JsonObject | null): void {
  const model = SEARCH_MODEL.exec(facts.model ?? "")?.[1];
  if (model === undefined) return;
  const size = asText(asObject(request?.web_search_options)?.search_context_size);
  const context = CONTEXTS.find((known) => known === size) ?? "medium";
  facts.problems.push("search_count_assumed");
  facts.lines.push(chatSearch(model, context));
}

function chatSearch(model: string, context: (typeof CONTEXTS)[number]): UsageLine {
  if (BY_CONTEXT.has(model)) return toolLine(`web_search_call_${context}_context`, model, 1, "measured");
  if (model.endsWith("-api")) return toolLine("web_search_call", "tool:web_search", 1, "measured");
  return toolLine("web_search_preview_call", "tool:web_search_preview:non_reasoning", 1, "measured");
}

const SEARCH_MODEL = /^(gpt-.*search-(?:preview|api))(?:-\d{4}-\d\d-\d\d)?$/;
const CONTEXTS = ["low", "medium", "high"] as const;
/** Their search was priced by how much of the web they read. */
const BY_CONTEXT = new Set(["gpt-4o-search-preview", "gpt-4o-mini-search-preview"]);

const count = (items: readonly JsonObject[], type: string): number =>
  items.filter((item) => item.type === type && item.status !== "failed").length;

function fee(unit: UsageLine["unit"], product: string, quantity: number, source: UsageLine["source"]): UsageLine[] {
  return quantity > 0 ? [toolLine(unit, product, quantity, source)] : [];
}

function toolLine(unit: UsageLine["unit"], product: string, quantity: number, source: UsageLine["source"]): UsageLine {
  return { direction: "tool", modality: "none", cache: "none", unit, product, quantity, source };
}
