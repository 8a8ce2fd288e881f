import { appendFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { benchProxy, type ProxyResult } from "./proxy.ts";

/**
 * npm run bench -- [--json] [--keep] [--rounds 7] [--only proxy] [--scenario json|sse|latency] [--profile folder]
 * With --json the last line is the result; with --keep it is added to RESULTS.md as well.
 */
const { values } = parseArgs({
  options: {
    json: { type: "boolean" },
    keep: { type: "boolean" },
    rounds: { type: "string" },
    only: { type: "string" },
    scenario: { type: "string" },
    profile: { type: "string" },
  },
});

const say = (line: string) => console.error(line);
const rounds = Number(values.rounds ?? 7);
const proxy = await benchProxy({ rounds, only: values.scenario, profile: values.profile }, say);
const table = tableOf(proxy);
console.log(table);
if (values.keep) appendFileSync(join(import.meta.dirname, "RESULTS.md"), `\n${table}`);
if (values.json) console.log(JSON.stringify({ proxy }));

function tableOf({ json, sse, sseAsked, portkey, added }: ProxyResult): string {
  const machine = `${cpus().length} × ${cpus()[0]?.model.trim()}, Node ${process.versions.node}`;
  const rows = [
    [
      "JSON call, 32 connections, CPU",
      `${json.cpuUsPerCall} µs`,
      `${json.floorCpuUsPerCall} µs`,
      `${json.ratio}×`,
      "≤ 1.3×",
    ],
    [
      "200-chunk stream, usage asked for by the product, CPU",
      `${sse.cpuUsPerCall} µs`,
      `${sse.floorCpuUsPerCall} µs`,
      `${sse.ratio}×`,
      "≤ 1.1×",
    ],
    [
      "the same, when the client asks for usage itself",
      `${sseAsked.cpuUsPerCall} µs`,
      `${sseAsked.floorCpuUsPerCall} µs`,
      `${sseAsked.ratio}×`,
      "",
    ],
    [
      "JSON call against Portkey's gateway, CPU",
      `${json.cpuUsPerCall} µs`,
      `${portkey.cpuUsPerCall} µs`,
      `${portkey.ratio}×`,
      "≤ 0.2×",
    ],
    ...added.flatMap((one) => [
      [`added latency p50, ${one.connections} connection(s)`, "", `${one.floorP50} ms`, `+${one.p50} ms`, "≤ 0.2 ms"],
      [`added latency p99, ${one.connections} connection(s)`, "", `${one.floorP99} ms`, `+${one.p99} ms`, "≤ 1 ms"],
    ]),
  ];
  return [
    `### ${new Date().toISOString().slice(0, 16).replace("T", " ")} UTC, ${rounds} rounds, ${machine}`,
    "",
    "| what | Omnimeter | compared with | result | goal |",
    "| --- | --- | --- | --- | --- |",
    ...rows.map((row) => `| ${row.join(" | ")} |`),
    "",
  ].join("\n");
}
