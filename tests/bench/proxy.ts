import { run } from "#tests/support/process.ts";
import { cpuUs, median, quantile } from "./cpu.ts";
import { type Load, runLoad } from "./load.ts";
import { startFloor, startPortkey, startProduct, type Target } from "./targets.ts";

export interface Ratio {
  cpuUsPerCall: number;
  floorCpuUsPerCall: number;
  ratio: number;
}

export interface ProxyResult {
  json: Ratio;
  /** A client that does not ask for usage: the product asks, and takes the chunk that adds out again. This is what the goal is about. */
  sse: Ratio;
  /** It asks itself, so that the same bytes go through both: the cost of recording alone. */
  sseAsked: Ratio;
  portkey: { ratio: number; cpuUsPerCall: number };
  /** The worse of one connection and sixteen. */
  addedMs: { p50: number; p99: number };
  added: { connections: number; p50: number; p99: number; floorP50: number; floorP99: number }[];
}

const CONNECTIONS = 32;
const TURNS = 8;
const CALLS = { json: 3000, sse: 200, sseAsked: 100, portkey: 1500, latency: 1500 };
const THINK_MS = { 1: 0, 16: 16 } as const;

type Sample = Record<string, number[]>;

/** Floor, product and peer take turns, so that whatever else the machine does meets all of them. */
export async function benchProxy(
  { rounds = 7, profile = "", only = "" } = {},
  say: (line: string) => void,
): Promise<ProxyResult> {
  const upstream = await run("tests/bench/upstream.ts", {});
  const url = `http://127.0.0.1:${upstream.port}`;
  const profiling = profile ? ["--cpu-prof", `--cpu-prof-dir=${profile}`] : [];
  const floor = await startFloor(url, profiling);
  const product = await startProduct(url, profiling);
  const peer = await startPortkey(url);
  const wanted = (scenario: string) => !only || only === scenario;
  const samples: Sample = {};
  try {
    for (const target of [floor, product, peer]) await warmUp(target);
    for (let round = 0; round < rounds; round++) {
      // Whoever comes first differs from round to round.
      const pair = round % 2 ? [product, floor] : [floor, product];
      const turns: Sample = {};
      // Short turns, often: what else the machine does comes and goes within seconds.
      for (let turn = 0; turn < TURNS; turn++) {
        if (wanted("json")) for (const target of pair) await measureCpu(target, "json", turns);
        if (wanted("sse")) for (const target of pair) await measureCpu(target, "sse", turns);
        if (wanted("sse")) for (const target of pair) await measureCpu(target, "sseAsked", turns);
      }
      if (wanted("json")) await measureCpu(peer, "json", turns);
      for (const [name, values] of Object.entries(turns)) keep(samples, name, mean(values));
      if (wanted("latency"))
        for (const connections of [1, 16] as const)
          for (const target of pair) await measureLatency(target, connections, samples);
      for (const target of [floor, product, peer]) target.tidy();
      say(`round ${round + 1} of ${rounds}: ${lastOf(samples)}`);
    }
  } finally {
    await Promise.all([floor, product, peer, upstream].map((one) => one.stop()));
  }
  return summary(samples);
}

async function warmUp({ name, port, headers }: Target) {
  await runLoad({ port, stream: false, connections: CONNECTIONS, calls: name === "portkey" ? 1000 : 6000, headers });
  if (name !== "portkey") await runLoad({ port, stream: true, connections: CONNECTIONS, calls: 200 });
}

type Scenario = "json" | "sse" | "sseAsked";

async function measureCpu({ name, port, pid, headers }: Target, scenario: Scenario, samples: Sample) {
  const calls = name === "portkey" ? CALLS.portkey : CALLS[scenario];
  const stream = scenario !== "json";
  const load: Load = { port, stream, usage: scenario === "sseAsked", connections: CONNECTIONS, calls, headers };
  const before = cpuUs(pid);
  await runLoad(load);
  keep(samples, `${name} ${scenario}`, (cpuUs(pid) - before) / calls);
}

async function measureLatency({ name, port }: Target, connections: 1 | 16, samples: Sample) {
  const took = await runLoad({
    port,
    stream: false,
    connections,
    calls: CALLS.latency,
    thinkMs: THINK_MS[connections],
  });
  keep(samples, `${name} p50 at ${connections}`, quantile(took, 0.5));
  keep(samples, `${name} p99 at ${connections}`, quantile(took, 0.99));
}

function keep(samples: Sample, name: string, value: number) {
  samples[name] ??= [];
  samples[name].push(value);
}

const lastOf = (samples: Sample): string =>
  Object.entries(samples)
    .map(([name, values]) => `${name} ${values.at(-1)?.toFixed(name.includes("p") && name.includes("at") ? 2 : 0)}`)
    .join(" · ");

function summary(samples: Sample): ProxyResult {
  const of = (name: string) => samples[name] ?? [];
  // Each round's own quotient or difference, then the median: what slows one round slows both sides of it.
  const pairs = (a: string, b: string, join: (x: number, y: number) => number) =>
    median(of(a).map((value, i) => join(value, of(b)[i] ?? Number.NaN)));
  const ratio = (scenario: string): Ratio => ({
    cpuUsPerCall: round(median(of(`product ${scenario}`)), 1),
    floorCpuUsPerCall: round(median(of(`floor ${scenario}`)), 1),
    ratio: round(
      pairs(`product ${scenario}`, `floor ${scenario}`, (x, y) => x / y),
      3,
    ),
  });
  const minus = (x: number, y: number) => x - y;
  const added = [1, 16].map((connections) => ({
    connections,
    p50: round(pairs(`product p50 at ${connections}`, `floor p50 at ${connections}`, minus), 3),
    p99: round(pairs(`product p99 at ${connections}`, `floor p99 at ${connections}`, minus), 3),
    floorP50: round(median(of(`floor p50 at ${connections}`)), 3),
    floorP99: round(median(of(`floor p99 at ${connections}`)), 3),
  }));
  return {
    json: ratio("json"),
    sse: ratio("sse"),
    sseAsked: ratio("sseAsked"),
    portkey: {
      ratio: round(median(of("product json")) / median(of("portkey json")), 3),
      cpuUsPerCall: round(median(of("portkey json")), 1),
    },
    addedMs: { p50: Math.max(...added.map((one) => one.p50)), p99: Math.max(...added.map((one) => one.p99)) },
    added,
  };
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

const round = (value: number, digits: number): number => Number(value.toFixed(digits));
