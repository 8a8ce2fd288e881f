import { execFile } from "node:child_process";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { addPrices, addTerm, bookVersion, readAdded } from "#db/price-book.ts";
import { recordPrices } from "#db/record-prices.ts";
import type { Price } from "#lib/price.ts";
import { PRICES } from "#lib/pricing/price-book.ts";
import { readPrice } from "#lib/read-price.ts";
import { createUuid7 } from "#lib/uuid7.ts";
import { type TestDatabase, testDatabase } from "#tests/support/postgres.ts";

const HEAD = "model,unit,direction,modality,cached,tier,usd,effective_from,source,date_basis,confidence,note";
const FIELDS = {
  model: "gpt-9",
  unit: "1M_tokens",
  direction: "input",
  modality: "text",
  cached: "no",
  tier: "standard",
  usd: "2.50",
  effective_from: "2026-12-01",
  source: "our contract",
  date_basis: "announced",
  confidence: "high",
};
const price = (over: Partial<typeof FIELDS> = {}) => readPrice({ ...FIELDS, ...over }, "imported") as Price;

describe("the price book in the store", () => {
  let db: TestDatabase;
  beforeAll(async () => {
    db = await testDatabase();
  });
  afterAll(() => db.drop());

  it("gives back what was added, and says that it changed", async () => {
    await recordPrices(db.sql, PRICES);
    await recordPrices(db.sql, PRICES);
    const before = await bookVersion(db.sql);
    // What comes with Omnimeter is in the code: it is not read.
    expect(await readAdded(db.sql)).toEqual({ prices: [], terms: [] });
    const own = readPrice({ ...FIELDS, usd: "0.000001" }, "own") as Price;
    expect(await addPrices(db.sql, [price(), own])).toBe(true);
    const after = await bookVersion(db.sql);
    expect(after).not.toBe(before);
    expect((await readAdded(db.sql)).prices).toEqual([price(), own]);

    const id = createUuid7()();
    const wish = { models: "gpt-4o*", upstream: null, factor: "0.9", effectiveFrom: "2026-12-01", note: "as agreed" };
    expect(await addTerm(db.sql, "default", id, wish)).toBe(true);
    expect(await bookVersion(db.sql)).not.toBe(after);
    const [term] = (await readAdded(db.sql)).terms;
    expect(term).toEqual({ ...wish, id, projectId: "default", addedAtMs: expect.any(Number) });
    expect(Math.abs(Date.now() - (term?.addedAtMs ?? 0))).toBeLessThan(60_000);
  });

  it("refuses all of what is added when one of it is known", async () => {
    expect(await addPrices(db.sql, [price({ model: "gpt-10" }), price({ usd: "9" })])).toBe(false);
    const { prices } = await readAdded(db.sql);
    expect(prices.map(({ model, usd }) => `${model} ${usd}`)).toEqual(["gpt-9 2.5", "gpt-9 0.000001"]);
  });

  describe("by its command", () => {
    const dir = mkdtempSync(join(tmpdir(), "omnimeter-prices-"));
    const run = (...args: string[]) =>
      new Promise<{ code: number; out: string; err: string }>((resolve) => {
        const env = { ...process.env, DATABASE_URL: db.url, OMNIMETER_DATA_DIR: dir };
        execFile(process.execPath, ["lib/recorder/prices.ts", ...args], { env }, (error, out, err) =>
          resolve({ code: error ? Number(error.code) : 0, out, err }),
        );
      });
    const file = (text: string) => {
      const path = join(dir, "list.csv");
      writeFileSync(path, text);
      return path;
    };

    it("imports a list once, prints it, and takes a discount", async () => {
      const list = file(
        `${HEAD}\ngpt-11,1M_tokens,output,text,no,standard,8,2026-12-01,a list,announced,high,"a, b"\n`,
      );
      expect(await run("--import", list, "--dry-run")).toMatchObject({
        code: 0,
        out: expect.stringContaining("line 2: new: gpt-11 output text: 8 USD per 1M tokens from 2026-12-01"),
      });
      expect(await run("--import", list)).toMatchObject({ code: 0, out: expect.stringContaining("Added.") });
      expect(await run("--import", list)).toMatchObject({
        code: 0,
        out: expect.stringContaining("There is nothing to add."),
      });
      expect((await run("--model", "gpt-11")).out).toBe(
        `${HEAD},origin\ngpt-11,1M_tokens,output,text,no,standard,8,2026-12-01,a list,announced,high,"a, b",imported\n`,
      );
      const taken = await run("--discount", "gpt-4o*=0.8", "--from", "2026-12-24", "--note", "for the holidays");
      expect(taken).toMatchObject({ code: 0, out: expect.stringContaining("costs 0.8 times the list price") });
      expect((await readAdded(db.sql)).terms.at(-1)).toMatchObject({ factor: "0.8", note: "for the holidays" });
    });

    it("says what is wrong, and stores nothing then", async () => {
      const before = await bookVersion(db.sql);
      const clash = file(
        `${HEAD}\ngpt-4o,1M_tokens,output,text,no,standard,1,2024-05-13,x,announced,high,\ngpt-12,1M_tokens,output,text,no,standard,1,2024-05-13,x,announced,high,`,
      );
      expect(await run("--import", clash)).toMatchObject({
        code: 1,
        out: expect.stringContaining("line 2: price_conflict: gpt-4o output text"),
        err: expect.stringContaining("nothing was stored"),
      });
      const [bad, missing, term, stray] = await Promise.all([
        run("--import", file(`${HEAD}\ngpt-12,ell,output,text,no,standard,1,2024-05-13,x,announced,high,`)),
        run("--import", join(dir, "not-there.csv")),
        run("--discount", "gpt-4o*=90%", "--from", "2026-12-01"),
        run("--discount", "gpt-4o*=0.9", "--import", clash),
      ]);
      expect(bad).toMatchObject({ code: 1, err: expect.stringContaining("line 2: price_bad_unit:") });
      expect(missing).toMatchObject({ code: 1, err: expect.stringContaining("list_unreadable:") });
      expect(term).toMatchObject({ code: 1, err: expect.stringContaining("term_bad_factor:") });
      expect(stray).toMatchObject({ code: 1, err: expect.stringContaining("Usage:") });
      expect(await bookVersion(db.sql)).toBe(before);
    });
  });
});
