import { appendFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { readConfig } from "#lib/config.ts";

/** Keeps the contract of a part, and writes what happens to it into the file of OMNIMETER_TEST_EVENTS. */
export function standIn(name: "recorder" | "proxy" | "dashboard", port?: number): void {
  const note = (what: string) => appendFileSync(process.env.OMNIMETER_TEST_EVENTS as string, `${name} ${what}\n`);
  const failing = process.env.OMNIMETER_TEST_FAIL === name;
  if (failing) {
    process.send?.({ type: "failed", message: `The ${name} has a reason.` }, () => process.exit(1));
    return;
  }
  const stop = (how: string) => {
    note(how);
    process.exit(0);
  };
  const slow = process.env.OMNIMETER_TEST_SLOW_STOP === name;
  process.once("SIGTERM", () => setTimeout(stop, slow ? 60_000 : 30, "stopped"));
  process.once("disconnect", () => stop("left alone"));
  note(`pid ${process.pid} database ${process.env.DATABASE_URL ? "known" : "unknown"}`);
  note(`key ${process.env.OMNIMETER_JOIN_CALLS_KEY ?? "unknown"}`);
  process.on("message", (message) => note(`told ${JSON.stringify(message)}`));
  const server = createServer((_request, response) => response.end(process.env.DATABASE_URL ?? ""));
  server.listen(port ?? 0, readConfig().host, () => {
    process.send?.({ type: "ready", ...(port === undefined ? {} : { port: (server.address() as AddressInfo).port }) });
  });
}
