import { fileURLToPath } from "node:url";
import { buildDashboard } from "./supervisor/build-dashboard.ts";
import { command } from "./supervisor/command.ts";

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));
const root = path("../");

await command({
  root,
  recorder: path("recorder/main.ts"),
  proxy: path("proxy/main.ts"),
  dashboard: path("dashboard.ts"),
  build: (signal) => buildDashboard({ root, signal }),
});
