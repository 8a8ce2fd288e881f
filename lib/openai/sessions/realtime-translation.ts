import type { ExchangeEnd } from "#lib/exchange.ts";
import { asText } from "../bodies/json.ts";
import { modalitiesOf } from "../bodies/parts.ts";
import type { ChildFacts, Marks } from "../facts.ts";
import { createStreamClock, noMarks } from "../marks.ts";
import { noFacts } from "../no-facts.ts";
import { audioBytes } from "./realtime-audio.ts";
import type { RealtimeState, Step } from "./realtime-state.ts";
import { useSeconds } from "./realtime-usage.ts";
import { cutOutcome } from "./session-end.ts";

/** A session that translates, or only transcribes, has no responses: it is one call, billed by the length of the audio sent. */
export interface Translation {
  heard: string;
  said: string;
  saidBytes: number;
  marks: Marks;
}

export const newTranslation = (): Translation => ({ heard: "", said: "", saidBytes: 0, marks: noMarks() });

export function addTranslated({ state: { translation }, event, atMs }: Step, what: "heard" | "said" | "audio"): void {
  const delta = asText(event.delta);
  if (delta === null) return;
  if (what !== "heard") createStreamClock(translation.marks).saw(what === "audio" ? "audio" : "text", atMs);
  if (what === "audio") translation.saidBytes += audioBytes(delta);
  else if (translation[what].length + delta.length <= TEXT_MAX) translation[what] += delta;
}

const TEXT_MAX = 128 * 1024;

/** The whole session as one call. null: it is billed by what happens in it, or nothing was sent. */
export function sessionCall(state: RealtimeState, end: ExchangeEnd | null, atMs: number): ChildFacts | null {
  const { kind, translation, config, clock, transcriptions } = state;
  const isWhole = kind === "translation" || (kind === "transcription" && transcriptions.stated === 0);
  if (!isWhole || clock.appendedMs === 0) return null;
  const facts = noFacts();
  facts.streamed = true;
  facts.hints.safetyIdentifier = state.safetyIdentifier;
  facts.requestModel = state.requestModel;
  facts.model = (kind === "transcription" ? config.transcriptionModel : null) ?? config.model;
  facts.marks = translation.marks;
  facts.inputAudioMs = clock.appendedMs;
  facts.outputAudioMs = kind === "translation" ? translation.saidBytes / config.output.bytesPerMs : null;
  const { mediaType, bytesPerMs } = config.input;
  const bytes = Math.round(clock.appendedMs * bytesPerMs);
  const heard = {
    type: "audio" as const,
    mediaType,
    bytes,
    ...(translation.heard && { transcript: translation.heard }),
  };
  const { said, saidBytes } = translation;
  facts.content.input = [{ role: "user", parts: [heard] }];
  if (said !== "" || saidBytes > 0) {
    const part = { type: "audio" as const, mediaType: config.output.mediaType, bytes: saidBytes, transcript: said };
    facts.content.output = [{ role: "assistant", parts: [part] }];
  }
  facts.inputModalities = ["audio"];
  facts.outputModalities = kind === "transcription" ? ["text"] : modalitiesOf(facts.content.output);
  useSeconds(facts, clock.appendedMs / 1000, "measured");
  const isClosed = end?.ending === "completed" || end?.ending === "client_aborted";
  return {
    key: [state.id, "session"],
    endpoint: kind === "translation" ? "realtime_translations" : "realtime_transcription",
    startedAtMs: state.startedAtMs,
    timings: { responseEndMs: atMs, durationMs: atMs },
    // Such a session has no end of its own: hanging up is how it is over.
    outcome: isClosed ? "completed" : cutOutcome(end),
    status: null,
    requestBytes: state.log.clientBytes,
    responseBytes: state.log.serverBytes,
    facts,
  };
}
