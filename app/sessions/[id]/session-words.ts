import type { SessionKind, SessionTransport } from "#lib/session.ts";

export const SESSION_KINDS: Record<SessionKind, string> = {
  realtime: "Realtime voice",
  transcription: "Realtime transcription",
  translation: "Realtime translation",
  responses: "Responses over a WebSocket",
  other: "WebSocket",
};

export const TRANSPORTS: Record<SessionTransport, string> = {
  websocket: "WebSocket",
  side_channel: "side channel of a WebRTC or SIP call",
};
