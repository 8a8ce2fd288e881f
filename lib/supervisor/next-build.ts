import { createRequire } from "node:module";

// `next build` in a process group of its own that goes when whoever started it goes: a build that outlives a killed
// start would write into the folder in which the next start builds.
process.once("disconnect", () => process.kill(-process.pid, "SIGKILL"));
process.channel?.unref();

const bin = createRequire(import.meta.url).resolve("next/dist/bin/next");
process.argv = [process.execPath, bin, "build"];
await import(bin);
