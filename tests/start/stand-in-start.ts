import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { command } from "#lib/supervisor/command.ts";

// The real start with small parts in place of recorder, proxy and dashboard, and no dashboard to build.
const part = fileURLToPath(new URL("stand-in-part.ts", import.meta.url));
const named = (name: string) => part.replace("stand-in-part", `stand-in-${name}`);

await command({
  root: fileURLToPath(new URL("../../", import.meta.url)),
  recorder: named("recorder"),
  proxy: named("proxy"),
  dashboard: named("dashboard"),
  build: (signal) => sleep(Number(process.env.OMNIMETER_TEST_BUILD_MS ?? 0), undefined, { signal }),
});
