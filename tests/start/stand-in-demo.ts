import { fileURLToPath } from "node:url";
import { runDemo } from "#lib/demo/run-demo.ts";

// The real demo, small, on a start without a dashboard to build.
await runDemo({
  start: fileURLToPath(new URL("stand-in-demo-start.ts", import.meta.url)),
  words: process.argv.slice(2),
  env: process.env,
  calls: 600,
  days: 10,
});
