import { formatRange, msToWall } from "#lib/range.ts";
import { CopyLink } from "./copy-link.tsx";
import { rangeChoices, rangeName } from "./range-name.ts";
import { RangePicker } from "./range-picker.tsx";
import { SealedNote } from "./sealed-note.tsx";
import { hrefOf, type View } from "./view.ts";
import { ZonePicker } from "./zone-picker.tsx";

/** Range and time zone of a page, as links to the page with another range or zone. */
export function TimeControls({ path, view }: { path: string; view: View }) {
  const { range, interval, zone } = view;
  const chosen = formatRange(range);
  const choices = rangeChoices(zone, view.nowMs).map(({ text, name }) => ({
    text,
    name,
    href: withRange(path, view, text),
    chosen: text === chosen,
  }));
  const wall = (ms: number) => new Date(msToWall(ms, zone)).toISOString().slice(0, 16);
  const endMs = Math.min(interval.toMs, Math.max(view.nowMs, interval.fromMs));
  return (
    <>
      <RangePicker
        // New fields for a new range.
        key={chosen}
        name={rangeName(range, interval, zone)}
        choices={choices}
        zone={zone}
        from={wall(interval.fromMs)}
        to={wall(endMs)}
        hrefTemplate={withRange(path, view, "{range}")}
      />
      <ZonePicker
        zone={zone}
        pinned={view.zonePinned}
        hrefTemplate={hrefOf(path, view, { zone: "{zone}" }).replace("%7Bzone%7D", "{zone}")}
        hrefOwn={hrefOf(path, view, { zone: null })}
      />
      <CopyLink path={pinned(path, view, endMs)} />
      <SealedNote fromMs={interval.fromMs} />
    </>
  );
}

/** A shared link must show the other person the same stretch of time: moments instead of "the last …". */
function pinned(path: string, view: View, endMs: number): string {
  const iso = (ms: number) => new Date(ms).toISOString();
  const text = view.range.kind === "month" ? formatRange(view.range) : `${iso(view.interval.fromMs)}..${iso(endMs)}`;
  return withRange(path, { ...view, zonePinned: true, live: true }, text);
}

function withRange(path: string, view: View, text: string): string {
  const url = new URL(hrefOf(path, view), "http://dashboard");
  url.searchParams.set("r", text);
  return `${url.pathname}${decodeReserved(url.search)}`;
}

const decodeReserved = (search: string) =>
  search
    .replaceAll("%3A", ":")
    .replaceAll("%2C", ",")
    .replaceAll("%3B", ";")
    .replaceAll("%2F", "/")
    .replaceAll("%7B", "{")
    .replaceAll("%7D", "}");
