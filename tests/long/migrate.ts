import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import type { Sql } from "postgres";
import { open } from "#db/connect.ts";
import { startEmbedded } from "#db/embedded.ts";
import { migrate } from "#db/migrate.ts";
import type { ensurePartitions } from "#db/partitions.ts";
import type { rebuildRollups } from "#db/rebuild-rollups.ts";
import { type Running, run } from "#tests/support/process.ts";
import { seeded } from "#tests/support/split.ts";
import { startUpstream } from "#tests/support/upstream/server.ts";
import { startClients } from "./clients.ts";
import { earlierVersion } from "./earlier-version.ts";
import { fillDatabase } from "./fill-database.ts";
import { type Stalls, watchStalls } from "./stalls.ts";

export interface MigrateOptions {
  calls: number;
  say: (line: string) => void;
}

const CLIENTS = 8;
const CALM_MS = 10_000;
/** More than this is a failure. A recorder that is replaced has to end and to begin, and the spool keeps the calls meanwhile. */
const STALL_MAX_MS = { migrated: 5000, replaced: 20_000 };
const READ_MAX_MS = 5000;
const CLIENT_MAX_MS = 1000;

/**
 * A database of the version before the newest migration, full, with that version's proxy and recorder at work, is migrated; then the
 * recorder and the proxy are replaced by today's. Nothing may be lost, counted twice, or stand still.
 */
export async function migrateUnderLoad({ calls, say }: MigrateOptions) {
  const earlier = earlierVersion();
  if (!earlier) return { passed: 0, failed: 0, table: "### Migrated: skipped, there is no git history here\n" };
  const dir = mkdtempSync(join(tmpdir(), "omnimeter-migrate-"));
  // As root the database runs as another user.
  chmodSync(dir, 0o711);
  const server = await startEmbedded({ dir, port: 0 });
  const sql = open(server.url, 6);
  const upstream = await startUpstream();
  const parts: Running[] = [];
  try {
    const from = performance.now();
    await migrate(server.url, { folder: join(earlier.folder, "drizzle") });
    await fillOf(earlier.folder, sql, calls, say);
    say(`${calls} calls of ${earlier.revision} after ${Math.round((performance.now() - from) / 1000)} s`);

    const common = { OMNIMETER_DATA_DIR: join(dir, "home") };
    const recorderEnv = { ...common, DATABASE_URL: server.url };
    const oldRecorder = await run(earlier.entry("lib/recorder/main.ts"), recorderEnv);
    parts.push(oldRecorder);
    const proxyEnv = { ...common, OMNIMETER_UPSTREAM: upstream.url };
    const oldProxy = await run(earlier.entry("lib/proxy/main.ts"), { ...proxyEnv, OMNIMETER_PROXY_PORT: "0" });
    parts.push(oldProxy);
    const proxyUrl = `http://127.0.0.1:${oldProxy.port}`;
    const clients = startClients(() => proxyUrl, CLIENTS, seeded(5));
    const watch = watchStalls(sql, proxyUrl);
    await sleep(CALM_MS);
    const calm = watch.take();

    const began = performance.now();
    await migrate(server.url);
    const tookMs = performance.now() - began;
    await sleep(CALM_MS / 2);
    const migrated = watch.take();

    await oldRecorder.stop();
    parts.push(await run("lib/recorder/main.ts", recorderEnv));
    await sleep(CALM_MS);
    const replaced = watch.take();
    await watch.stop();
    await clients.stop();

    const answered = clients.seen.flatMap(({ callId }) => callId ?? []);
    const lost = await missing(sql, answered);
    const differs = await counted(sql);
    const hung = clients.seen.filter((one) => one.hung).length;
    const broken = [
      ...(lost ? [`${lost} calls are lost`] : []),
      ...(differs ? [`rollups and calls differ by ${differs}`] : []),
      ...(hung ? [`${hung} clients hung`] : []),
      ...tooLong({ migrated, replaced }),
    ];
    for (const sentence of broken) say(sentence);
    const row = [calls, answered.length, ms(tookMs), ...[calm, migrated, replaced].map(stallsOf), lost, differs];
    return { passed: broken.length ? 0 : 1, failed: broken.length ? 1 : 0, table: tableOf(earlier.revision, row) };
  } finally {
    for (const part of parts) await part.stop();
    await sql.end({ timeout: 1 });
    await upstream.stop();
    await server.stop();
    rmSync(dir, { recursive: true, force: true });
    earlier.remove();
  }
}

/** With the partitions and rollups that the earlier version itself makes. */
async function fillOf(folder: string, sql: Sql, calls: number, say: (line: string) => void) {
  const old = <T>(path: string) => import(pathToFileURL(join(folder, path)).href) as Promise<T>;
  const partitions = await old<{ ensurePartitions: typeof ensurePartitions }>("db/partitions.ts");
  const rollups = await old<{ rebuildRollups: typeof rebuildRollups }>("db/rebuild-rollups.ts");
  await partitions.ensurePartitions(sql, Date.now() - 31 * 86_400_000, Date.now());
  const { fromMs, toMs } = await fillDatabase(sql, calls, say);
  await rollups.rebuildRollups(sql, fromMs, toMs, (day) => day.endsWith("5") && say(`rollups up to ${day}`));
}

/** How many of these calls never come. */
async function missing(sql: Sql, ids: string[]): Promise<number> {
  for (let tries = 0; ; tries++) {
    const [row] = await sql<{ n: number }[]>`
      select count(*) as n from unnest(${ids}::uuid[]) as seen (id) where not exists (select 1 from calls c where c.id = seen.id)`;
    if (!row?.n || tries > 60) return row?.n ?? ids.length;
    await sleep(500);
  }
}

/** By how much the rollup differs from the calls: twice or not at all. */
async function counted(sql: Sql): Promise<number> {
  const [row] = await sql<{ n: number }[]>`
    select abs((select sum(calls) from rollup_calls) - (select count(*) from calls))::bigint as n`;
  return row?.n ?? Number.NaN;
}

function tooLong(phases: Record<keyof typeof STALL_MAX_MS, Stalls>): string[] {
  return (["migrated", "replaced"] as const).flatMap((phase) => {
    const { recorderMs, readMs, clientMs } = phases[phase];
    return [
      ...(recorderMs > STALL_MAX_MS[phase] ? [`${phase}: nothing was stored for ${ms(recorderMs)}`] : []),
      ...(readMs > READ_MAX_MS ? [`${phase}: a read took ${ms(readMs)}`] : []),
      ...(clientMs > CLIENT_MAX_MS ? [`${phase}: a call took ${ms(clientMs)}`] : []),
    ];
  });
}

const ms = (value: number): string => `${Math.round(value)} ms`;
const stallsOf = ({ recorderMs, readMs, clientMs }: Stalls) => `${ms(recorderMs)}, ${ms(readMs)}, ${ms(clientMs)}`;

const tableOf = (revision: string, row: unknown[]): string =>
  [
    `### Migrated under load, ${new Date().toISOString().slice(0, 16).replace("T", " ")} UTC, from ${revision}`,
    "",
    "Longest times without a stored call, of a read, of a client's call: before, while the schema changed, and while the recorder was replaced.",
    "",
    "| calls in the store | calls made meanwhile | the migration took | before | migrated | replaced | lost | counted twice or not at all |",
    "| --- | --- | --- | --- | --- | --- | --- | --- |",
    `| ${row.join(" | ")} |`,
    "",
  ].join("\n");
