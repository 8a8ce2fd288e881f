import { fileURLToPath } from "node:url";
import { command } from "#lib/supervisor/command.ts";

// What the demo starts: the real recorder and proxy, a small dashboard, and nothing to build.
const root = fileURLToPath(new URL("../../", import.meta.url));

await command({
  root,
  recorder: `${root}lib/recorder/main.ts`,
  proxy: `${root}lib/proxy/main.ts`,
  dashboard: `${root}tests/start/stand-in-dashboard.ts`,
  build: async () => {},
});
