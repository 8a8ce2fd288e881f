import { type ChildProcess, fork } from "node:child_process";
import type { Log } from "#lib/log.ts";
import { StartError } from "./start-error.ts";

export interface Part {
  /** Its port, when it has one. Rejects when it fails before it was ready for the first time. */
  readonly ready: Promise<number | undefined>;
  /** Lets it finish what it has begun; resolves when it is gone. */
  stop(): Promise<void>;
  /** At once. */
  kill(): void;
  /** Ends it and starts it again with a fresh environment. */
  restart(): void;
  /** Over its channel; one that is not running hears nothing. */
  tell(message: object): void;
}

interface Options {
  name: string;
  entry: string;
  cwd: string;
  /** Asked for at every start. */
  env: () => NodeJS.ProcessEnv;
  log: Log;
}

type Message = { type: "ready"; port?: number } | { type: "failed"; message: string };

const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 10_000;
/** Running this long makes up for earlier deaths. */
const STEADY_MS = 30_000;
/** A stream may be long, but whoever stops Omnimeter has a limit too (systemd: 90 s). */
const STOP_MS = 60_000;

/**
 * One child process. It says `ready` or `failed` over its channel, stops on SIGTERM, and exits by itself when the
 * channel closes. When it dies unasked it is started again, each time after a longer pause.
 */
export function startPart({ name, entry, cwd, env, log }: Options): Part {
  const { promise: ready, resolve, reject } = Promise.withResolvers<number | undefined>();
  const { promise: gone, resolve: setGone } = Promise.withResolvers<void>();
  let child: ChildProcess;
  let wasReady = false;
  let stopping = false;
  let pauseMs = FIRST_PAUSE_MS;
  let pause: NodeJS.Timeout | undefined;

  function run() {
    const startedAt = Date.now();
    let failure: string | null = null;
    // Its own process group: Ctrl-C in a terminal reaches the supervisor alone, which stops the parts in order.
    child = fork(entry, {
      cwd,
      env: env(),
      detached: true,
      execArgv: [],
      stdio: ["ignore", "inherit", "inherit", "ipc"],
    });
    child.on("message", (message: Message) => {
      if (message.type === "failed") failure = message.message;
      if (message.type !== "ready") return;
      wasReady = true;
      resolve(message.port);
    });
    child.once("error", (error) => ended(error.message));
    child.once("exit", (code, signal) => ended(failure ?? `it ended with ${signal ?? `exit code ${code}`}`));

    let over = false;
    function ended(why: string) {
      if (over) return;
      over = true;
      if (stopping) {
        reject(new StartError("part_failed", `The ${name} was stopped before it was ready.`));
        return setGone();
      }
      if (!wasReady) {
        stopping = true;
        setGone();
        const sentence = failure ?? `The ${name} could not start: ${why}; its messages stand above.`;
        return reject(new StartError("part_failed", sentence));
      }
      if (Date.now() - startedAt > STEADY_MS) pauseMs = FIRST_PAUSE_MS;
      log.warn(`The ${name} stopped unexpectedly (${why}); it is started again.`, { pauseMs });
      pause = setTimeout(run, pauseMs);
      pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
    }
  }

  run();
  // Whoever waits for it sees the rejection; a stop that comes first must not turn it into a crash.
  ready.catch(() => {});
  const isRunning = () => child.exitCode === null && child.signalCode === null && child.pid !== undefined;
  return {
    ready,
    async stop() {
      stopping = true;
      clearTimeout(pause);
      if (!isRunning()) return;
      child.kill("SIGTERM");
      const late = setTimeout(() => {
        log.warn(`The ${name} did not stop within ${STOP_MS / 1000} s and is ended.`);
        child.kill("SIGKILL");
      }, STOP_MS);
      await gone;
      clearTimeout(late);
    },
    kill() {
      stopping = true;
      clearTimeout(pause);
      if (isRunning()) child.kill("SIGKILL");
    },
    restart() {
      if (!stopping && isRunning()) child.kill("SIGTERM");
    },
    tell(message) {
      // One that dies at this moment learns it from its next environment.
      if (child.connected) child.send(message, () => {});
    },
  };
}
