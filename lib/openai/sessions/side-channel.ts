import type { Exchange } from "#lib/exchange.ts";
import { header } from "../bodies/body.ts";
import { findEndpoint } from "../endpoints.ts";

/** Where a call over WebRTC or SIP can be listened to: its media does not pass us, its events can be had. */
export interface SideChannel {
  callId: string;
  /** Path and query at the proxy, `/u/<name>` and `/f/<feature>` included. */
  target: string;
  /** Header and value that a key goes in. */
  credential(key: string): [name: string, value: string];
}

/** The offer of a WebRTC call, or a telephone call that was accepted. */
const SET_UP = /^(.*)\/realtime\/calls(?:\/([^/]+)\/accept)?\/?$/;
const CALL_ID = /^[\w.~-]{1,256}$/;

/** The side channel of the call that an exchange set up; null: it set up none. */
export function sideChannelOf({ start, response }: Exchange): SideChannel | null {
  if (start.method !== "POST" || !response || response.status < 200 || response.status > 299) return null;
  if (findEndpoint(start.method, start.upstreamTarget).name !== "realtime_calls") return null;
  const [, base, accepted] = SET_UP.exec(start.target.split("?", 1)[0] as string) ?? [];
  if (base === undefined) return null;
  const callId = accepted ?? callInLocation(header(response.headers, "location") ?? "");
  if (callId === null || !CALL_ID.test(callId)) return null;
  return {
    callId,
    target: `${base}/realtime?call_id=${callId}`,
    // Azure takes its keys in a header of their own.
    credential: (key) => (isAzure(start.upstreamTarget) ? ["api-key", key] : ["authorization", `Bearer ${key}`]),
  };
}

/** A path, or a whole address. */
const callInLocation = (location: string): string | null =>
  /\/calls\/([^/?#]+)\/?(?:[?#]|$)/.exec(location)?.[1] ?? null;

const isAzure = (upstreamTarget: string): boolean => upstreamTarget.startsWith("/openai/");
