import { chmodSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Major } from "#db/embedded/binaries.ts";
import { isAlive } from "#db/embedded/is-alive.ts";
import { type Embedded, startEmbedded } from "#db/embedded.ts";
import { migrate } from "#db/migrate.ts";
import { administer, clusterVariable, TEMPLATE } from "./postgres.ts";
import { temporaryFolder } from "./temporary-folder.ts";

/** 15 is the oldest that the store supports. Its binaries are in the tree for linux-x64 only. */
const MAJORS: Major[] = process.platform === "linux" && process.arch === "x64" ? [18, 15] : [18];
const PREFIX = "omnimeter-test-";
const FOLDER = temporaryFolder();

/** Starts the test servers that are not there yet; each vitest project and the browser tests share them. */
export async function startClusters(): Promise<() => Promise<void>> {
  sweep();
  const stops = await Promise.all(MAJORS.filter((major) => !process.env[clusterVariable(major)]).map(startCluster));
  return async () => {
    await Promise.all(stops.map((stop) => stop()));
  };
}

async function startCluster(major: Major): Promise<() => Promise<void>> {
  const dir = mkdtempSync(join(FOLDER, `${PREFIX}${process.pid}-`));
  // mkdtemp keeps everybody else out, and as root the server runs as another user.
  chmodSync(dir, 0o711);
  // Nothing here must survive a power cut.
  const settings = { fsync: "off", full_page_writes: "off", max_connections: "200", shared_buffers: "64MB" };
  const server = await startEmbedded({ dir, major, port: 0, settings });
  await makeTemplate(server);
  process.env[clusterVariable(major)] = server.url;
  return async () => {
    delete process.env[clusterVariable(major)];
    await server.stop();
    rmSync(dir, { recursive: true, force: true });
  };
}

async function makeTemplate(server: Embedded) {
  await administer(server.url, (admin) => admin.unsafe(`create database ${TEMPLATE}`));
  const url = new URL(server.url);
  url.pathname = `/${TEMPLATE}`;
  await migrate(url.href);
}

/** Folders of test runs that were killed. */
function sweep() {
  for (const name of readdirSync(FOLDER)) {
    const pid = Number(new RegExp(`^${PREFIX}(\\d+)-`).exec(name)?.[1]);
    if (pid && !isAlive(pid)) rmSync(join(FOLDER, name), { recursive: true, force: true });
  }
}
