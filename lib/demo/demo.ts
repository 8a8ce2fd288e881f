import { fileURLToPath } from "node:url";
import { runDemo } from "./run-demo.ts";

await runDemo({
  start: fileURLToPath(new URL("../start.ts", import.meta.url)),
  words: process.argv.slice(2),
  env: process.env,
  calls: 60_000,
  days: 60,
});
