import type { View } from "#app/_frame/view.ts";
import { formatDuration } from "#app/_ui/format.ts";
import { formatMoment, timeParts } from "#app/_ui/time.ts";
import type { Interval } from "#lib/range.ts";
import { METRICS } from "./metrics.ts";
import type { Finding } from "./verdict.ts";

/** A piece of a verdict; `leads` says which calls or which filter it stands for. */
export interface Piece {
  text: string;
  leads?: "modality" | "slow calls" | "stretch" | "feature";
}

const OURS = "Omnimeter's own";

/**
 * "Text: p95 first token 1.61 s (2.1 × usual) from 14:05 to 14:15; 97 % of the excess is upstream; 94 % of it in support-chat."
 * The pieces, joined, are the sentence.
 */
export function findingSentence(
  finding: Finding,
  label: string,
  view: Pick<View, "zone" | "nowMs" | "interval">,
): Piece[] {
  const { series, episode, p95Ms, usualMs, whose, where } = finding;
  const pieces: Piece[] = [
    { text: label, leads: "modality" },
    { text: ": " },
    { text: `p95 ${METRICS[series.metric].short} ${formatDuration(p95Ms)}`, leads: "slow calls" },
    { text: ` (${timesText(p95Ms / usualMs)} × usual) ` },
    { text: stretchText(episode, isGoingOn(finding, view), view), leads: "stretch" },
  ];
  if (whose) {
    const whom = whose.who === "own" ? `${OURS} queue` : whose.who === "client" ? "the client's" : "upstream";
    pieces.push({ text: `; ${percentText(whose.share)} of the excess is ${whom}` });
  }
  if (where) {
    const { feature, model, share } = where;
    pieces.push({ text: `; ${percentText(share)} ${whose ? "of it" : "of the excess"} in ` });
    pieces.push({ text: feature || "calls without a feature", leads: "feature" });
    if (model) pieces.push({ text: ` on ${model}` });
  }
  return [...pieces, { text: "." }];
}

/** Still slow at the end of a range that reaches up to now, as far as columns can tell. */
function isGoingOn({ episode }: Finding, { interval, nowMs }: Pick<View, "nowMs" | "interval">): boolean {
  const columnMs = (episode.toMs - episode.fromMs) / (episode.last - episode.first + 1);
  return episode.reachesEnd && interval.toMs > nowMs - columnMs && nowMs - episode.toMs < 2 * columnMs;
}

/** "since 14:05", "from 14:05 to 14:15", "from 18 Nov 14:05 to 14:35", "over the whole range" */
function stretchText(
  { fromMs, toMs }: Interval,
  goesOn: boolean,
  { zone, nowMs, interval }: Pick<View, "zone" | "nowMs" | "interval">,
): string {
  if (fromMs <= interval.fromMs && toMs >= Math.min(interval.toMs, nowMs)) return "over the whole range";
  const from = clock(fromMs, zone, timeParts(nowMs, zone).day);
  if (goesOn) return `since ${from}`;
  return `from ${from} to ${clock(toMs, zone, timeParts(fromMs, zone).day)}`;
}

/** Without the day where it is known, without seconds where there are none. */
export function clock(ms: number, zone: string, knownDay: string): string {
  const { day, minute, second } = timeParts(ms, zone);
  const time = second.endsWith(":00") ? minute : second;
  return day === knownDay ? time : second.endsWith(":00") ? `${day} ${minute}` : formatMoment(ms, zone);
}

const timesText = (times: number): string => (times < 9.95 ? times.toFixed(1) : String(Math.round(times)));

/** What is not all never reads as 100. */
const percentText = (share: number): string =>
  share < 1 && share > 0.995 ? "> 99 %" : share < 0.005 ? "< 1 %" : `${Math.round(share * 100)} %`;
