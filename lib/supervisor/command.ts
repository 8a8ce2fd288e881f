import { type Config, readConfig } from "#lib/config.ts";
import { help } from "./help.ts";
import { type Parts, startOmnimeter } from "./omnimeter.ts";
import { summary } from "./summary.ts";

/** npm passes a Ctrl-C on to a process that the terminal has told already: only a later one is a second one. */
const SAME_SIGNAL_MS = 500;

/** `npm start`: says in the end where everything is, stops on a signal, and says in one sentence what is wrong. */
export async function command(parts: Parts): Promise<void> {
  if (process.argv.slice(2).some((word) => word === "--help" || word === "-h")) {
    process.stdout.write(help());
    return;
  }
  let config: Config;
  try {
    config = readConfig();
  } catch (error) {
    return fail(error);
  }
  const omnimeter = startOmnimeter(config, parts, process.env);
  let stopping = false;
  const stop = async () => {
    stopping = true;
    process.stderr.write("Stopping …\n");
    await omnimeter.stop();
    process.exit(0);
  };
  const end = () => {
    omnimeter.kill();
    process.exit(0);
  };
  onSignal(() => stop().catch(fail), end);
  try {
    const ports = await omnimeter.ready;
    process.stdout.write(summary(config, ports));
    process.send?.({ type: "ready", port: ports.proxyPort, ...ports });
  } catch (error) {
    // Whoever stops a start that is under way is not told that it failed.
    if (stopping) return;
    await omnimeter.stop();
    fail(error);
  }
}

function onSignal(first: () => void, second: () => void) {
  let firstAt = 0;
  const act = () => {
    if (!firstAt) {
      firstAt = Date.now();
      first();
    } else if (Date.now() - firstAt > SAME_SIGNAL_MS) second();
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, act);
  // lib/setup/run.mjs, which started this process, was killed.
  if (process.channel) process.once("disconnect", act);
}

function fail(error: unknown): void {
  const known = error instanceof Error && "code" in error && typeof error.code === "string";
  const text = known ? error.message : error instanceof Error ? error.stack : String(error);
  process.stderr.write(`${text}\n`, () => process.exit(1));
}
