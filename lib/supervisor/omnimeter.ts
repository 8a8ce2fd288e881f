import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { migrate } from "#db/migrate.ts";
import type { Config } from "#lib/config.ts";
import { createLog } from "#lib/log.ts";
import { assertPort } from "./assert-port.ts";
import { claimDataDir } from "./claim-data-dir.ts";
import { type Database, superviseDatabase } from "./database.ts";
import { type Part, startPart } from "./part.ts";

/** What runs, as paths, and how the dashboard is built: the tests put stand-ins in their place. */
export interface Parts {
  root: string;
  recorder: string;
  proxy: string;
  dashboard: string;
  build(signal: AbortSignal): Promise<void>;
}

export interface Omnimeter {
  /** Resolves when everything answers; rejects with a sentence, and then nothing is left running once stopped. */
  readonly ready: Promise<{ proxyPort: number; dashboardPort: number }>;
  /** Clients first, the database last, so that nothing that was accepted is left behind. */
  stop(): Promise<void>;
  /** At once: what is in flight is cut. */
  kill(): void;
}

/** Everything on one machine: database, migrations, dashboard build, then recorder, proxy and dashboard. */
export function startOmnimeter(config: Config, parts: Parts, env: NodeJS.ProcessEnv): Omnimeter {
  const log = createLog("start");
  const abort = new AbortController();
  let release = () => {};
  let database: Database | null = null;
  let proxy: Part | null = null;
  let recorder: Part | null = null;
  let dashboard: Part | null = null;
  let proxyPort = config.proxyPort;
  let dashboardPort = config.dashboardPort;
  let building: Promise<void> = Promise.resolve();

  const url = () => database?.url() ?? config.databaseUrl ?? "";
  const common = () => ({
    ...env,
    OMNIMETER_DATA_DIR: config.dataDir,
    // A part that took any free port keeps it when it is started again.
    OMNIMETER_PROXY_PORT: String(proxyPort),
    OMNIMETER_DASHBOARD_PORT: String(dashboardPort),
  });
  const withDatabase = () => ({ ...common(), DATABASE_URL: url() });
  const start = (name: "recorder" | "proxy" | "dashboard", partEnv: () => NodeJS.ProcessEnv) => {
    abort.signal.throwIfAborted();
    return startPart({ name, entry: parts[name], cwd: parts.root, env: partEnv, log });
  };

  async function run() {
    release = claimDataDir(config.dataDir);
    await assertPort(config.host, config.proxyPort, "OMNIMETER_PROXY_PORT");
    await assertPort(config.host, config.dashboardPort, "OMNIMETER_DASHBOARD_PORT");
    building = parts.build(abort.signal);
    // Awaited below; a database that fails first must not leave a rejection that nobody hears.
    building.catch(() => {});
    if (!config.databaseUrl) database = await startDatabase();
    abort.signal.throwIfAborted();
    await migrate(url());
    recorder = start("recorder", withDatabase);
    proxy = start("proxy", () => withoutKey(withoutDatabase(common())));
    const [, bound] = await Promise.all([recorder.ready, proxy.ready]);
    proxyPort = bound ?? proxyPort;
    // It was started before the port was known.
    if (config.proxyPort === 0) recorder.tell({ type: "proxy", port: proxyPort });
    await building;
    dashboard = start("dashboard", () => withoutKey(withDatabase()));
    dashboardPort = (await dashboard.ready) ?? dashboardPort;
    return { proxyPort, dashboardPort };
  }

  async function startDatabase(): Promise<Database> {
    const dir = join(config.dataDir, "postgres");
    mkdirSync(dir, { recursive: true });
    return superviseDatabase(dir, log, () => {
      recorder?.restart();
      dashboard?.restart();
    });
  }

  const ready = run();
  return {
    ready,
    async stop() {
      abort.abort();
      await proxy?.stop();
      await recorder?.stop();
      await dashboard?.stop();
      // A start that was under way has seen the abort by now, or is about to: what it started is stopped too.
      await Promise.allSettled([ready, building]);
      await Promise.all([proxy?.stop(), recorder?.stop(), dashboard?.stop()]);
      await database?.stop();
      release();
    },
    kill() {
      abort.abort();
      for (const part of [proxy, recorder, dashboard]) part?.kill();
      // Told, not waited for: Postgres ends on its own.
      database?.stop().catch(() => {});
    },
  };
}

/** The proxy holds no database credentials, not even in its environment. */
const withoutDatabase = (env: NodeJS.ProcessEnv): NodeJS.ProcessEnv =>
  Object.fromEntries(
    Object.entries(env).filter(([name]) => name !== "DATABASE_URL" && !/^PG[A-Z]/.test(name)),
  ) as never;

/** What only the recorder asks with. */
const withoutKey = ({ OMNIMETER_JOIN_CALLS_KEY: _, ...env }: NodeJS.ProcessEnv): NodeJS.ProcessEnv => env;
