import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium, type LaunchOptions } from "playwright";

/** What Playwright needs to launch it, and where it came from. */
export interface Browser {
  source: string;
  launchOptions: Pick<LaunchOptions, "executablePath" | "args" | "env">;
}

type Find = () => Browser | null | Promise<Browser | null>;

/** How tests/run.ts tells the browser tests what it has found. */
export const BROWSER_VARIABLE = "OMNIMETER_TEST_BROWSER";
const CACHE = fileURLToPath(new URL("../../node_modules/.cache/chromium", import.meta.url));
const LAUNCH_MS = 30_000;
const DOWNLOAD_MS = 180_000;

/** The first Chromium that really launches; one from npm needs neither a download site nor the machine's libraries. */
export async function findBrowser(): Promise<Browser> {
  const found = process.env[BROWSER_VARIABLE];
  if (found) return JSON.parse(found) as Browser;
  const tried: string[] = [];
  for (const find of [fromVariable, fromPlaywright, fromNpm, fromPath, fromDownload] satisfies Find[]) {
    const browser = await find();
    if (!browser) continue;
    const failure = await launchFailure(browser);
    if (!failure) return browser;
    tried.push(`${browser.source}: ${failure}`);
  }
  throw new Error(
    `No Chromium launches here (${tried.join("; ") || "none found"}): install one, or set CHROMIUM_PATH to its program.`,
  );
}

function fromVariable(): Browser | null {
  const path = process.env.CHROMIUM_PATH;
  return path ? { source: "CHROMIUM_PATH", launchOptions: { executablePath: path } } : null;
}

function fromPlaywright(): Browser | null {
  const path = chromium.executablePath();
  return existsSync(path) ? { source: "playwright install", launchOptions: { executablePath: path } } : null;
}

async function fromNpm(): Promise<Browser | null> {
  if (process.platform !== "linux" || process.arch !== "x64") return null;
  if (!existsSync(join(CACHE, "complete"))) await unpack();
  const libraries = [process.env.LD_LIBRARY_PATH, join(CACHE, "al2023", "lib")].filter(Boolean).join(delimiter);
  return {
    source: "npm",
    launchOptions: {
      executablePath: join(CACHE, "chromium"),
      // The package's own arguments hold --single-process: closing a context would end the browser.
      args: ["--headless=shell"],
      env: { ...definedEnv(), LD_LIBRARY_PATH: libraries, FONTCONFIG_FILE: join(CACHE, "fonts.conf") },
    },
  };
}

async function unpack() {
  mkdirSync(CACHE, { recursive: true });
  const { default: packed, inflate } = await import("@sparticuz/chromium");
  const bin = join(dirname(createRequire(import.meta.url).resolve("@sparticuz/chromium")), "..", "bin");
  const before = process.env.TMPDIR;
  // It unpacks into the temporary folder, under a fixed name that several users would share.
  process.env.TMPDIR = CACHE;
  try {
    await packed.executablePath(existsSync(bin) ? bin : undefined);
    // libnss3 and its like, for machines without them.
    await inflate(join(bin, "al2023.tar.br"));
  } finally {
    if (before === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = before;
  }
  // The fonts.conf inside points to a fixed folder; without fonts a bare machine shows no text at all.
  const folders = ["/usr/share/fonts", join(CACHE, "fonts")].map((dir) => `<dir>${dir}</dir>`).join("");
  writeFileSync(
    join(CACHE, "fonts.conf"),
    `<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd"><fontconfig>${folders}<cachedir>${join(CACHE, "fontcache")}</cachedir></fontconfig>`,
  );
  writeFileSync(join(CACHE, "complete"), "");
}

function fromPath(): Browser | null {
  const folders = (process.env.PATH ?? "").split(delimiter);
  for (const name of ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"])
    for (const folder of folders)
      if (existsSync(join(folder, name)))
        return { source: name, launchOptions: { executablePath: join(folder, name) } };
  return null;
}

function fromDownload(): Browser | null {
  const cli = join(dirname(createRequire(import.meta.url).resolve("playwright/package.json")), "cli.js");
  spawnSync(process.execPath, [cli, "install", "chromium"], {
    stdio: "ignore",
    timeout: DOWNLOAD_MS,
    env: { ...process.env, PLAYWRIGHT_DOWNLOAD_CONNECTION_TIMEOUT: "5000" },
  });
  return fromPlaywright();
}

async function launchFailure({ launchOptions }: Browser): Promise<string | null> {
  try {
    const browser = await chromium.launch({ ...launchOptions, timeout: LAUNCH_MS });
    await browser.close();
    return null;
  } catch (error) {
    return String(error).split("\n")[0] ?? "";
  }
}

const definedEnv = () =>
  Object.fromEntries(Object.entries(process.env).flatMap(([k, v]) => (v === undefined ? [] : [[k, v]])));
