import type { Message, Part } from "#lib/call.ts";
import type { Exchange } from "#lib/exchange.ts";
import type { Bodies } from "../bodies/body.ts";
import { eventValues } from "../bodies/event-values.ts";
import type { JsonObject } from "../bodies/json.ts";
import { asObject, asText, objectsIn } from "../bodies/json.ts";
import { base64Bytes, mediaType, modalitiesOf, readPart, withoutQuery } from "../bodies/parts.ts";
import type { SseEvent } from "../bodies/sse.ts";
import type { Facts } from "../facts.ts";
import { createStreamClock } from "../marks.ts";
import { noFacts } from "../no-facts.ts";
import { readHttpError, settleStream } from "../outcome.ts";
import { readRequest } from "../request.ts";
import { modelAsRequested } from "../requested-model.ts";
import { settleImageUsage } from "./image-usage.ts";

/** Images generated, edited or varied. Pictures are counted, not stored. */
export async function readImages(exchange: Exchange, bodies: Bodies): Promise<Facts> {
  const facts = noFacts();
  const { request } = bodies;
  readRequest(facts, exchange, request);
  facts.streamed ||= request?.stream === "true";
  // Pictures are input, and their URLs can carry signatures.
  for (const name of ["images", "image", "mask"]) delete facts.content.parameters[name];
  const answer = readAnswer(facts, exchange, bodies);
  readHttpError(facts, exchange, bodies);

  facts.content.input = inputMessages(bodies);
  facts.content.output = answer.images.length > 0 ? [{ role: "assistant", parts: answer.images }] : [];
  facts.inputModalities = modalitiesOf(facts.content.input);
  facts.outputModalities = answer.images.length > 0 ? ["image"] : [];
  await settleImageUsage(facts, request, answer);
  modelAsRequested(facts, bodies);
  return facts;
}

export interface ImageAnswer {
  /** Pictures, and the prompts as they were rewritten. */
  readonly images: Part[];
  /** Streamed before the picture was ready. */
  partials: number;
  /** As stated: of the picture, and of a model that wrote an SVG. */
  usage: unknown;
  svgUsage: unknown;
  quality: string | null;
  size: string | null;
}

function readAnswer(facts: Facts, exchange: Exchange, bodies: Bodies): ImageAnswer {
  const { response } = bodies;
  const answer: ImageAnswer = { images: [], partials: 0, usage: null, svgUsage: null, quality: null, size: null };
  if (response.kind === "stream") readStream(facts, exchange, bodies, response.events, answer);
  if (response.kind !== "json") return answer;
  const { value } = response;
  facts.model = asText(value.model);
  add(answer, value);
  for (const item of objectsIn(value.data)) answer.images.push(...imageParts(item, value.output_format));
  return answer;
}

function readStream(
  facts: Facts,
  exchange: Exchange,
  bodies: Bodies,
  events: readonly SseEvent[],
  answer: ImageAnswer,
): void {
  facts.streamed = true;
  const clock = createStreamClock();
  let done = false;
  for (const { kind, value, atMs } of eventValues(facts, events)) {
    const isPartial = kind.endsWith(".partial_image");
    const isPicture = kind.endsWith(".completed");
    if (!isPartial && !isPicture) continue;
    clock.saw("other", atMs);
    if (isPartial) {
      answer.partials++;
      continue;
    }
    // Several pictures are not known to be streamed; should they be, nobody knows whether each states the sum.
    if (done && value.usage && !facts.problems.includes("usage_repeated")) facts.problems.push("usage_repeated");
    done = true;
    add(answer, value);
    answer.images.push(...imageParts(value, value.output_format));
  }
  facts.marks = clock.marks;
  settleStream(facts, exchange, bodies, done);
}

function add(answer: ImageAnswer, value: JsonObject): void {
  answer.usage = value.usage ?? answer.usage;
  answer.svgUsage = value.svg_usage ?? answer.svgUsage;
  answer.quality = asText(value.quality) ?? answer.quality;
  answer.size = asText(value.size) ?? answer.size;
}

function imageParts(item: JsonObject, format: unknown): Part[] {
  const url = asText(item.url);
  const bytes = base64Bytes(asText(item.b64_json));
  const rewritten = asText(item.revised_prompt);
  const image: Part = {
    type: "image",
    mediaType: mediaType("image", format),
    bytes,
    ...(url && { url: withoutQuery(url) }),
  };
  return [...(rewritten === null ? [] : [{ type: "text" as const, text: rewritten }]), image];
}

/** Pictures stand in fields of a form (`image`, `image[]`, `image[0]`, `mask`) or, in JSON, under `images` and `mask`. */
function inputMessages({ request, form }: Bodies): Message[] {
  const parts: Part[] = [];
  const prompt = asText(request?.prompt);
  if (prompt !== null) parts.push({ type: "text", text: prompt });
  for (const { name, fileName, mediaType: type, bytes, text } of form ?? []) {
    const isPicture = text === null && /^(image|mask)(\[.*\])?$/.test(name);
    if (isPicture) parts.push({ type: "image", mediaType: type, bytes, ...(fileName && { name: fileName }) });
  }
  const mask = asObject(request?.mask);
  for (const image of [...objectsIn(request?.images), ...(mask ? [mask] : [])]) {
    parts.push(readPart({ ...image, type: "input_image" }));
  }
  return parts.length > 0 ? [{ role: "user", parts }] : [];
}
