import { expect, test } from "vitest";
import { createPriceBook } from "#lib/pricing/create-price-book.ts";
import { listedModel } from "#lib/pricing/listed-model.ts";
import { BUILT_IN } from "#lib/pricing/price-book.ts";
import { priceLines } from "#lib/pricing/price-lines.ts";

test.each([
  ["gpt-4o-2024-08-06", "gpt-4o-2024-08-06", "a snapshot with prices of its own"],
  ["gpt-5-2025-08-07", "gpt-5", "came out under that name on the day that it names"],
  ["gpt-4.1-mini-2025-04-14", "gpt-4.1-mini", "likewise"],
  ["gpt-4o-2026-01-01", "gpt-4o-2026-01-01", "an alias that has moved says nothing of another day"],
  ["gpt-5-2026-02-02", "gpt-5-2026-02-02", "a later snapshot may cost something else"],
  ["text-embedding-ada-002-v2", "text-embedding-ada-002", "the only one there is, as its answers name it"],
  ["ft:gpt-4o-2024-08-06:acme:support:AbC", "ft:gpt-4o-2024-08-06", "a fine-tuned model has the list of its base's"],
  ["ft:gpt-5-2025-08-07:acme::AbC", "ft:gpt-5-2025-08-07", "which is never the base's own"],
  ["gpt-6.9-preview", "gpt-6.9-preview", "in no list"],
])("%s is listed as %s: %s", (model, listed) => {
  expect(listedModel(model, BUILT_IN)).toBe(listed);
});

test("somebody's own price for a model says nothing of when the model came out", () => {
  const [gpt5] = BUILT_IN.prices.filter(({ model }) => model === "gpt-5");
  if (!gpt5) throw new Error("gpt-5 has a price");
  const own = { ...gpt5, id: "own", model: "house-model", effectiveFrom: "2026-05-01", origin: "own" as const };
  const book = createPriceBook(BUILT_IN.prices, [own]);
  expect(listedModel("house-model-2026-05-01", book)).toBe("house-model-2026-05-01");
});

test("cached tokens of gpt-4o in a batch cost what the others do, and those of models with a list of their own do not", () => {
  const cost = (model: string) =>
    priceLines(
      [
        {
          direction: "input",
          modality: "text",
          cache: "read",
          unit: "token",
          product: null,
          quantity: 1_000_000,
          source: "reported",
        },
      ],
      {
        projectId: "default",
        upstream: "default",
        model,
        serviceTier: "batch",
        region: null,
        startedAt: Date.parse("2026-11-01"),
        inputTokens: 1_000_000,
      },
    )[0]?.costUsd;
  expect(cost("gpt-4o-mini-2024-07-18")).toBe("0.075");
  expect(cost("gpt-4o-2024-08-06")).toBe("1.25");
  expect(cost("gpt-5-2025-08-07")).toBe("0.0625");
  expect(cost("gpt-6-sol")).toBe(null);
});
