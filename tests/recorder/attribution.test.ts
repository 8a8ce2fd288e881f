import { describe, expect, it } from "vitest";
import type { ExchangeStart } from "#lib/exchange.ts";
import { readAttribution } from "#lib/recorder/attribution.ts";

const NO_HINTS = { metadata: {}, user: null, safetyIdentifier: null, promptId: null, promptVersion: null };
const start = (headers: string[], target = "/v1/chat/completions") => ({ headers, target }) as unknown as ExchangeStart;
const read = (headers: string[], target?: string, hints = {}) =>
  readAttribution(start(headers, target), { ...NO_HINTS, ...hints });

describe("attribution", () => {
  it("reads headers as percent-encoded UTF-8", () => {
    expect(read(["x-omnimeter-feature", "Caf%C3%A9", "X-Omnimeter-Tags", "plan=pro,region=%2Feu"])).toMatchObject({
      feature: "Café",
      tags: { plan: "pro", region: "/eu" },
      problems: [],
    });
  });

  it("prefers headers to the path, the path to baggage, and baggage to OpenAI's own fields", () => {
    const metadata = { metadata: { feature: "from metadata", customer: "acme" } };
    const baggage = ["baggage", "other=1,omnimeter.feature=from%20baggage;ttl=1"];
    expect(read(["x-omnimeter-feature", "header", ...baggage], "/f/path/v1/x", metadata).feature).toBe("header");
    expect(read(baggage, "/u/azure/f/pa%20th/v1/x", metadata).feature).toBe("pa th");
    expect(read(baggage, undefined, metadata).feature).toBe("from baggage");
    expect(read([], undefined, metadata)).toMatchObject({ feature: "from metadata", customer: "acme" });
  });

  it("takes users and templates from OpenAI's own fields", () => {
    const hints = { safetyIdentifier: "s", user: "u", promptId: "pmpt_1", promptVersion: "3" };
    expect(read([], undefined, hints)).toMatchObject({ endUser: "s", template: "pmpt_1", templateVersion: "3" });
  });

  it("drops what it cannot use, and says so, without failing the call", () => {
    const bad = read([
      "x-omnimeter-feature",
      "%E0%A4%A",
      "x-omnimeter-customer",
      "x".repeat(300),
      "x-omnimeter-tags",
      "novalue,a=1",
    ]);
    expect(bad).toMatchObject({ feature: null, customer: null, tags: { a: "1" } });
    expect(bad.problems).toEqual([
      "attribution_dropped:feature",
      "attribution_dropped:customer",
      "attribution_dropped:tags",
    ]);
  });

  it("knows attempts and traces, and ignores malformed ones", () => {
    const trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    expect(read(["traceparent", trace, "x-stainless-retry-count", "2"])).toMatchObject({
      traceId: "0af7651916cd43dd8448eb211c80319c",
      parentSpanId: "b7ad6b7169203331",
      attempt: 2,
    });
    expect(
      read(["traceparent", `00-${"0".repeat(32)}-b7ad6b7169203331-01`, "x-stainless-retry-count", "x"]),
    ).toMatchObject({
      traceId: null,
      attempt: 0,
    });
  });

  it("makes one operation of equal names", () => {
    const id = (name: string) => read(["x-omnimeter-operation", name]).operationId;
    expect(id("order 7")).toBe(id("order 7"));
    expect(id("order 7")).not.toBe(id("order 8"));
    expect(id("0AF76519-16CD-43DD-8448-EB211C80319C")).toBe("0af76519-16cd-43dd-8448-eb211c80319c");
  });
});
