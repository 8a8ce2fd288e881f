import { describe, expect, it, vi } from "vitest";
import type { Call } from "#lib/call.ts";
import type { MetricFamily } from "#lib/metric-family.ts";
import { createBoundedLabels } from "#lib/recorder/bounded-labels.ts";
import { createCallFigures } from "#lib/recorder/call-figures.ts";
import { decodeExchange } from "#lib/recorder/decode-exchange.ts";
import { createFigures } from "#lib/recorder/figures.ts";
import { chatExchange } from "#tests/support/exchange.ts";

const OPTIONS = { projectId: "default", contentKey: null, knownInstructions: new Set<string>() };
/** 13 tokens in, 8 out, of gpt-4o at 2.50 and 10.00 dollars per million. */
const { call: plain } = await decodeExchange(chatExchange(), OPTIONS);
const stored = (...calls: Call[]) => ({ calls: calls.map((call) => ({ call })), feedback: 0 });

function seriesOf(families: MetricFamily[], name: string): Record<string, unknown> {
  const family = families.find((one) => one.name === `omnimeter_${name}`) as MetricFamily;
  return Object.fromEntries(family.samples.map(({ labels, value }) => [Object.values(labels).join(" "), value]));
}

describe("counted calls", () => {
  it("sum their outcomes, tokens and money, exactly", () => {
    const figures = createCallFigures();
    figures.count(stored(plain, plain));
    figures.count({ ...stored(plain), feedback: 2 });
    const series = (name: string) => seriesOf(figures.families(), name);
    expect(series("recorded_calls_total")).toEqual({ "gpt-4o-2024-08-06 completed": 3 });
    expect(series("tokens_total")).toEqual({
      "gpt-4o-2024-08-06 input text none reported": 39,
      "gpt-4o-2024-08-06 output text none reported": 24,
    });
    // Three times 13 × 0.0000025 + 8 × 0.00001.
    expect(series("cost_usd_total")).toEqual({ "gpt-4o-2024-08-06 reported": 0.0003375 });
    expect(series("feedback_stored_total")).toEqual({ "": 2 });
    expect(series("unpriced_calls_total")).toEqual({});
  });

  it("add money as decimals", () => {
    const figures = createCallFigures();
    for (const costUsd of ["0.1", "0.2"])
      figures.count(stored({ ...plain, lines: plain.lines.slice(0, 1).map((line) => ({ ...line, costUsd })) }));
    // As floats 0.30000000000000004.
    expect(seriesOf(figures.families(), "cost_usd_total")).toEqual({ "gpt-4o-2024-08-06 reported": 0.3 });
  });

  it("count what is unknown as unknown, and add nothing for it", () => {
    const figures = createCallFigures();
    const unpriced = plain.lines.map((line) => ({ ...line, price: null, costUsd: null }));
    figures.count(stored({ ...plain, model: "new", lines: unpriced }));
    figures.count(stored({ ...plain, model: null, lines: [], usage: { ...plain.usage, source: "none" } }));
    const series = (name: string) => seriesOf(figures.families(), name);
    expect(series("unpriced_calls_total")).toEqual({ new: 1 });
    expect(series("cost_usd_total")).toEqual({});
    expect(series("calls_without_usage_total")).toEqual({ unknown: 1 });
    expect(series("recorded_calls_total")).toEqual({ "new completed": 1, "unknown completed": 1 });
  });

  it("name errors and problems", () => {
    const figures = createCallFigures();
    figures.count(stored({ ...plain, outcome: "failed", errorType: "server_error", problems: ["odd", "odder"] }));
    figures.count(stored({ ...plain, outcome: "client_aborted", errorType: null, problems: ["odd"] }));
    const series = (name: string) => seriesOf(figures.families(), name);
    expect(series("call_errors_total")).toEqual({ "failed server_error": 1, "client_aborted none": 1 });
    expect(series("decode_problems_total")).toEqual({ odd: 2, odder: 1 });
  });

  it("tell at most fifty models apart, however many an upstream makes up", () => {
    const figures = createCallFigures();
    for (let i = 0; i < 200; i++)
      figures.count(stored({ ...plain, model: `model-${i}`, errorType: `e-${i}`, outcome: "failed" }));
    const models = seriesOf(figures.families(), "recorded_calls_total");
    expect(Object.keys(models)).toHaveLength(51);
    expect(models["model-49 failed"]).toBe(1);
    expect(models["other failed"]).toBe(150);
    expect(Object.keys(seriesOf(figures.families(), "call_errors_total"))).toHaveLength(51);
  });
});

it("a label that comes from outside is cut, and once known always the same", () => {
  const label = createBoundedLabels(2);
  expect([label("a"), label("x".repeat(500)), label("c"), label("a"), label("other")]).toEqual([
    "a",
    "x".repeat(100),
    "other",
    "a",
    "other",
  ]);
});

