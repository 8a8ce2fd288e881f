import { afterAll, beforeAll, expect, it } from "vitest";
import { changePrices } from "#app/settings/prices/change/change-prices.ts";
import { addPrices } from "#db/price-book.ts";
import { linesOfCall } from "#db/queries/call-page.ts";
import { bookRows, termRows } from "#db/queries/prices-page.ts";
import { unpricedProducts } from "#db/queries/spend-page.ts";
import { recordPrices } from "#db/record-prices.ts";
import type { Price, PriceOrigin } from "#lib/price.ts";
import { createPriceBook } from "#lib/pricing/create-price-book.ts";
import { BUILT_IN, PRICES } from "#lib/pricing/price-book.ts";
import { priceLines } from "#lib/pricing/price-lines.ts";
import { readPrice } from "#lib/read-price.ts";
import { type TestDatabase, testDatabase } from "#tests/support/postgres.ts";
import { callAt, LINES, line, MODEL, storedSpool } from "#tests/support/store-calls.ts";

const TODAY = "2026-06-15";
const price = (usd: string, from: string, origin: PriceOrigin = "imported") =>
  readPrice(
    {
      model: MODEL,
      unit: "1M_tokens",
      direction: "input",
      modality: "text",
      cached: "no",
      tier: "standard",
      usd,
      effective_from: from,
      source: "a list",
      date_basis: "announced",
      confidence: "high",
    },
    origin,
  ) as Price;

let db: TestDatabase;
beforeAll(async () => {
  db = await testDatabase();
  await recordPrices(db.sql, PRICES);
});
afterAll(() => db.drop());

it("the page's row in force is the one that calls are priced by", async () => {
  const all = await bookRows(db.sql, "", TODAY, 10_000);
  expect(all).toHaveLength(PRICES.length);
  const atMs = Date.parse(TODAY);
  const inForce = [...BUILT_IN.newestFirst.values()].flatMap(
    (rows) => rows.find(({ fromMs }) => fromMs <= atMs)?.price.id ?? [],
  );
  expect(
    all
      .filter((row) => row.inForce)
      .map(({ id }) => id)
      .sort(),
  ).toEqual(inForce.sort());

  const added = [price("3", "2026-06-15"), price("2", "2026-06-15", "own"), price("1", "2026-06-16")];
  await addPrices(db.sql, added);
  const rows = await bookRows(db.sql, MODEL.toUpperCase(), TODAY, 10_000);
  const input = rows.filter(
    (row) => row.model === MODEL && row.direction === "input" && row.cache === "none" && row.tier === "standard",
  );
  expect(input.map(({ usd, effectiveFrom, origin, inForce }) => [usd, effectiveFrom, origin, inForce])).toEqual([
    ["1", "2026-06-16", "imported", false],
    ["3", "2026-06-15", "imported", false],
    ["2", "2026-06-15", "own", true],
    ["2.5", "2024-08-06", "built_in", false],
  ]);
  const call = { ...(await callAt(Date.parse(`${TODAY}T12:00:00Z`))), inputTokens: 1000 };
  expect(priceLines(LINES, call, createPriceBook(PRICES, added))[0]?.price?.usd).toBe("2");
});

it("is searched by model and note, takes signs as they are, and says when there is more", async () => {
  expect(await bookRows(db.sql, "%", TODAY, 10)).toEqual([]);
  expect((await bookRows(db.sql, "search_context_size=low", TODAY, 10)).map(({ model }) => model)).toEqual([
    "gpt-4o-mini-search-preview",
    "gpt-4o-search-preview",
  ]);
  expect(await bookRows(db.sql, "", TODAY, 3)).toHaveLength(3);
});

it("a form adds a price or a term once, and says everything that is wrong with one", async () => {
  const fields = {
    do: "price",
    model: "llama-70b",
    usd: "0.20",
    unit: "1M_tokens",
    direction: "input",
    modality: "text",
    cached: "no",
    tier: "standard",
    effective_from: "2026-01-01",
    note: "half \ud800 of a sign",
  };
  const id = "own:llama-70b/input/text/none/standard/token@2026-01-01";
  expect(await changePrices(db.sql, fields)).toEqual({ done: "price", id });
  expect(await changePrices(db.sql, { ...fields, usd: "0.3" })).toEqual({ problems: ["price_known"] });
  expect(await changePrices(db.sql, { ...fields, usd: "", unit: 7, effective_from: null })).toEqual({
    problems: ["price_bad_unit", "price_bad_usd", "price_bad_day"],
  });
  expect(await bookRows(db.sql, "llama-70b", TODAY, 10)).toMatchObject([{ id, usd: "0.2", origin: "own" }]);

  const term = { do: "term", models: "gpt-4o*", factor: "0.9", from: "2026-12-01", upstream: "", note: "" };
  expect(await changePrices(db.sql, term)).toMatchObject({ done: "term" });
  expect(await changePrices(db.sql, { ...term, factor: "90 %" })).toEqual({ problems: ["term_bad_factor"] });
  expect(await changePrices(db.sql, { do: "rerate" })).toEqual({ problems: ["price_unknown_action"] });
  expect(await termRows(db.sql, "default", 10)).toMatchObject([{ models: "gpt-4o*", factor: "0.9", upstream: null }]);
});

it("a line by a term says where its list price is from", async () => {
  const store = await storedSpool(db.sql, "spool-prices-page");
  const term = {
    id: "0197b7a0-0000-7000-8000-000000000001",
    projectId: "default",
    models: "*",
    upstream: null,
    factor: "0.9",
    effectiveFrom: "2026-01-01",
    note: "",
    addedAtMs: 0,
  };
  const plain = await callAt(Date.parse("2026-03-01T12:00:00Z"));
  const search = line({
    direction: "tool",
    modality: "none",
    unit: "web_search_call",
    product: "tool:unheard",
    quantity: 2,
  });
  const lines = priceLines([...LINES, search], { ...plain, inputTokens: 1000 }, createPriceBook(PRICES, [], [term]));
  await store([{ ...plain, lines }]);
  await db.sql`
    insert into price_terms (id, project_id, models, factor, effective_from, note)
    values (${term.id}::uuid, 'default', '*', 0.9, '2026-01-01', 'framework contract')`;
  const rows = await linesOfCall(db.sql, plain.id);
  // 2.50 and 10 on the list, ten percent off.
  expect(rows.map((row) => [row.priceModel, row.priceTier, row.listUsd, row.termFactor, row.termNote])).toEqual([
    ["gpt-4o-2024-08-06", "standard", "2.5", "0.9", "framework contract"],
    ["gpt-4o-2024-08-06", "standard", "10", "0.9", "framework contract"],
    [null, null, null, null, null],
  ]);
  expect(rows.map(({ priceUsd, priceFrom }) => [priceUsd, priceFrom])).toEqual([
    ["2.25", "2024-08-06"],
    ["9", "2024-08-06"],
    [null, null],
  ]);
  const interval = { fromMs: Date.parse("2026-03-01"), toMs: Date.parse("2026-03-02") };
  expect(await unpricedProducts(db.sql, { project: "default", interval, filter: {} }, 10)).toEqual(["tool:unheard"]);
});
