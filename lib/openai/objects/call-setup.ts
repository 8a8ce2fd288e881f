import type { Exchange } from "#lib/exchange.ts";
import type { Bodies } from "../bodies/body.ts";
import { header } from "../bodies/body.ts";
import type { JsonObject } from "../bodies/json.ts";
import { asObject, asText, parseJson } from "../bodies/json.ts";
import type { Facts } from "../facts.ts";
import { readPlain } from "../plain.ts";

/**
 * What stands before a realtime session: a secret for a browser, the offer of a WebRTC call, the acceptance of a telephone call. Free; what
 * it tells is the model, and the ids by which the session will be known. The secret itself is kept nowhere.
 */
export function readCallSetup(exchange: Exchange, bodies: Bodies): Facts {
  const facts = readPlain(exchange, bodies);
  const { request, response } = bodies;
  // In a form the session is the JSON text of one of its fields.
  const asked = asObject(request?.session) ?? asObject(parseJson(asText(request?.session) ?? "")) ?? request;
  facts.requestModel = modelOf(asked) ?? modelInQuery(exchange.start.upstreamTarget);
  const answer = response.kind === "json" ? response.value : null;
  const session = asObject(answer?.session) ?? answer;
  facts.model = modelOf(session);
  const location = header(exchange.response?.headers ?? [], "location");
  const ids = [asText(session?.id), callIn(location ?? ""), callIn(exchange.start.upstreamTarget)];
  facts.objectIds = [...new Set(ids.flatMap((id) => id ?? []))];
  return facts;
}

/** A session that only writes down names its model in the settings of that. */
function modelOf(session: JsonObject | null): string | null {
  const input = asObject(asObject(session?.audio)?.input);
  const transcription = asObject(input?.transcription) ?? asObject(session?.input_audio_transcription);
  return asText(session?.model) ?? asText(transcription?.model);
}

function modelInQuery(target: string): string | null {
  const at = target.indexOf("?");
  return at < 0 ? null : new URLSearchParams(target.slice(at)).get("model");
}

const callIn = (path: string): string | null => /\/realtime\/calls\/([^/?#]+)/.exec(path)?.[1] ?? null;
