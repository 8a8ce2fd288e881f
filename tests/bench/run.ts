import { appendFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { run } from "#tests/support/process.ts";
import { benchEndToEnd, type EndToEndResult } from "./end-to-end.ts";
import { benchPages, type PagesResult } from "./pages.ts";
import { benchProxy, type ProxyResult } from "./proxy.ts";
import { benchRealtime, type RealtimeResult } from "./realtime.ts";
import { benchRecorder, type RecorderResult } from "./recorder.ts";
import { benchStreams, type StreamsResult } from "./streams.ts";
import { startFloor, startProduct } from "./targets.ts";

/**
 * npm run bench -- [--only proxy,realtime,recorder,end-to-end,pages] [--json] [--keep] [--rounds 7]
 *   proxy:       [--scenario json|sse|latency|streams] [--profile folder]
 *   realtime:    [--profile folder]
 *   recorder:    [--spooled 40000]
 *   end-to-end:  [--rate 2000] [--seconds 20]
 *   pages:       [--database URL] [--calls 10000000]
 * With --json the last line is the result; with --keep it is added to RESULTS.md as well.
 */
const { values } = parseArgs({
  options: {
    only: { type: "string", default: "proxy,realtime,recorder,end-to-end,pages" },
    json: { type: "boolean" },
    keep: { type: "boolean" },
    rounds: { type: "string" },
    scenario: { type: "string" },
    profile: { type: "string" },
    spooled: { type: "string", default: "40000" },
    rate: { type: "string", default: "2000" },
    seconds: { type: "string", default: "20" },
    database: { type: "string" },
    calls: { type: "string", default: "10000000" },
  },
});
/** What was measured, what it is compared with, the result, and the goal of the architecture. */
type Row = readonly [what: string, own: string, other: string, result: string, goal: string];
interface Part {
  name: string;
  result: object;
  rows: Row[];
}

const say = (line: string) => console.error(line);
const PARTS: Record<string, () => Promise<Part>> = { proxy, realtime, recorder, "end-to-end": endToEnd, pages };
const wanted = values.only.split(",");
const unknown = wanted.filter((name) => !(name in PARTS));
if (unknown.length) {
  console.error(`There is no ${unknown.join(", ")}: --only takes ${Object.keys(PARTS).join(", ")}.`);
  process.exit(2);
}
const done: Part[] = [];
for (const name of wanted) done.push(await (PARTS[name] as () => Promise<Part>)());
const table = tableOf(done.flatMap(({ rows }) => rows));
console.log(table);
if (values.keep) appendFileSync(join(import.meta.dirname, "RESULTS.md"), `\n${table}`);
if (values.json) console.log(JSON.stringify(Object.fromEntries(done.map(({ name, result }) => [name, result]))));

async function proxy(): Promise<Part> {
  const { scenario, profile } = values;
  const only = scenario === "streams" ? null : await benchProxy({ rounds: rounds(7), only: scenario, profile }, say);
  const streams = !scenario || scenario === "streams" ? await streamsOf() : null;
  return {
    name: "proxy",
    result: { ...only, ...(streams && { streams1000: streams.product, floorStreams1000: streams.floor }) },
    rows: [...(only ? proxyRows(only) : []), ...(streams ? streamRows(streams) : [])],
  };
}

interface BothStreams {
  floor: StreamsResult;
  product: StreamsResult;
}

async function streamsOf(): Promise<BothStreams> {
  const upstream = await run("tests/bench/upstream.ts", {});
  const url = `http://127.0.0.1:${upstream.port}`;
  const targets = { floor: await startFloor(url), product: await startProduct(url) };
  try {
    const floor = await benchStreams(targets.floor);
    const product = await benchStreams(targets.product);
    say(`1,000 streams: ${JSON.stringify({ floor, product })}`);
    return { floor, product };
  } finally {
    await Promise.all([targets.floor, targets.product, upstream].map((one) => one.stop()));
  }
}

async function realtime(): Promise<Part> {
  const result = await benchRealtime({ rounds: rounds(7), profile: values.profile }, say);
  return { name: "realtime", result, rows: realtimeRows(result) };
}

async function recorder(): Promise<Part> {
  const result = await benchRecorder({ calls: Number(values.spooled), rounds: rounds(3) }, say);
  return { name: "recorder", result, rows: recorderRows(result) };
}

async function endToEnd(): Promise<Part> {
  const result = await benchEndToEnd({ callsPerSecond: Number(values.rate), seconds: Number(values.seconds) }, say);
  return { name: "endToEnd", result, rows: endToEndRows(result) };
}

async function pages(): Promise<Part> {
  const { database, calls } = values;
  const result = await benchPages({ database, calls: Number(calls), rounds: rounds(20) }, say);
  return { name: "pages", result, rows: pagesRows(result) };
}

function rounds(usual: number): number {
  return Number(values.rounds ?? usual);
}

function proxyRows({ json, sse, sseAsked, portkey, added }: ProxyResult): Row[] {
  const cpu = (what: string, own: number, other: number, ratio: number, goal: string): Row[] =>
    Number.isNaN(ratio) ? [] : [[what, `${own} µs`, `${other} µs`, `${ratio}×`, goal]];
  return [
    ...cpu("JSON call, 32 connections, CPU", json.cpuUsPerCall, json.floorCpuUsPerCall, json.ratio, "≤ 1.3×"),
    ...cpu(
      "200-chunk stream, usage asked for by the product, CPU",
      sse.cpuUsPerCall,
      sse.floorCpuUsPerCall,
      sse.ratio,
      "≤ 1.1×",
    ),
    ...cpu(
      "the same, when the client asks for usage itself",
      sseAsked.cpuUsPerCall,
      sseAsked.floorCpuUsPerCall,
      sseAsked.ratio,
      "",
    ),
    ...cpu(
      "JSON call against Portkey's gateway, CPU",
      json.cpuUsPerCall,
      portkey.cpuUsPerCall,
      portkey.ratio,
      "≤ 0.2×",
    ),
    ...added
      .filter(({ p50 }) => !Number.isNaN(p50))
      .flatMap(({ connections, p50, p99, floorP50, floorP99 }): Row[] => [
        [`added latency p50, ${connections} connection(s)`, "", `${floorP50} ms`, `+${p50} ms`, "≤ 0.2 ms"],
        [`added latency p99, ${connections} connection(s)`, "", `${floorP99} ms`, `+${p99} ms`, "≤ 1 ms"],
      ]),
  ];
}

function streamRows({ floor, product }: BothStreams): Row[] {
  return [
    ["1,000 streams at once, memory", `${product.rssMb} MB`, `${floor.rssMb} MB`, `+${product.growthMb} MB`, "flat"],
    ["1,000 streams at once, stalls", `${product.stalls}`, `${floor.stalls}`, "", "0"],
  ];
}

function realtimeRows({ cpuUsPerFrame, floorCpuUsPerFrame, ratio, sessions500 }: RealtimeResult): Row[] {
  const { rssMb, floorRssMb, stalls } = sessions500;
  return [
    [
      "realtime, frame relayed, CPU, against a bare ws relay",
      `${cpuUsPerFrame} µs`,
      `${floorCpuUsPerFrame} µs`,
      `${ratio}×`,
      "",
    ],
    ["realtime, 500 sessions, memory", `${rssMb} MB`, `${floorRssMb} MB`, `${stalls} stalls`, "0 stalls"],
  ];
}

function recorderRows({ callsPerSecond, callsPerSecondFull, cpuUsPerCall: { facts, full } }: RecorderResult): Row[] {
  return [
    ["recorder, facts only", `${callsPerSecond}/s`, "", costs(facts), "≥ 10,000/s"],
    ["recorder, with content", `${callsPerSecondFull}/s`, "", costs(full), "≥ 3,000/s"],
  ];
}

function costs({ recorder: own, postgres }: { recorder: number; postgres: number }): string {
  return `${own} µs of its own and ${postgres} µs of Postgres a call`;
}

function endToEndRows({ callsPerSecond, seconds, lagSecondsAtEnd, lost, doubled }: EndToEndResult): Row[] {
  return [
    [`end to end for ${seconds} s`, `${callsPerSecond}/s`, "", `${lost} lost, ${doubled} doubled`, "≥ 2,000/s"],
    ["end to end, stored behind the last answer", `${lagSecondsAtEnd} s`, "", "", "≤ 2 s"],
  ];
}

function pagesRows({ calls, rollupP95Ms, otherP95Ms24h, otherP95Ms90d, slowest }: PagesResult): Row[] {
  return [
    [`queries that rollups serve, ${calls} calls, p95`, `${rollupP95Ms} ms`, "", "", "≤ 100 ms"],
    ["other filters, 24 h, p95", `${otherP95Ms24h} ms`, "", "", "≤ 1 s"],
    ["other filters, 90 days, p95", `${otherP95Ms90d} ms`, "", `${slowest.query}, ${slowest.range}`, "≤ 3 s"],
  ];
}

function tableOf(rows: Row[]): string {
  const machine = `${cpus().length} × ${cpus()[0]?.model.trim()}, Node ${process.versions.node}`;
  return [
    `### ${new Date().toISOString().slice(0, 16).replace("T", " ")} UTC, ${machine}`,
    "",
    "| what | Omnimeter | compared with | result | goal |",
    "| --- | --- | --- | --- | --- |",
    ...rows.map((row) => `| ${row.join(" | ")} |`),
    "",
  ].join("\n");
}
