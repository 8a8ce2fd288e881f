import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it, test } from "vitest";
import { toPrices } from "#lib/pricing/price.ts";
import { PRICES } from "#lib/pricing/price-book.ts";
import { SOURCES } from "#lib/pricing/sources.ts";

describe("the price book", () => {
  it("gives every price an id of its own that says what it is for", () => {
    const ids = PRICES.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids).toContain("gpt-4o-2024-08-06/input/text/read/standard/token@2024-10-01");
    expect(ids).toContain("gpt-image-1/output/image/none/standard/image_1024x1024_low@2025-04-23");
  });

  it("is complete and well written in every row", () => {
    for (const { id, usd, per, effectiveFrom, source, note } of PRICES) {
      expect(usd, id).toMatch(/^(0|[1-9]\d*)(\.\d*[1-9])?$/);
      expect(new Date(`${effectiveFrom}T00:00:00Z`).toISOString().slice(0, 10), id).toBe(effectiveFrom);
      expect(Number.isSafeInteger(per) && per > 0, id).toBe(true);
      expect(source, id).not.toBe("");
      expect(note, id).not.toBe("");
    }
  });

  it("never asks more for what a cache kept than for what it did not", () => {
    const same = ({ model, direction, modality, tier, unit }: (typeof PRICES)[number]) =>
      [model, direction, modality, tier, unit].join();
    for (const read of PRICES.filter(({ cache }) => cache === "read")) {
      const full = PRICES.filter((price) => price.cache === "none" && same(price) === same(read));
      expect(full, read.id).not.toEqual([]);
      expect(Math.max(...full.map(({ usd }) => Number(usd))), read.id).toBeGreaterThan(Number(read.usd));
    }
  });

  it("keeps what the sources leave open, and says how sure it is", () => {
    const audio = PRICES.filter((price) => price.model === "gpt-4o-transcribe" && price.modality === "audio");
    expect(audio.map(({ usd, per, tier, confidence }) => [usd, per, tier, confidence])).toEqual([
      ["6", 1_000_000, "standard", "high"],
      ["2.5", 1_000_000, "standard", "low"],
      ["0.006", 60, "estimate", "medium"],
    ]);
  });

  it("counts minutes in seconds, calls in thousands and sessions one by one", () => {
    const perUnit = Object.fromEntries(PRICES.map(({ unit, per }) => [unit, per]));
    expect(perUnit).toEqual({
      token: 1_000_000,
      character: 1_000_000,
      call: 1000,
      call_low_context: 1000,
      call_medium_context: 1000,
      call_high_context: 1000,
      second: 60,
      session: 1,
      gb_day: 1,
      image_1024x1024_low: 1,
      image_1024x1024_medium: 1,
      image_1024x1024_high: 1,
    });
  });

  it("refuses a row whose source nobody can look up", () => {
    const table = (source: string) =>
      ({ m: [["input text", "standard", "1 / 1M tokens", "2026-01-01", source, "observed low"]] }) as const;
    expect(toPrices(table("GP LL"))[0]?.source).toBe(`${SOURCES.GP}; ${SOURCES.LL}`);
    expect(() => toPrices(table("GP hearsay"))).toThrow("hearsay");
  });
});

const REFERENCE = new URL("../../../shared/reference/prices.csv", import.meta.url);

test("every row of the reference's price list is in the book, unchanged", ({ skip }) => {
  skip(!existsSync(REFERENCE), "../shared/reference/prices.csv is not there");
  const book = new Set(PRICES.map((price) => JSON.stringify(asReference(price))));
  const reference = readReference();
  expect(reference.length).toBeGreaterThanOrEqual(485);
  expect(reference.filter((row) => !book.has(JSON.stringify(row)))).toEqual([]);
  // Rows that look alike in the list (by search context, by image quality) are as many in the book.
  expect(new Set(reference.map((row) => JSON.stringify(row))).size).toBe(reference.length);
});

interface ReferenceRow {
  model: string;
  unit: string;
  direction: string;
  modality: string;
  cached: string;
  tier: string;
  usd: string;
  effective_from: string;
  source: string;
  date_basis: string;
  confidence: string;
  note: string;
}

function asReference(price: (typeof PRICES)[number]): ReferenceRow {
  const units: Record<string, string> = {
    token: "1M_tokens",
    character: "1M_characters",
    call: "1k_calls",
    second: "minute",
    session: "session",
    gb: "GB_day",
    image: "image",
  };
  return {
    model: price.model,
    unit: units[price.unit.split("_")[0] as string] ?? price.unit,
    direction: price.direction,
    modality: price.modality,
    cached: price.cache === "none" ? "no" : price.cache,
    tier: price.tier,
    usd: price.usd,
    effective_from: price.effectiveFrom,
    source: price.source,
    date_basis: price.dateBasis,
    confidence: price.confidence,
    note: price.note ?? "",
  };
}

function readReference(): ReferenceRow[] {
  const [head = "", ...lines] = readFileSync(REFERENCE, "utf8").trim().split("\n");
  const names = head.trim().split(",");
  let lastNote = "";
  return lines.map((line) => {
    const cells = [...line.trim().matchAll(/(?:^|,)(?:"([^"]*)"|([^,]*))/g)].map(
      ([, quoted, plain]) => quoted ?? plain ?? "",
    );
    expect(cells.length, line).toBe(names.length);
    const row = Object.fromEntries(names.map((name, i) => [name, cells[i]])) as unknown as ReferenceRow;
    // "same" is the note of the row above.
    if (row.note === "same") row.note = lastNote;
    lastNote = row.note;
    return {
      ...row,
      source: row.source
        .split(";")
        .map((key) => SOURCES[key])
        .join("; "),
    };
  });
}
