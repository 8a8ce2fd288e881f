import type { Sql } from "postgres";
import { addAlertRule } from "#db/alert-rules.ts";
import { ALERTS_JOB, checkAlerts } from "#db/alerts.ts";
import { runJob } from "#db/run-job.ts";
import type { AlertWish } from "#lib/alert.ts";
import { createUuid7 } from "#lib/uuid7.ts";
import { spikeOf } from "./planted.ts";

const MINUTE_MS = 60_000;
const QUARTER_MS = 15 * MINUTE_MS;
const HOUR_MS = 4 * QUARTER_MS;

const WISHES: readonly AlertWish[] = [
  {
    measure: "p95_first_audio",
    scope: { feature: "voice-concierge", environment: "production" },
    threshold: 2000,
    windowMinutes: 60,
  },
  { measure: "error_rate", scope: {}, threshold: 0.1, windowMinutes: 60 },
  { measure: "unpriced_calls", scope: {}, threshold: 3, windowMinutes: 10_080 },
];

/**
 * Rules of the demo company, checked as if the recorder had been running then: often around the spike, then now and again. So the
 * history is what its calls say, and what is open at the end stays open.
 */
export async function plantAlerts(sql: Sql, untilMs: number): Promise<void> {
  const moments = momentsOf(untilMs);
  const nextId = createUuid7(() => moments[0] as number);
  for (const wish of WISHES) await addAlertRule(sql, "default", nextId(), wish);
  await runJob(sql, { name: ALERTS_JOB, holder: "demo", leaseMs: MINUTE_MS }, async (fence) => {
    for (const ms of moments) await checkAlerts(sql, ms, fence);
  });
}

/** On whole quarters of an hour: between them a check would see the calls up to the next one, which had not come yet. */
function momentsOf(untilMs: number): number[] {
  const { fromMs, toMs } = spikeOf(untilMs);
  const moments: number[] = [];
  const first = Math.ceil(fromMs / QUARTER_MS) * QUARTER_MS;
  for (let ms = first; ms < toMs + 2 * HOUR_MS; ms += QUARTER_MS) moments.push(ms);
  for (let ms = first + 3 * HOUR_MS; ms < untilMs; ms += 3 * HOUR_MS) moments.push(ms);
  return [...moments, untilMs];
}
