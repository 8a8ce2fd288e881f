import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Sql } from "postgres";
import { open } from "#db/connect.ts";
import { startEmbedded } from "#db/embedded.ts";
import { migrate } from "#db/migrate.ts";

/** A Postgres of one's own, for tests that stop or kill it. */
export interface Database {
  readonly url: string;
  readonly sql: Sql;
  readonly port: number;
  /** Of the postmaster, whose children do the work. */
  pid(): number;
  /** Stopped in order, or killed. */
  halt(how: "SIGTERM" | "SIGKILL"): Promise<void>;
  resume(): Promise<void>;
  restart(how: "SIGTERM" | "SIGKILL"): Promise<void>;
  stop(): Promise<void>;
}

/** In `dir`, which the server's user must be able to enter. */
export async function startDatabase(dir: string): Promise<Database> {
  let server = await startEmbedded({ dir, port: 0 });
  const { url, port } = server;
  await migrate(url);
  const sql = open(url, 3);
  const halt = async (how: "SIGTERM" | "SIGKILL") => {
    if (how === "SIGTERM") return server.stop();
    process.kill(postmaster(dir), "SIGKILL");
    await server.exited;
  };
  const resume = async () => {
    server = await startEmbedded({ dir, port });
  };
  return {
    url,
    sql,
    port,
    pid: () => postmaster(dir),
    halt,
    resume,
    async restart(how) {
      await halt(how);
      await resume();
    },
    async stop() {
      await sql.end({ timeout: 1 });
      await server.stop();
    },
  };
}

const postmaster = (dir: string): number =>
  Number(readFileSync(join(dir, "data", "postmaster.pid"), "utf8").split("\n", 1)[0]);
