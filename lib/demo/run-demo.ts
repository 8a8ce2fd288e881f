import { type ChildProcess, fork } from "node:child_process";
import { resolve } from "node:path";
import { DemoError } from "./demo-error.ts";
import { prepareDemoFolder } from "./demo-folder.ts";
import { type Live, startLive } from "./live.ts";
import { DAY_MS } from "./moments.ts";

interface Options {
  /** Runs everything else: what `npm start` runs. */
  start: string;
  words: readonly string[];
  env: Readonly<Record<string, string | undefined>>;
  calls: number;
  days: number;
}

const USAGE = "npm run demo [-- --renew]";
const HELP = `${USAGE} shows Omnimeter with the calls of a company that does not exist, and makes more of them.

It has a database of its own below .omnimeter-demo (or OMNIMETER_DATA_DIR); --renew makes its data anew, ending now. The other
settings are those of npm start, apart from DATABASE_URL and the upstreams. Ctrl-C stops everything.
`;

/**
 * `npm run demo`: the demo data, then `npm start` on it as a child with an upstream of our own, then live calls. Ends when the
 * child ends; signals are passed on to it, and it sees by itself when this process is killed.
 */
export async function runDemo({ start, words, env, calls, days }: Options): Promise<void> {
  try {
    const unknown = words.find((word) => !["--renew", "--help", "-h"].includes(word));
    if (unknown) throw new DemoError("bad_arguments", `${unknown} is not an argument. Usage: ${USAGE}`);
    if (words.includes("--help") || words.includes("-h")) return void process.stdout.write(HELP);
    const dir = resolve(env.OMNIMETER_DATA_DIR?.trim() || ".omnimeter-demo");
    const nowMs = Date.now();
    const untilMs = await prepareDemoFolder({ dir, calls, days, nowMs, renew: words.includes("--renew") });
    if (nowMs - untilMs > DAY_MS)
      process.stderr.write(
        `The demo data ends on ${new Date(untilMs).toISOString().slice(0, 10)}; npm run demo -- --renew makes it anew.\n`,
      );
    const live = await startLive(nowMs);
    const child = fork(start, [], { env: demoEnv(env, dir, live.upstreamUrl), execArgv: [] });
    process.exitCode = await watch(child, live, hostOf(env));
    if (process.channel) process.disconnect();
  } catch (error) {
    const known = error instanceof Error && "code" in error && typeof error.code === "string";
    process.stderr.write(`${known ? error.message : ((error as Error).stack ?? error)}\n`, () => process.exit(1));
  }
}

/** The demo's database is its own: whatever DATABASE_URL says is somebody's. */
function demoEnv(env: Options["env"], dir: string, upstreamUrl: string): NodeJS.ProcessEnv {
  const { DATABASE_URL: _, OMNIMETER_UPSTREAMS: __, ...others } = env;
  return { ...others, OMNIMETER_DATA_DIR: dir, OMNIMETER_UPSTREAM: upstreamUrl, OMNIMETER_DEMO: "on" } as never;
}

/** Where the proxy can be reached: listening on every address is no address to go to. */
function hostOf({ OMNIMETER_HOST: host = "" }: Options["env"]): string {
  if (!host || host === "0.0.0.0" || host === "::") return "127.0.0.1";
  return host.includes(":") ? `[${host}]` : host;
}

async function watch(child: ChildProcess, live: Live, host: string): Promise<number> {
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
    process.on(signal, () => {
      live.pause();
      child.kill(signal);
    });
  // lib/setup/run.mjs, which started this process, was killed.
  process.once("disconnect", () => child.kill("SIGTERM"));
  child.on("message", (message: { type?: string; proxyPort?: number }) => {
    if (message.type !== "ready") return;
    live.send(`http://${host}:${message.proxyPort}`);
    process.send?.(message);
  });
  const code = await new Promise<number | null>((ended) => child.once("exit", ended));
  live.stop();
  return code ?? 1;
}
