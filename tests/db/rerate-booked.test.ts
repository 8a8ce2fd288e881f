import { execFile } from "node:child_process";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { checkMonth } from "#db/close-month.ts";
import { addPrices, addTerm, readAdded } from "#db/price-book.ts";
import { differences } from "#db/referee.ts";
import { addMoney } from "#lib/money.ts";
import type { Price } from "#lib/price.ts";
import { createPriceBook } from "#lib/pricing/create-price-book.ts";
import { PRICES } from "#lib/pricing/price-book.ts";
import { priceLines } from "#lib/pricing/price-lines.ts";
import { readPrice } from "#lib/read-price.ts";
import { createUuid7 } from "#lib/uuid7.ts";
import { seedBooked, UNKNOWN_MODEL } from "#tests/support/booked-calls.ts";
import { type TestDatabase, testDatabase } from "#tests/support/postgres.ts";
import { rerateIn, rerateRange } from "#tests/support/rerate.ts";
import { temporaryFolder } from "#tests/support/temporary-folder.ts";

describe("whatever has been booked", () => {
  let db: TestDatabase;
  beforeAll(async () => {
    db = await testDatabase();
  });
  afterAll(() => db.drop());

  it("all of open months comes to what the present book says, and every sum with it", async () => {
    const booked = await seedBooked(db.sql);
    const year = rerateRange("2026-01-01", "2027-01-01");
    const cells = [
      "input text no",
      "input text read",
      "output text no",
      "input audio no",
      "output audio no",
      "input image no",
    ];
    const prices = cells.map((cell, i) => {
      const [direction, modality, cached] = cell.split(" ") as [string, string, string];
      const typed = { unit: "1M_tokens", tier: "standard", usd: `${i + 1}.25`, effective_from: "2026-01-01" };
      return readPrice({ ...typed, model: UNKNOWN_MODEL, direction, modality, cached }, "own") as Price;
    });
    await addPrices(db.sql, prices);
    const wish = { models: "gpt-4o-mini*", upstream: null, note: "" };
    await addTerm(db.sql, "default", createUuid7()(), { ...wish, factor: "0.85", effectiveFrom: "2026-03-10" });
    const { terms } = await readAdded(db.sql);
    const book = createPriceBook(PRICES, prices, terms);

    const isClosed = (ms: number) => new Date(ms).getUTCMonth() === 1;
    const ofCalls = booked.filter(({ calls }) => calls === 1);
    const priced = ofCalls
      .filter(({ ms }) => !isClosed(ms))
      .map(({ call }) => priceLines(call.lines, { ...call, inputTokens: null }, book).map(({ costUsd }) => costUsd));
    // What was learned of February later stands in March, and stays.
    const corrections = booked.filter(({ calls }) => calls === 0);
    const costs = [...priced.flat(), ...corrections.map(({ costUsd }) => costUsd)];
    const expected = costs.reduce<string>((sum, usd) => addMoney(sum, usd ?? "0"), "0");
    const unpriced =
      priced.filter((lines) => lines.includes(null)).length + corrections.reduce((sum, one) => sum + one.unpriced, 0);

    const february = await checkMonth(db.sql, "default", "2026-02-01");
    const { report, looked } = await rerateIn(db, year, { page: 190 });
    expect(looked).toMatchObject({
      calls: ofCalls.length,
      closedCalls: ofCalls.filter(({ ms }) => isClosed(ms)).length,
    });
    expect(looked.closedDiffer).toBeGreaterThan(0);
    expect(report.unpricedBefore).toBeGreaterThan(0);
    const [sums] = await db.sql`
      select
        (select trim_scale(sum(cost_usd + cost_estimated_usd))::text from rollup_spend where bucket >= '2026-03-01') as rolled,
        (select sum(calls_unpriced)::int from rollup_spend where bucket >= '2026-03-01') as unpriced,
        (select trim_scale(sum(cost_usd))::text from usage_lines where booked_on >= '2026-03-01') as lines`;
    expect(sums).toEqual({ rolled: expected, unpriced, lines: expected });
    expect(await checkMonth(db.sql, "default", "2026-02-01")).toEqual(february);
    for (const [from, to] of [
      ["2026-02-27", "2026-03-03"],
      ["2026-11-01", "2026-11-03"],
    ] as const)
      expect(await differences(db.sql, Date.parse(from), Date.parse(to))).toEqual([]);
    expect((await rerateIn(db, year)).report.lines).toBe(0);
  });

  it("the command says what it would do, and what is wrong with what it was asked", async () => {
    const run = (...args: string[]) =>
      new Promise<{ code: number; out: string; err: string }>((resolve) => {
        const env = { ...process.env, DATABASE_URL: db.url, OMNIMETER_DATA_DIR: temporaryFolder() };
        execFile(process.execPath, ["lib/recorder/rerate.ts", ...args], { env }, (error, out, err) =>
          resolve({ code: error ? Number(error.code) : 0, out, err }),
        );
      });
    const days = ["--from", "2026-03-01", "--to", "2026-03-05"];
    const [dry, noDay, backwards, noModel, nothing] = await Promise.all([
      run(...days, "--dry-run"),
      run("--from", "2026-02-30", "--to", "2026-03-05"),
      run("--from", "2026-03-05", "--to", "2026-03-05"),
      run(...days, "--model", "g*t"),
      run("--from", "2026-03-01"),
    ]);
    expect(dry).toMatchObject({ code: 0, err: "" });
    expect(dry.out).toContain("nothing differs.\nNothing was written (--dry-run).");
    expect(noDay).toMatchObject({ code: 1, err: expect.stringContaining('bad_date: "2026-02-30" is no day') });
    expect(backwards).toMatchObject({ code: 1, err: expect.stringContaining("bad_date: 2026-03-05 is not after") });
    expect(noModel).toMatchObject({ code: 1, err: expect.stringContaining("bad_model:") });
    expect(nothing).toMatchObject({ code: 1, err: expect.stringContaining("Usage:") });
  });
});
