import { startClusters } from "./clusters.ts";

/** vitest runs this once per project, all in one process: the first starts the servers, the last stops them. */
const shared = globalThis as typeof globalThis & {
  [KEY]?: { users: number; stop: Promise<() => Promise<void>> };
};
const KEY = Symbol.for("omnimeter.test.clusters");

export default async function setup(): Promise<() => Promise<void>> {
  shared[KEY] ??= { users: 0, stop: startClusters() };
  const clusters = shared[KEY];
  clusters.users++;
  const stop = await clusters.stop;
  return async () => {
    if (--clusters.users > 0) return;
    delete shared[KEY];
    await stop();
  };
}
