import { describe, expect, it, test } from "vitest";
import type { UsageLine } from "#lib/call.ts";
import { multiplyMoney } from "#lib/money.ts";
import type { Price } from "#lib/price.ts";
import { type PriceTerm, readTerm } from "#lib/price-term.ts";
import { createPriceBook } from "#lib/pricing/create-price-book.ts";
import type { PricedCall } from "#lib/pricing/find-line-price.ts";
import { PRICES } from "#lib/pricing/price-book.ts";
import { priceLines } from "#lib/pricing/price-lines.ts";
import { readPrice } from "#lib/read-price.ts";

const LINE: UsageLine = {
  direction: "input",
  modality: "text",
  cache: "none",
  unit: "token",
  product: null,
  quantity: 1_000_000,
  source: "reported",
};

let number = 0;
const term = (over: Partial<PriceTerm>): PriceTerm => ({
  id: `term-${String(++number).padStart(3, "0")}`,
  projectId: "default",
  models: "*",
  upstream: null,
  factor: "0.5",
  effectiveFrom: "2026-01-01",
  note: "",
  addedAtMs: 0,
  ...over,
});

const added = (over: Record<string, string>, origin: Price["origin"] = "imported"): Price => {
  const read = readPrice(
    {
      model: "gpt-4o-2024-08-06",
      unit: "1M_tokens",
      direction: "input",
      modality: "text",
      cached: "no",
      tier: "standard",
      usd: "2",
      effective_from: "2026-06-01",
      source: "a list",
      date_basis: "announced",
      confidence: "high",
      ...over,
    },
    origin,
  );
  if (Array.isArray(read)) throw new Error(read.join());
  return read;
};

function price(
  { prices = [] as Price[], terms = [] as PriceTerm[] },
  call: Partial<PricedCall> & { day?: string } = {},
  line: Partial<UsageLine> = {},
) {
  const { day = "2026-06-15", ...over } = call;
  const [priced] = priceLines(
    [{ ...LINE, ...line }],
    {
      projectId: "default",
      upstream: "default",
      model: "gpt-4o-2024-08-06",
      serviceTier: "default",
      region: null,
      startedAt: Date.parse(`${day}T12:00:00Z`),
      inputTokens: 1000,
      ...over,
    },
    createPriceBook(PRICES, prices, terms),
  );
  return priced;
}

const LIST = "gpt-4o-2024-08-06/input/text/none/standard/token@2024-08-06";

describe("a term", () => {
  it("is a factor on the list price, and the price says which", () => {
    const agreed = term({ models: "gpt-4o*", factor: "0.9" });
    expect(price({ terms: [agreed] })).toMatchObject({
      price: { id: `${LIST}#${agreed.id}`, usd: "2.25", per: 1_000_000 },
      costUsd: "2.25",
    });
    // What the cache saved is saved of what is paid.
    expect(price({ terms: [agreed] }, {}, { cache: "read" })).toMatchObject({ costUsd: "1.125", savedUsd: "1.125" });
  });

  test.each([
    ["of another project", { projectId: "other" }],
    ["for another upstream", { upstream: "azure" }],
    ["for another model", { models: "gpt-4o-mini*" }],
    ["for the beginning of its name alone", { models: "gpt-4o" }],
    ["that begins later", { effectiveFrom: "2026-06-16" }],
  ])("%s changes nothing", (_what, over) => {
    expect(price({ terms: [term(over)] })?.price).toEqual({ id: LIST, usd: "2.5", per: 1_000_000 });
  });

  it("begins with the first millisecond of its day, and ends where a newer one for the same models begins", () => {
    const terms = [
      term({ factor: "0.8", effectiveFrom: "2026-06-10" }),
      term({ factor: "1", effectiveFrom: "2026-06-20" }),
    ];
    const at = (iso: string) => price({ terms }, { startedAt: Date.parse(iso) })?.costUsd;
    expect(at("2026-06-09T23:59:59.999Z")).toBe("2.5");
    expect(at("2026-06-10T00:00:00.000Z")).toBe("2");
    expect(at("2026-06-19T23:59:59.999Z")).toBe("2");
    expect(at("2026-06-20T00:00:00.000Z")).toBe("2.5");
  });

  it("that names the model more exactly goes first, then one that names the upstream, then the newer one", () => {
    const all = term({ factor: "0.1", effectiveFrom: "2026-06-01" });
    const family = term({ models: "gpt-4o*", factor: "0.2" });
    const here = term({ models: "gpt-4o*", factor: "0.3", upstream: "default" });
    const exact = term({ models: "gpt-4o-2024-08-06", factor: "0.4", effectiveFrom: "2026-05-01" });
    const later = term({ models: "gpt-4o-2024-08-06", factor: "0.6", effectiveFrom: "2026-05-01", addedAtMs: 5 });
    const cost = (...terms: PriceTerm[]) => [terms, terms.toReversed()].map((of) => price({ terms: of })?.costUsd);
    expect(cost(all)).toEqual(["0.25", "0.25"]);
    expect(cost(all, family)).toEqual(["0.5", "0.5"]);
    expect(cost(all, family, here)).toEqual(["0.75", "0.75"]);
    expect(cost(all, family, here, exact)).toEqual(["1", "1"]);
    expect(cost(all, family, here, exact, later)).toEqual(["1.5", "1.5"]);
  });

  it("is of fine-tuned models by their base, and of tools by their name", () => {
    const tuned = { model: "ft:gpt-4o-2024-08-06:acme::A1" };
    expect(price({ terms: [term({ models: "gpt-4o*" })] }, tuned)?.costUsd).toBe("3.75");
    expect(price({ terms: [term({ models: "ft:gpt-4o-2024-08-06" })] }, tuned)?.costUsd).toBe("1.875");
    const search = {
      product: "tool:web_search",
      unit: "web_search_call",
      modality: "none",
      direction: "tool",
      quantity: 100,
    } as const;
    expect(price({ terms: [term({ models: "gpt-4o*" })] }, {}, search)?.costUsd).toBe("1");
    expect(price({ terms: [term({ models: "tool:*" })] }, {}, search)?.costUsd).toBe("0.5");
  });

  it("makes no price where there is none", () => {
    expect(price({ terms: [term({})] }, { model: "gpt-9" })).toMatchObject({ price: null, costUsd: null });
  });

  test.each([
    ["2.5", "0.9", "2.25"],
    ["0.075", "0.333333", "0.024999975"],
    ["2.5", "0", "0"],
    ["0.0375", "100", "3.75"],
    // Thirteen decimals: rounded half even, to the even twelfth.
    ["0.0000005", "0.000001", "0"],
    ["0.0000015", "0.000001", "0.000000000002"],
  ])("of %s times %s is %s", (usd, factor, product) => expect(multiplyMoney(usd, factor)).toBe(product));
});

