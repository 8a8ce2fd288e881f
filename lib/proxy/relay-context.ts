import type { SpoolWriter } from "#lib/spool/writer.ts";
import type { Figures } from "./figures.ts";
import type { ConnectTimer } from "./upstreams.ts";

/** What all calls of one worker share. */
export interface RelayContext {
  spool: SpoolWriter;
  newId: () => string;
  fingerprint: (secret: string) => string;
  keepBytes: number;
  keepHeadersBytes: number;
  /** Audio in the messages of WebSockets is recorded, not only counted. */
  keepAudio: boolean;
  maxCalls: number;
  includeUsage: boolean;
  includeUsageBytes: number;
  /** The upstream gets our `traceparent`, because the recorder makes spans. */
  traces: boolean;
  /** Calls being recorded now. */
  inFlight: number;
  figures: Figures;
  connectTimer: ConnectTimer;
}
