import type { Metadata } from "next";
import { requestedView } from "#app/_data/view.ts";
import { Frame } from "#app/_frame/frame.tsx";
import { hrefOf, type Params } from "#app/_frame/view.ts";
import { ZonePicker } from "#app/_frame/zone-picker.tsx";
import { AddRule } from "./add-rule.tsx";
import { AlertHistory } from "./alert-history.tsx";
import { AlertRules } from "./alert-rules.tsx";
import { FormAnswer } from "./form-answer.tsx";
import { Health } from "./health/health.tsx";
import { readHealth } from "./health/read-health.ts";
import { Hints } from "./hints.tsx";
import { type Offered, readSettings } from "./read-settings.ts";
import { readSaid } from "./said.ts";
import { Shown } from "./shown.tsx";

export const metadata: Metadata = { title: "Settings" };

/** Names can be typed. */
const NOTHING_OFFERED: Offered = { feature: [], model: [], environment: [] };

/** What people decide for all of them. Its forms work without any script; so there is no skeleton, which needs one to go away. */
export default async function SettingsPage({ searchParams }: { searchParams: Promise<Params> }) {
  const params = await searchParams;
  const said = readSaid(params);
  const view = await requestedView(params);
  const [{ alerts, offered, hints, watermark }, health] = await Promise.all([
    readSettings(view),
    readHealth(view.nowMs),
  ]);
  return (
    <Frame
      title="Settings"
      watermark={"value" in watermark ? watermark.value : null}
      nowMs={view.nowMs}
      zone={view.zone}
      controls={
        <ZonePicker
          zone={view.zone}
          pinned={view.zonePinned}
          hrefTemplate={hrefOf("/settings", view, { zone: "{zone}" }).replace("%7Bzone%7D", "{zone}")}
          hrefOwn={hrefOf("/settings", view, { zone: null })}
        />
      }
    >
      <nav aria-label="On this page" className="mb-4 flex gap-4">
        <a className="text-link" href="#alerts">
          Alerts
        </a>
        <a className="text-link" href="#health">
          Health
        </a>
        <a className="text-link" href="/settings/prices">
          Prices
        </a>
      </nav>
      <section id="alerts" aria-labelledby="alerts-title">
        <h2 id="alerts-title" className="text-lg font-semibold">
          Alerts
        </h2>
        <p className="mt-1 max-w-4xl text-muted">
          Each rule is checked every 30 seconds. An alert opens when the value is above the threshold, stands on Home
          while it is open, and closes when the value is at 90 % of the threshold or less, so that it does not come and
          go. Of too few calls nothing is said: an alert neither opens nor closes then.
        </p>
        <FormAnswer said={said} />
        <Shown part={alerts}>{({ rules }) => <AlertRules rules={rules} said={said} view={view} />}</Shown>
      </section>
      <div className="mt-8 grid gap-x-12 gap-y-8 xl:grid-cols-2">
        <AddRule said={said} offered={"value" in offered ? offered.value : NOTHING_OFFERED} />
        <Hints hints={hints} />
      </div>
      {"value" in alerts && <AlertHistory alerts={alerts.value.history} view={view} />}
      <Health health={health} said={typeof params.health === "string" ? params.health : null} view={view} />
    </Frame>
  );
}