describe("how far a spool is stored", () => {
  const HELD = { run: "run-1", high: { segment: 5, offset: 100 } };
  const stretch = (run: string, calls: Call[], setAside = 0, ended: boolean[] = []) => ({
    run,
    high: { segment: 6, offset: 7 },
    calls: calls.map((call) => ({ call })),
    sessions: ended.map((isOver) => ({ origin: { spool: "a", run, seq: 9 }, ended: isOver })),
    messages: 100,
    feedback: 0,
    setAside,
    seconds: 0.2,
  });
  const of = (run: string): Call => ({ ...plain, origin: { spool: "a", run, seq: 1 } });

  it("begins with what the store has, and goes on by counting", async () => {
    const asked: string[] = [];
    const figures = createFigures({
      earlier: [],
      countRun: async (_, run) => {
        asked.push(run);
        return { stored: 40, setAside: 1 };
      },
    });
    const watch = await figures.follow("a", HELD);
    // One of them was in flight when the run before died.
    await watch.stored(stretch("run-1", [of("run-1"), of("run-0"), of("run-1")]));
    watch.storedUntil(2000);
    watch.storedUntil(1000);
    expect(figures.state().spools).toEqual([
      {
        spool: "a",
        counts: { run: "run-1", stored: 42, setAside: 1 },
        high: { segment: 6, offset: 7 },
        storedUntilMs: 2000,
      },
    ]);
    expect(asked).toEqual(["run-1"]);
  });

  it("counts a session once, when it ends, and what came out of it as calls only", async () => {
    const figures = createFigures({ earlier: [], countRun: async () => ({ stored: 0, setAside: 0 }) });
    const watch = await figures.follow("a", HELD);
    const child = { ...of("run-1"), parentId: "the session" };
    await watch.stored(stretch("run-1", [child, child, of("run-1")], 0, [false, true]));
    const { families, spools } = figures.state();
    expect(spools[0]?.counts?.stored).toBe(2);
    expect(seriesOf(families, "sessions_stored_total")).toEqual({ "": 1 });
    expect(seriesOf(families, "session_messages_total")).toEqual({ "": 100 });
    expect(Object.values(seriesOf(families, "recorded_calls_total"))).toEqual([3]);
  });

  it("asks the store when a run begins and when a call was set aside, and says nothing when that fails", async () => {
    let answer: { stored: number; setAside: number } | null = { stored: 0, setAside: 0 };
    const countRun = async () => {
      if (!answer) throw new Error("away");
      return answer;
    };
    const figures = createFigures({ earlier: [], countRun });
    const watch = await figures.follow("a", HELD);
    const counts = () => figures.state().spools[0]?.counts;
    answer = { stored: 3, setAside: 0 };
    await watch.stored(stretch("run-2", [of("run-1"), of("run-2")]));
    expect(counts()).toEqual({ run: "run-2", stored: 3, setAside: 0 });
    answer = { stored: 3, setAside: 1 };
    await watch.stored(stretch("run-2", [of("run-2")], 1));
    expect(counts()).toEqual({ run: "run-2", stored: 3, setAside: 1 });
    answer = null;
    await watch.stored(stretch("run-3", [of("run-3")]));
    expect(counts()).toBeNull();
    answer = { stored: 9, setAside: 0 };
    await watch.stored(stretch("run-3", [of("run-3")]));
    expect(counts()).toEqual({ run: "run-3", stored: 9, setAside: 0 });
    watch.letGo();
    expect(counts()).toBeNull();
  });

  it("takes a question that is not answered for an absence, whether or not it fails", async () => {
    vi.useFakeTimers({ now: 1_000_000 });
    try {
      const figures = createFigures({ earlier: [], countRun: async () => null });
      const watch = await figures.follow("a", HELD);
      const away = () => seriesOf(figures.state().families, "database_away_seconds")[""];
      watch.asks();
      vi.setSystemTime(1_002_000);
      expect(away()).toBe(0);
      vi.setSystemTime(1_003_000);
      expect(away()).toBe(3);
      watch.database(false);
      vi.setSystemTime(1_004_000);
      expect(away()).toBe(4);
      watch.asks();
      watch.database(true);
      expect(away()).toBe(0);
    } finally {
      vi.useRealTimers();
    }
  });

  it("keeps the place that an earlier recorder reached, but not its counts", () => {
    const earlier = { spool: "a", counts: { run: "r", stored: 1, setAside: 0 }, ...HELD, storedUntilMs: 5 };
    const figures = createFigures({ earlier: [earlier], countRun: async () => null });
    expect(figures.state().spools).toMatchObject([{ spool: "a", counts: null, high: HELD.high, storedUntilMs: 5 }]);
  });
});

it("what became of the spans is asked for each time", () => {
  let exported = 1;
  const figures = createFigures({ earlier: [], countRun: async () => null, telemetry: () => ({ exported, lost: 0 }) });
  exported = 2;
  expect(seriesOf(figures.state().families, "telemetry_spans_total")).toEqual({ exported: 2, lost: 0 });
});