describe("a price that was added", () => {
  it("is in force from its day, before the one that came with Omnimeter", () => {
    const prices = [added({ usd: "2" })];
    expect(price({ prices }, { day: "2026-05-31" })?.costUsd).toBe("2.5");
    expect(price({ prices }, { day: "2026-06-01" })).toMatchObject({
      costUsd: "2",
      price: { id: "gpt-4o-2024-08-06/input/text/none/standard/token@2026-06-01" },
    });
  });

  it("of one's own goes before a list's of the same day, and a later one before both", () => {
    const prices = [
      added({ usd: "2" }),
      added({ usd: "1.5" }, "own"),
      added({ usd: "1", effective_from: "2026-06-02" }),
    ];
    expect(price({ prices }, { day: "2026-06-01" })).toMatchObject({
      costUsd: "1.5",
      price: { id: "own:gpt-4o-2024-08-06/input/text/none/standard/token@2026-06-01" },
    });
    expect(price({ prices: prices.toReversed() }, { day: "2026-06-01" })?.costUsd).toBe("1.5");
    expect(price({ prices }, { day: "2026-06-02" })?.costUsd).toBe("1");
  });

  it("prices a model that nobody else has a price for", () => {
    const prices = [added({ model: "acme/llama-70b", usd: "0.2" }, "own")];
    expect(price({ prices }, { model: "acme/llama-70b" })?.costUsd).toBe("0.2");
    expect(price({ prices }, { model: "acme/llama-70b" }, { direction: "output" })?.costUsd).toBeNull();
  });

  it("under the id of a built-in one takes its place: lines are booked with it", () => {
    const prices = [added({ usd: "7", effective_from: "2024-08-06" })];
    expect(price({ prices })).toMatchObject({ costUsd: "7", price: { id: LIST } });
  });

  it("for long requests makes the model one that has another list for them", () => {
    const prices = [added({ model: "gpt-4.1", tier: "priority>272k", usd: "9" })];
    const call = { model: "gpt-4.1", serviceTier: "priority" };
    expect(price({ prices }, { ...call, inputTokens: 272_001 })?.costUsd).toBe("9");
    // Which of both lists it is by is not known.
    expect(price({ prices }, { ...call, inputTokens: null })?.costUsd).toBeNull();
  });
});

