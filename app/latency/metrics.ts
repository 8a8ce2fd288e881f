import type { Strip } from "#db/queries/latency-page.ts";
import type { LatencyMetric } from "#lib/latency.ts";
import type { Modality } from "#lib/modalities.ts";

interface Words {
  /** "First token" */
  label: string;
  /** Inside a sentence after a percentile: "p95 first token" */
  short: string;
  /** After what was waited for: "Text to the first token" */
  upTo: string;
  definition: string;
}

export const METRICS: Record<LatencyMetric, Words> = {
  first_byte: {
    label: "First byte",
    short: "first byte",
    upTo: "to the first byte",
    definition: "from the request's first byte here to the first byte of the answer's body",
  },
  first_token: {
    label: "First token",
    short: "first token",
    upTo: "to the first token",
    definition: "from the request's first byte here to the first content of a streamed answer",
  },
  first_audio: {
    label: "First audio",
    short: "first audio",
    upTo: "to the first audio",
    definition: "from the request's first byte here to the first audio of the answer",
  },
  duration: {
    label: "Duration",
    short: "duration",
    upTo: "to the end",
    definition: "from the request's first byte here to the last byte delivered to the client",
  },
  own: {
    label: "Omnimeter's own",
    short: "time in Omnimeter",
    upTo: "in Omnimeter",
    definition:
      "from the request being here to its leaving for the upstream, queue included, and from the upstream's last byte to the client having it",
  },
};

const HEADLINES: Record<Modality, LatencyMetric> = { text: "first_token", image: "duration", audio: "first_audio" };
/** A first token that few calls have says little about the others. */
const SHARE_MIN = 0.2;

/** What a modality is judged by: how long people wait for the first of it, where enough calls tell that; else for all of it. */
export function headlineOf({ modality, callsTimed, percentiles }: Strip): LatencyMetric {
  const metric = modality === "" ? "duration" : HEADLINES[modality];
  return percentiles[metric].n > 0 && percentiles[metric].n >= callsTimed * SHARE_MIN ? metric : "duration";
}
