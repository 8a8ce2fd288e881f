import { execFile } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { decodeRecording } from "#lib/recorder/decode-files.ts";
import { parseRecording } from "#lib/recorder/from-recording.ts";
import { RECORDED_COSTS, type RecordedCost } from "./recorded-costs.ts";

const FOLDER = join(import.meta.dirname, "../../../shared/recordings");
const hasRecordings = existsSync(FOLDER);
if (!hasRecordings) console.log("skipped: ../shared is not here");

interface Line {
  id: string;
  cost_usd: string | null;
  usage_source?: string;
  usage?: Record<string, number>;
  lines?: {
    direction: string;
    unit: string;
    quantity: number;
    cost_usd: string | null;
    unit_price_usd: string | null;
  }[];
  responses?: Line[];
  transcriptions?: Line[];
}

describe("costs by hand", () => {
  test.each(RECORDED_COSTS.filter(({ how }) => how.includes("×")))("$id: $how = $usd", ({ how, usd }) => {
    expect(multiplied(how)).toBe(usd);
  });
});

describe.skipIf(!hasRecordings)("every recording costs what was worked out by hand, to the last digit", async () => {
  const decoded = new Map<string, Line>();
  for (const id of hasRecordings ? recordingIds() : []) {
    const text = readFileSync(join(FOLDER, `${id}.json`), "utf8");
    decoded.set(id, (await decodeRecording(parseRecording(text))) as Line);
  }

  test.each(RECORDED_COSTS)("$id", ({ id, source, usd }) => {
    const [file = "", part] = id.split("#");
    const whole = decoded.get(file) as Line;
    const line =
      part === undefined
        ? whole
        : [...(whole.responses ?? []), ...(whole.transcriptions ?? [])].find((one) => one.id === part);
    expect(line?.cost_usd).toBe(usd);
    if (isUsed(source)) expect(line?.usage_source).toBe(source);
    if (usd !== null && part === undefined && isUsed(source)) expect(sumOfLines(line as Line)).toBe(usd);
  });

  test("and no recording is missing in the table", () => {
    const named = new Set(RECORDED_COSTS.map(({ id }) => id.split("#")[0]));
    // A session without an answer costs nothing, and has no row.
    expect([...decoded.keys()].filter((id) => !named.has(id))).toEqual([]);
  });
});

const isUsed = (source: RecordedCost["source"]) =>
  source === "reported" || source === "estimated" || source === "measured";

