import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path/posix";
import { expect, test } from "vitest";

// Who may import whom, as ARCHITECTURE.md says. A new line here is a decision: make it visible.

/** Files of a place may import these places (and their own). */
const MAY_IMPORT: Record<string, string[]> = {
  nouns: [],
  config: [],
  log: [],
  openai: ["nouns"],
  pricing: ["nouns"],
  templates: ["nouns"],
  quality: ["nouns"],
  privacy: ["nouns"],
  telemetry: ["nouns"],
  spool: ["nouns"],
  // What the proxy must know of the wire, and no more: it never decodes.
  proxy: [
    "nouns",
    "spool",
    "telemetry",
    "lib/openai/relay.ts",
    "lib/openai/include-usage.ts",
    "lib/openai/usage-chunk.ts",
    "lib/openai/message-text.ts",
    "config",
    "log",
  ],
  recorder: ["nouns", "spool", "openai", "pricing", "templates", "quality", "privacy", "telemetry", "config", "log"],
  // Where the recorder is put together, and only there, it gets its store.
  "recorder mains": [
    "recorder",
    "db",
    "nouns",
    "spool",
    "openai",
    "pricing",
    "templates",
    "quality",
    "privacy",
    "telemetry",
    "config",
    "log",
  ],
  // A company made up to be looked at: it plays clients and the upstream, and writes what the recorder would have written.
  demo: [
    "nouns",
    "openai",
    "pricing",
    "privacy",
    "recorder",
    "spool",
    "db",
    "supervisor",
    "lib/supervisor",
    "setup",
    "config",
    "log",
  ],
  setup: [],
  supervisor: ["config", "log", "setup", "lib/supervisor", "db/embedded.ts", "db/migrate.ts"],
  dashboard: ["config", "log", "nouns", "db/check-schema.ts"],
  db: ["nouns"],
  // A recorded call is written out as a request that can be sent again, or as a recording: only lib/openai may spell one.
  app: ["nouns", "config", "db", "privacy", "lib/openai/export/to-request.ts", "lib/openai/export/to-recording.ts"],
};

/** The entries of the recorder, and what they share. */
const RECORDER_MAINS = new Set([
  "main.ts",
  "rebuild.ts",
  "close-month.ts",
  "ask-retry.ts",
  "decode-again.ts",
  "prices.ts",
  "rerate.ts",
  "with-database.ts",
]);

/** Packages that only one place may use. */
const ONLY_IN: { package: RegExp; places: string[] }[] = [
  { package: /^drizzle-(orm|kit)(\/|$)/, places: ["db"] },
  { package: /^postgres$/, places: ["db"] },
  { package: /^recharts(\/|$)/, places: ["app/_charts"] },
  { package: /^@opentelemetry\//, places: ["telemetry"] },
  { package: /^(next|react|react-dom)(\/|$)/, places: ["app", "dashboard"] },
];

/** Passing the environment on to children, and tests: everybody else asks lib/config.ts. */
const MAY_READ_ENVIRONMENT =
  /^(lib\/config\.ts|lib\/setup\/|lib\/supervisor\/|lib\/start\.ts|lib\/demo\/demo\.ts|tests\/|vitest\.config\.ts)/;

const FOLDERS = "openai pricing templates quality privacy telemetry spool proxy recorder setup supervisor demo".split(
  " ",
);
const files = ["app", "db", "lib", "tests"].flatMap((top) =>
  readdirSync(top, { recursive: true, encoding: "utf8" })
    .map((name) => join(top, name.replaceAll("\\", "/")))
    .filter((name) => /\.(ts|tsx|mjs)$/.test(name)),
);
const sources = files.filter((name) => !name.startsWith("tests/"));

test("files import only from the places that theirs may import", () => {
  const wrong = sources.flatMap((file) => {
    const place = placeOf(file);
    const allowed = [place, ...(MAY_IMPORT[place] ?? [])];
    return importsOf(file)
      .filter(({ path }) => path !== null && !allowed.includes(path) && !allowed.includes(placeOf(path)))
      .map(({ specifier }) => `${file} (${place}) imports ${specifier}`);
  });
  expect(wrong).toEqual([]);
});

test.each(ONLY_IN)("$package is used in $places only", ({ package: pattern, places }) => {
  const wrong = sources.filter(
    (file) =>
      !places.some((place) => placeOf(file) === place || file.startsWith(`${place}/`)) &&
      importsOf(file).some(({ specifier, typeOnly }) => !typeOnly && pattern.test(specifier)),
  );
  expect(wrong).toEqual([]);
});

test("the store's own types stay out of everything but what writes and reads it", () => {
  const wrong = sources.filter(
    (file) =>
      !["db", "recorder mains", "app", "demo", "supervisor", "dashboard"].includes(placeOf(file)) &&
      importsOf(file).some(({ path }) => path?.startsWith("db/")),
  );
  expect(wrong).toEqual([]);
});

test("lib/config.ts is the only reader of the environment", () => {
  const wrong = files.filter((file) => !MAY_READ_ENVIRONMENT.test(file) && /process\.env\b/.test(codeOf(file)));
  expect(wrong).toEqual([]);
});

test("nothing but tests imports a test", () => {
  const wrong = sources.filter((file) => importsOf(file).some(({ path }) => path?.startsWith("tests/")));
  expect(wrong).toEqual([]);
});

function placeOf(file: string): string {
  const [top, second = "", third] = file.split("/");
  if (top === "db" || top === "app") return top;
  if (top !== "lib") return top ?? "";
  if (second === "recorder" && RECORDER_MAINS.has(third as string)) return "recorder mains";
  if (third !== undefined) return FOLDERS.includes(second) ? second : "nouns";
  if (second === "config.ts") return "config";
  if (second === "log.ts") return "log";
  if (second === "dashboard.ts") return "dashboard";
  if (second === "start.ts") return "supervisor";
  return "nouns";
}

interface Import {
  specifier: string;
  /** Ours, from the project's root; null for packages. */
  path: string | null;
  typeOnly: boolean;
}

function importsOf(file: string): Import[] {
  const code = codeOf(file);
  const statements = code.matchAll(
    /\b(?:import|export)\s+(type\s+)?(?:[\w*\s{},$]+?\s+from\s+)?["']([^"']+)["']|\bimport\(\s*["']([^"']+)["']/g,
  );
  return [...statements].map(([, type, fixed, dynamic]) => {
    const specifier = (fixed ?? dynamic) as string;
    const path = specifier.startsWith("#")
      ? specifier.slice(1)
      : specifier.startsWith(".")
        ? join(dirname(file), specifier)
        : null;
    return { specifier, path: path?.endsWith(".css") ? null : path, typeOnly: type !== undefined };
  });
}

/** Without comments, which may name anything. */
function codeOf(file: string): string {
  return readFileSync(file, "utf8").replace(/\/\*[\s\S]*?\*\/|(?<=^|\s)\/\/.*$/gm, "");
}