describe("processing in a region", () => {
  const eu = { region: "eu", day: "2026-10-01" };

  it("costs ten percent more on models released since, and not on gpt-4o", () => {
    expect(price({}, { ...eu, model: "gpt-5.4" })).toMatchObject({
      costUsd: "2.75",
      price: { id: "gpt-5.4/input/text/none/standard/token@2026-03-05#region:eu", usd: "2.75" },
    });
    expect(price({}, { ...eu, model: "gpt-5.4", inputTokens: 300_000 })?.costUsd).toBe("5.5");
    expect(price({}, { ...eu, model: "gpt-5.4", serviceTier: "priority" })?.costUsd).toBe("5.5");
    expect(price({}, { ...eu, model: "gpt-5.4", region: null })?.costUsd).toBe("2.5");
    for (const model of ["gpt-4o-2024-08-06", "gpt-4o-mini", "ft:gpt-4o-2024-08-06:acme::A1", "gpt-4.1"])
      expect(price({}, { ...eu, model })?.price?.id, model).not.toContain("#");
  });

  it("is not known of a model whose release nobody has noted", () => {
    const lines = { modality: "audio", quantity: 1000 } as const;
    expect(price({}, { ...eu, model: "gpt-realtime-2", region: null }, lines)?.costUsd).toBe("0.032");
    expect(price({}, { ...eu, model: "gpt-realtime-2" }, lines)?.costUsd).toBeNull();
  });

  it("adds nothing to fees and to prices of one's own, and comes before a discount", () => {
    const search = {
      product: "tool:web_search",
      unit: "web_search_call",
      modality: "none",
      direction: "tool",
      quantity: 100,
    } as const;
    expect(price({}, { ...eu, model: "gpt-5.4" }, search)?.costUsd).toBe("1");
    const own = added({ model: "gpt-5.4", usd: "2" }, "own");
    expect(price({ prices: [own] }, { ...eu, model: "gpt-5.4" })?.price?.id).toBe(own.id);
    const half = term({});
    expect(price({ terms: [half] }, { ...eu, model: "gpt-5.4" })).toMatchObject({
      costUsd: "1.375",
      price: { id: `gpt-5.4/input/text/none/standard/token@2026-03-05#region:eu#${half.id}` },
    });
  });
});

describe("a long request", () => {
  test.each([
    ["gpt-5.5", "10"],
    ["gpt-5.6-luna", "0.4"],
    ["gpt-6-sol", "4"],
    // Its list for long requests was never seen.
    ["gpt-6.1-sol", null],
    ["gpt-4o-2024-08-06", "2.5"],
  ])("on %s", (model, usd) => {
    expect(price({}, { model, day: "2026-11-01", inputTokens: 300_000 })?.costUsd).toBe(usd);
  });
});

describe("a term as it is typed", () => {
  const typed = { models: "gpt-4o*", factor: "0.90", from: "2026-12-01", upstream: "", note: " as agreed " };

  it("is read", () => {
    expect(readTerm(typed)).toEqual({
      models: "gpt-4o*",
      factor: "0.9",
      effectiveFrom: "2026-12-01",
      upstream: null,
      note: "as agreed",
    });
    expect(readTerm({ ...typed, models: "*", factor: "100", upstream: "azure" })).toMatchObject({
      factor: "100",
      upstream: "azure",
    });
  });

  test.each([
    [{ models: "" }, "term_bad_models"],
    [{ models: "gpt 4o" }, "term_bad_models"],
    [{ models: "gpt*4o" }, "term_bad_models"],
    [{ models: "x".repeat(200) }, "term_bad_models"],
    [{ models: "a#b" }, "term_bad_models"],
    [{ factor: "" }, "term_bad_factor"],
    [{ factor: "-0.1" }, "term_bad_factor"],
    [{ factor: "100.1" }, "term_bad_factor"],
    [{ factor: "10%" }, "term_bad_factor"],
    [{ factor: "1e-1" }, "term_bad_factor"],
    [{ factor: "0,9" }, "term_bad_factor"],
    [{ factor: "0.1234567" }, "term_bad_factor"],
    [{ factor: "NaN" }, "term_bad_factor"],
    [{ from: "2026-02-30" }, "term_bad_day"],
    [{ from: "1.12.2026" }, "term_bad_day"],
    [{ from: "" }, "term_bad_day"],
    [{ upstream: "a b" }, "term_bad_upstream"],
    [{ note: "x".repeat(501) }, "term_long_note"],
  ])("%j is refused", (over, code) => {
    expect(readTerm({ ...typed, ...over })).toEqual([code]);
  });

  it("says everything that is wrong at once", () => {
    expect(readTerm({ models: "", factor: "x", from: "y", upstream: "", note: "" })).toEqual([
      "term_bad_models",
      "term_bad_factor",
      "term_bad_day",
    ]);
  });
});