function recordingIds(): string[] {
  return readdirSync(FOLDER, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .flatMap(({ name }) => readdirSync(join(FOLDER, name)).map((file) => `${name}/${file.replace(/\.json$/, "")}`));
}

const PER: Readonly<Record<string, bigint>> = { "1M": 1_000_000n, "1k": 1000n, "60": 60n, "1": 1n };
const DIGITS = 18;

/** `q × usd/per + …`, exactly. Twelve decimals are more than any of these needs, but for thirds. */
function multiplied(how: string): string {
  const scale = 10n ** BigInt(DIGITS);
  const sum = how.split(" + ").reduce((total, term) => {
    const [, quantity = "", usd = "", per = ""] = /^(\d+) × (\d+(?:\.\d+)?)\/(\w+)$/.exec(term) ?? [];
    const [whole = "", fraction = ""] = usd.split(".");
    const price = BigInt(whole + fraction) * 10n ** BigInt(DIGITS - fraction.length);
    return total + (BigInt(quantity) * price) / (PER[per] as bigint);
  }, 0n);
  const text = (sum / scale).toString();
  const rest = (sum % scale).toString().padStart(DIGITS, "0").replace(/0+$/, "");
  return rest === "" ? text : `${text}.${rest}`;
}

function sumOfLines({ lines = [] }: Line): string {
  const scale = 12;
  const sum = lines.reduce((total, { cost_usd }) => {
    const [whole = "0", fraction = ""] = (cost_usd ?? "0").split(".");
    return total + BigInt(whole + fraction.padEnd(scale, "0"));
  }, 0n);
  const text = sum.toString().padStart(scale + 1, "0");
  const rest = text.slice(-scale).replace(/0+$/, "");
  return rest === "" ? text.slice(0, -scale) : `${text.slice(0, -scale)}.${rest}`;
}

describe("npm run decode", () => {
  test("prints a line per file of a folder, a sentence for what is no recording, and ends with 1 then", async () => {
    const folder = mkdtempSync(join(tmpdir(), "decode-"));
    mkdirSync(join(folder, "deeper"));
    write(join(folder, "a.json"), CHAT);
    write(join(folder, "deeper/b.json"), { ...CHAT, id: "second" });
    write(join(folder, "index.json"), []);
    writeFileSync(join(folder, "broken.json"), "{");
    write(join(folder, "other.json"), { format: "openai-recording/1", id: "x", kind: "sms" });
    const { code, stdout, stderr } = await run(folder);
    expect(code).toBe(1);
    expect(stdout.map(({ id, cost_usd }) => [id, cost_usd])).toEqual([
      ["chat", "0.000045"],
      ["second", "0.000045"],
    ]);
    expect(stderr).toMatch(/broken\.json: it is not JSON/);
    expect(stderr).toMatch(/other\.json: it needs "kind": "http" with a request, or "kind": "realtime" with events/);
  });

  test("says how it is used when nothing is named, and what cannot be read", async () => {
    expect(await run()).toMatchObject({ code: 2, stderr: expect.stringContaining("npm run -s decode -- FILE|DIR") });
    expect(await run("/nowhere/at/all")).toMatchObject({
      code: 1,
      stderr: "/nowhere/at/all: cannot be read (ENOENT)\n",
    });
  });
});

test("a call shows what it used, by which price, and nothing that is not known", async () => {
  const line = await decodeRecording(parseRecording(JSON.stringify(CHAT)));
  expect(line).toEqual({
    id: "chat",
    endpoint: "chat_completions",
    model: "gpt-4o-2024-11-20",
    status: 200,
    outcome: "completed",
    usage: { input_tokens: 12, output_tokens: 2, total_tokens: 14, input_cached_tokens: 4 },
    usage_source: "reported",
    lines: [
      priced("input", "none", 8, "0.0000025", "0.00002"),
      priced("input", "read", 4, "0.00000125", "0.000005"),
      priced("output", "none", 2, "0.00001", "0.00002"),
    ].map((one) => (one.cost_usd === "0.000005" ? { ...one, price: expect.stringContaining("/read/") } : one)),
    cost_usd: "0.000045",
    tool_calls: [],
    finish_reasons: ["stop"],
    problems: [],
  });
});

test("a realtime response: text in 313, audio in 476, cached 640 (256 + 384), text out 9, audio out 23 is $0.007585", async () => {
  const session = { type: "realtime", id: "sess_1", model: "gpt-4o-realtime-preview-2024-12-17" };
  const usage = {
    total_tokens: 821,
    input_tokens: 789,
    output_tokens: 32,
    input_token_details: {
      text_tokens: 313,
      audio_tokens: 476,
      cached_tokens: 640,
      cached_tokens_details: { text_tokens: 256, audio_tokens: 384 },
    },
    output_token_details: { text_tokens: 9, audio_tokens: 23 },
  };
  const response = { id: "resp_1", status: "completed", output: [], usage };
  const events = [
    { from: "server", event: { type: "session.created", session } },
    { from: "client", event: { type: "response.create" } },
    { from: "server", event: { type: "response.created", response: { id: "resp_1" } } },
    { from: "server", event: { type: "response.done", response } },
  ];
  const recording = { ...HEAD, id: "voice", kind: "realtime", connection: { path: "/v1/realtime?model=x" }, events };
  const line = (await decodeRecording(parseRecording(JSON.stringify(recording)))) as Line;
  expect(line.cost_usd).toBe("0.007585");
  expect(line.responses?.map(({ id, cost_usd }) => [id, cost_usd])).toEqual([["resp_1", "0.007585"]]);
});

const HEAD = { format: "openai-recording/1", recorded_at: "2026-11-01T12:00:00Z" };

const CHAT = {
  ...HEAD,
  id: "chat",
  kind: "http",
  request: {
    method: "POST",
    path: "/v1/chat/completions",
    body_encoding: "json",
    body: { model: "gpt-4o", messages: [{ role: "user", content: "Say hello." }] },
  },
  response: {
    status: 200,
    headers: { "content-type": "application/json" },
    body_encoding: "json",
    body: {
      id: "chatcmpl-1",
      model: "gpt-4o-2024-11-20",
      choices: [{ index: 0, message: { role: "assistant", content: "Hello." }, finish_reason: "stop" }],
      usage: {
        prompt_tokens: 12,
        completion_tokens: 2,
        total_tokens: 14,
        prompt_tokens_details: { cached_tokens: 4 },
      },
    },
  },
};

const priced = (direction: string, cache: string, quantity: number, unit_price_usd: string, cost_usd: string) => ({
  direction,
  modality: "text",
  cache,
  unit: "token",
  quantity,
  unit_price_usd,
  cost_usd,
  price: `gpt-4o-2024-11-20/${direction}/text/${cache}/standard/token@2024-11-20`,
});

const write = (path: string, value: unknown) => writeFileSync(path, JSON.stringify(value));

async function run(...paths: string[]): Promise<{ code: number; stdout: Line[]; stderr: string }> {
  const args = ["lib/recorder/decode-files.ts", ...paths];
  const done = await promisify(execFile)(process.execPath, args).catch((error) => error);
  const { code = 0, stdout, stderr } = done as { code?: number; stdout: string; stderr: string };
  return {
    code,
    stdout: stdout
      .split("\n")
      .filter(Boolean)
      .map((line: string) => JSON.parse(line) as Line),
    stderr,
  };
}
