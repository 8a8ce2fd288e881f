import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { ListeningSocket } from "./listening-socket.ts";
import type { Farewell, FromWorker, ToWorker, WorkerTally } from "./messages.ts";

export interface Workers {
  /** Replaces every worker by a new one that listens before it is told to leave. Does nothing while one is on its way. */
  replace(): void;
  gather(): Promise<WorkerTally[]>;
  say(worker: ChildProcess, message: ToWorker): void;
  /** Calls in flight finish. Resolves when all are gone. */
  stop(farewell: Farewell): Promise<void>;
  kill(): void;
}

interface Options {
  count: number;
  socket: ListeningSocket;
  /** How those leave that were replaced: nobody waits for them. */
  retirement: Farewell;
  /** As many listen as there should be, for the first time. */
  onReady(): void;
  /** They cannot listen. */
  onFailed(why: { code: string; message: string }): void;
  onMetrics(worker: ChildProcess): void;
  log(message: string): void;
}

interface Worker {
  /** Names its spool; free again when it is gone. */
  number: number;
  /** From 0 to `count`: which connections are its own. A successor takes it over. */
  place: number;
  child: ChildProcess;
  /** starting → listening → leaving; any of them → gone */
  state: "starting" | "listening" | "leaving";
  /** The one that it is to replace. */
  replaces: Worker | null;
}

const WORKER = fileURLToPath(new URL("worker.ts", import.meta.url));
const RESTART_MS = 50;
/** Workers that die one after the other without ever listening: something is wrong that another try does not mend. */
const FAILED_STARTS_MAX = 5;
/** A worker that does not answer within this is left out of the metrics. */
const TALLY_MS = 250;

/** The worker processes: as many as wanted, each accepting connections of the one port, and a new one for each that dies. */
export function startWorkers(options: Options): Workers {
  const { count, socket } = options;
  const workers = new Set<Worker>();
  let toReplace: Worker[] = [];
  let announced = false;
  let failedStarts = 0;
  let stopping = false;
  const { promise: gone, resolve: setGone } = Promise.withResolvers<void>();

  for (let place = 0; place < count; place++) start(place, null);
  return {
    replace() {
      // The last one may be on its way while nobody is left to replace: asked again, it would be replaced beside its predecessor.
      const underWay =
        toReplace.length > 0 || [...workers].some(({ state, replaces }) => state === "starting" && replaces);
      if (stopping || !announced || underWay) return;
      // Who still drains since the last time has had its time.
      for (const one of workers) if (one.state === "leaving") tell(one, { ...options.retirement, drainMs: 0 });
      toReplace = [...workers].filter(({ state }) => state !== "leaving");
      replaceNext();
    },
    gather,
    say,
    async stop(farewell) {
      stopping = true;
      for (const one of workers) tell(one, farewell);
      if (workers.size > 0) await gone;
    },
    kill() {
      stopping = true;
      for (const { child } of workers) child.kill("SIGKILL");
    },
  };

  function start(place: number, replaces: Worker | null) {
    const number = lowestFree();
    const child = fork(WORKER, [String(number)], { stdio: ["ignore", "inherit", "inherit", "ipc"] });
    const worker: Worker = { number, place, child, state: "starting", replaces };
    workers.add(worker);
    // One per request for the figures that is being answered.
    child.setMaxListeners(0);
    child.on("message", (message: FromWorker) => {
      if (message.type === "listening") listens(worker);
      if (message.type === "failed") failed(worker, message);
      if (message.type === "metrics") options.onMetrics(child);
    });
    child.on("exit", () => exited(worker));
    // It may die before it takes the socket: then it has exited, and that is heard.
    child.send({ type: "listen" } satisfies ToWorker, socket.handleOf(place) as never, () => {});
  }

  function lowestFree(): number {
    const taken = new Set([...workers].map(({ number }) => number));
    let number = 0;
    while (taken.has(number)) number++;
    return number;
  }

  function listens(worker: Worker) {
    if (worker.state !== "starting") return;
    worker.state = "listening";
    failedStarts = 0;
    if (worker.replaces) {
      tell(worker.replaces, options.retirement);
      replaceNext();
    }
    if (announced || [...workers].filter(({ state }) => state === "listening").length < count) return;
    announced = true;
    options.onReady();
  }

  function replaceNext() {
    const next = toReplace[0];
    if (!next || stopping) return;
    toReplace = toReplace.slice(1);
    // Died meanwhile: it has a successor already.
    if (!workers.has(next)) return replaceNext();
    start(next.place, next);
  }

  function failed(worker: Worker, why: { code: string; message: string }) {
    if (!worker.replaces) return options.onFailed(why);
    options.log(`a worker could not be replaced and stays: ${why.message}`);
    worker.child.kill("SIGKILL");
  }

  function exited(worker: Worker) {
    workers.delete(worker);
    if (stopping) {
      if (workers.size === 0) setGone();
      return;
    }
    if (worker.state === "leaving") return;
    if (worker.state === "starting") {
      // A code that does not start must not be tried on all of them.
      if (worker.replaces && workers.has(worker.replaces)) {
        options.log("a new worker died before it listened: the old ones stay");
        toReplace = [];
        return;
      }
      if (++failedStarts >= FAILED_STARTS_MAX)
        return options.onFailed({ code: "", message: "its worker dies before it listens; see above." });
    }
    // The one that is on its way to replace it takes its place.
    if ([...workers].some(({ state, replaces }) => state === "starting" && replaces === worker)) return;
    setTimeout(
      () => {
        if (!stopping) start(worker.place, null);
      },
      failedStarts === 0 ? 0 : RESTART_MS * 2 ** failedStarts,
    );
  }

  function gather(): Promise<WorkerTally[]> {
    const asked = [...workers].map(
      ({ child }) =>
        new Promise<WorkerTally | null>((resolve) => {
          const timer = setTimeout(() => done(null), TALLY_MS);
          const done = (tally: WorkerTally | null) => {
            clearTimeout(timer);
            child.off("message", listen);
            resolve(tally);
          };
          const listen = (message: FromWorker) => message.type === "tally" && done(message.tally);
          child.on("message", listen);
          say(child, { type: "tally" });
        }),
    );
    return Promise.all(asked).then((all) => all.filter((one) => one !== null));
  }

  function tell(worker: Worker, farewell: Farewell) {
    worker.state = "leaving";
    say(worker.child, { type: "stop", ...farewell });
  }

  /** A worker may die between the question and the send: what cannot be said to it need not be said. */
  function say(child: ChildProcess, message: ToWorker) {
    if (child.connected) child.send(message, () => {});
  }
}
