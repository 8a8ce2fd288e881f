import { CopyLink } from "#app/_frame/copy-link.tsx";
import { rangeName } from "#app/_frame/range-name.ts";
import { RangePicker } from "#app/_frame/range-picker.tsx";
import { SealedNote } from "#app/_frame/sealed-note.tsx";
import { ZonePicker } from "#app/_frame/zone-picker.tsx";
import { formatRange, msToWall, parseRange, type Range } from "#lib/range.ts";
import { type SpendView, spendHref } from "./spend-view.ts";

/** No month is the present one, so that none is left out of an address. */
const NONE = "";

/** Range and zone of the page. Months come first: that is what is invoiced. */
export function SpendControls({ view, browserZone }: { view: SpendView; browserZone: string | undefined }) {
  const { range, interval, zone } = view;
  const chosen = formatRange(range);
  const choices = rangeTexts(view.month).map((text) => {
    const choice = parseRange(text) as Range;
    return {
      text,
      name: rangeName(choice, interval, zone),
      href: spendHref(view, { range: choice }),
      chosen: text === chosen,
    };
  });
  const wall = (ms: number) => new Date(msToWall(ms, zone)).toISOString().slice(0, 16);
  const endMs = Math.min(interval.toMs, Math.max(view.nowMs, interval.fromMs));
  const zoned = (name: string) => spendHref(view, { zone: name });
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
        hrefTemplate={withRange(view, "{range}")}
      />
      <ZonePicker
        zone={zone}
        // Without a zone in the address it is UTC; the browser's own is only asked for, to be offered.
        pinned={false}
        hrefTemplate={zoned("{zone}")}
        hrefOwn={zoned(browserZone ?? zone)}
      />
      <CopyLink path={pinned(view, endMs)} />
      <SealedNote fromMs={interval.fromMs} />
    </>
  );
}

/** Four months, newest first, and stretches up to now. */
function rangeTexts(month: string): string[] {
  const [year, number] = month.split("-").map(Number) as [number, number];
  const months = [0, 1, 2, 3].map((back) => new Date(Date.UTC(year, number - 1 - back)).toISOString().slice(0, 7));
  return [...months, "24h", "7d", "30d", "90d"];
}

/** For a shared link: the other person sees the same stretch of time, next month too. */
function pinned(view: SpendView, endMs: number): string {
  const between: Range = { kind: "between", from: { at: view.interval.fromMs }, to: { at: endMs } };
  return spendHref({ ...view, month: NONE }, { range: view.range.kind === "last" ? between : view.range });
}

const withRange = (view: SpendView, text: string): string =>
  spendHref({ ...view, month: NONE }).replace(/([?&]r=)[^&]*/, (_, name: string) => name + text);
