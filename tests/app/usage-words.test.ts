import { describe, expect, it } from "vitest";
import { endpointName } from "#app/_ui/endpoint-name.ts";
import { type LineWords, lineName, lineQuantity, productName, unitPriceInWords } from "#app/_ui/usage-words.ts";
import { partOf } from "#app/calls/[id]/media/[index]/part-of.ts";
import { CACHE_STATES, LINE_UNITS } from "#lib/call.ts";
import { ENDPOINTS } from "#lib/openai/endpoints.ts";

const line = (more: Partial<LineWords>): LineWords => ({
  direction: "input",
  modality: "text",
  cache: "none",
  unit: "token",
  product: null,
  ...more,
});

describe("a usage line", () => {
  it.each([
    [{}, "Text input"],
    [{ modality: "audio", cache: "read" }, "Audio cached input"],
    [{ cache: "write_12h" }, "Text cache write, 12 h"],
    [{ direction: "output", modality: "image" }, "Image output"],
    [{ modality: "audio", unit: "second" }, "Audio input"],
    [{ direction: "tool", modality: "none", unit: "web_search_call", product: "tool:web_search" }, "Web search"],
    [{ direction: "tool", modality: "none", unit: "container_session_4g" }, "Container of 4 GB"],
    [
      { direction: "tool", modality: "image", unit: "input_token", product: "gpt-image-1" },
      "Image input of gpt-image-1",
    ],
    [{ direction: "tool", modality: "none", unit: "moon_call" }, "Tool, moon call"],
  ])("%j is called %s", (more, name) => expect(lineName(line(more))).toBe(name));

  it("has a name, a quantity and a price in words for every unit and cache state there is", () => {
    for (const unit of LINE_UNITS) {
      for (const cache of CACHE_STATES)
        for (const direction of ["input", "tool"])
          expect(lineName(line({ unit, cache, direction }))).not.toMatch(/undefined|_/);
      expect(lineQuantity({ unit, quantity: 2 })).toMatch(/^2/);
      expect(unitPriceInWords(unit, "0.01", 1)).toMatch(/^\$0\.01 \/ [a-z]+$/);
    }
  });

  it.each([
    ["token", 18432, "18,432"],
    ["second", 12.345, "12.345 seconds"],
    ["second", 1, "1 second"],
    ["image", 2, "2 images"],
    ["web_search_call", -1, "-1 searches"],
  ])("%s × %s is written %s", (unit, quantity, text) => expect(lineQuantity({ unit, quantity })).toBe(text));

  it.each([
    ["token", "2.5", 1_000_000, "$2.50 / 1M tokens"],
    ["token", "0.075", 1_000_000, "$0.075 / 1M tokens"],
    ["second", "0.006", 60, "$0.006 / minute"],
    ["second", "0.0000125", 1, "$0.0000125 / second"],
    ["web_search_call", "10", 1000, "$10.00 / 1,000 searches"],
    ["image", "0.04", 1, "$0.04 / image"],
    ["character", "15", 1_000_000, "$15.00 / 1M characters"],
  ])("the price of a %s, %s per %s, is %s", (unit, usd, per, text) =>
    expect(unitPriceInWords(unit, usd, per)).toBe(text),
  );
  it("without a price has none", () => expect(unitPriceInWords("token", null, null)).toBe("—"));

  it("names what it is listed under as people would", () => {
    expect([productName("tool:web_search_preview"), productName("gpt-4o")]).toEqual(["web search preview", "gpt-4o"]);
  });
});

describe("an endpoint's name", () => {
  it("can be read, and tells it from all others", () => {
    const names = new Set(ENDPOINTS.map(({ name }) => name));
    const read = new Set([...names].map(endpointName));
    expect(read.size).toBe(names.size);
    for (const name of read) expect(name).toMatch(/^[A-Z][^_]*$/);
    expect(endpointName("chat_completions")).toBe("Chat completions");
    expect(endpointName("toString")).toBe("ToString");
  });
});

describe("a range of bytes", () => {
  it.each([
    [null, 100, "all"],
    ["bytes=0-", 100, { from: 0, to: 99 }],
    ["bytes=0-0", 100, { from: 0, to: 0 }],
    ["bytes=10-19", 100, { from: 10, to: 19 }],
    ["bytes=90-500", 100, { from: 90, to: 99 }],
    ["bytes=-10", 100, { from: 90, to: 99 }],
    ["bytes=-500", 100, { from: 0, to: 99 }],
    ["bytes=100-", 100, "none"],
    ["bytes=-0", 100, "none"],
    ["bytes=0-", 0, "none"],
    ["bytes=-1", 0, "none"],
    ["bytes=9-3", 100, "all"],
    ["bytes=0-1,5-6", 100, "all"],
    ["bytes=-", 100, "all"],
    ["words=0-1", 100, "all"],
    ["bytes=99999999999999999999-", 100, "all"],
  ])("%s of %s is %j", (range, length, part) => expect(partOf(range, length)).toEqual(part));
});
