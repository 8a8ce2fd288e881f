import { describe, expect, it, test } from "vitest";
import { findPrice, type PriceQuery } from "#lib/pricing/find-price.ts";
import { PRICES } from "#lib/pricing/price-book.ts";

const find = (query: Partial<PriceQuery>) =>
  findPrice({
    model: "gpt-4o-2024-08-06",
    tier: "standard",
    direction: "input",
    modality: "text",
    cache: "none",
    unit: "token",
    atMs: Date.parse("2026-01-15T12:00:00Z"),
    ...query,
  });
const at = (text: string) => ({ atMs: Date.parse(text) });

describe("a price", () => {
  it("changes with the first millisecond of a UTC day", () => {
    const alias = { model: "gpt-4o" };
    expect(find({ ...alias, ...at("2024-05-12T23:59:59.999Z") })).toBeNull();
    expect(find({ ...alias, ...at("2024-05-13T00:00:00.000Z") })?.usd).toBe("5");
    expect(find({ ...alias, ...at("2024-10-01T23:59:59.999Z") })?.usd).toBe("5");
    expect(find({ ...alias, ...at("2024-10-02T00:00:00.000Z") })?.usd).toBe("2.5");
    // Midnight in New York or Berlin is nobody's boundary.
    expect(find({ ...alias, ...at("2024-10-02T00:30:00.000+02:00") })?.usd).toBe("5");
    expect(find({ ...alias, ...at("2024-10-01T20:00:00.000-04:00") })?.usd).toBe("2.5");
  });

  it("of cached tokens begins when caching did", () => {
    expect(find({ cache: "read", ...at("2024-09-30T23:59:59.999Z") })).toBeNull();
    expect(find({ cache: "read", ...at("2024-10-01T00:00:00.000Z") })?.id).toBe(
      "gpt-4o-2024-08-06/input/text/read/standard/token@2024-10-01",
    );
  });

  it("of a snapshot stays when the alias moves, and the other way round", () => {
    expect(find({ model: "gpt-4o-2024-05-13" })?.usd).toBe("5");
    expect(find({ model: "gpt-4o-audio-preview-2024-10-01", modality: "audio" })?.usd).toBe("100");
    expect(find({ model: "gpt-4o-audio-preview", modality: "audio" })?.usd).toBe("40");
  });

  it("is the newest of several", () => {
    expect(find({ model: "o3", ...at("2025-06-09T12:00:00Z") })?.usd).toBe("10");
    expect(find({ model: "o3", ...at("2025-06-10T12:00:00Z") })?.usd).toBe("2");
    expect(find({ model: "gpt-5.6-sol", ...at("2026-08-20T12:00:00Z") })?.usd).toBe("5");
    expect(find({ model: "gpt-5.6-sol", ...at("2026-12-24T12:00:00Z") })?.usd).toBe("4");
  });

  it("of a fine-tuned model is that of fine-tuned models", () => {
    expect(find({ model: "ft:gpt-4o-2024-08-06:acme:support:A1b2" })?.id).toBe(
      "ft:gpt-4o-2024-08-06/input/text/none/standard/token@2024-08-20",
    );
    expect(find({ model: "ft:gpt-4o-mini-2024-07-18:acme::A1b2:ckpt-step-88", cache: "read" })?.usd).toBe("0.15");
    // A fine-tune whose base is priced and whose own kind is not: the base's price would be too low.
    expect(find({ model: "gpt-4o-2024-11-20" })).not.toBeNull();
    expect(find({ model: "ft:gpt-4o-2024-11-20:acme::A1b2" })).toBeNull();
    expect(find({ model: "ft:gpt-4o-2024-08-06:acme::A1b2", tier: "priority" })).toBeNull();
  });

  test.each([
    "gpt-4o-2099-01-01",
    "gpt-4o-2024-08-06 ",
    "GPT-4o",
    "gpt-4o-",
    "openai/gpt-4o",
    "gpt-realtime-mini-2025-12-15",
    "ft:",
    "ft:gpt-4o",
    "",
    "constructor",
  ])("of the unknown model %j is unknown", (model) => {
    expect(find({ model })).toBeNull();
  });

  it("is never that of another tier, direction, modality, cache state or unit", () => {
    expect(find({})).not.toBeNull();
    expect(find({ tier: "flex" })).toBeNull();
    expect(find({ tier: "scale" })).toBeNull();
    expect(find({ direction: "training" })).toBeNull();
    expect(find({ modality: "audio" })).toBeNull();
    expect(find({ cache: "write_30m" })).toBeNull();
    expect(find({ unit: "character" })).toBeNull();
    // A key must not come apart at its separator.
    expect(find({ model: "gpt-4o-2024-08-06/input", direction: "input" })).toBeNull();
  });

  it("is found for every row on its first day, the day before there is none or an older one", () => {
    for (const price of PRICES) {
      const atMs = Date.parse(price.effectiveFrom);
      expect(findPrice({ ...price, atMs }), price.id).toBe(price);
      const before = findPrice({ ...price, atMs: atMs - 1 });
      if (before) expect(before.effectiveFrom < price.effectiveFrom, price.id).toBe(true);
    }
  });
});
