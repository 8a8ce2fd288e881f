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
    expect(id("order%207")).toBe(id("order 7"));
    expect(id("0AF76519-16CD-43DD-8448-EB211C80319C")).toBe("0af76519-16cd-43dd-8448-eb211c80319c");
    expect(read([])).toMatchObject({ operationId: null, attempt: 0 });
  });
});

describe("an operation's attempts", () => {
  const CALL = "0199A1B2-C3D4-7E5F-8A1B-2C3D4E5F6071";
  const UUID4 = "0af76519-16cd-43dd-8448-eb211c80319c";
  const NAME = read(["x-omnimeter-operation", "order 7"]).operationId;
  const BAD_ATTEMPT = ["attribution_dropped:operation attempt"];
  const of = (header: string | null, retries: string | null) =>
    read([
      ...(header === null ? [] : ["X-Omnimeter-Operation", header]),
      ...(retries === null ? [] : ["x-stainless-retry-count", retries]),
    ]);

  const cases: [
    header: string | null,
    retries: string | null,
    id: string | null,
    attempt: number,
    problems: string[],
  ][] = [
    // The client's own count alone.
    [null, null, null, 0, []],
    [null, "0", null, 0, []],
    [null, "3", null, 3, []],
    [null, "-1", null, 0, []],
    [null, "1.5", null, 0, []],
    [null, "1000", null, 0, []],
    // A name is a first attempt unless somebody says otherwise.
    ["order 7", null, NAME, 0, []],
    ["order 7", "2", NAME, 2, []],
    ["order 7;attempt=1", null, NAME, 1, []],
    ["order%207 ; Attempt = 1", null, NAME, 1, []],
    ["order 7;attempt=0", "2", NAME, 2, []],
    ["order 7;attempt=3", "2", NAME, 3, []],
    ["order 7;attempt=999", null, NAME, 999, []],
    // A call id names the call that is tried again; a UUID of another kind is a name.
    [CALL, null, CALL.toLowerCase(), 1, []],
    [CALL, "0", CALL.toLowerCase(), 1, []],
    [CALL, "2", CALL.toLowerCase(), 2, []],
    [`${CALL};attempt=0`, null, CALL.toLowerCase(), 0, []],
    [`${CALL};attempt=0`, "1", CALL.toLowerCase(), 1, []],
    [`${CALL};attempt=4`, null, CALL.toLowerCase(), 4, []],
    [UUID4, null, UUID4, 0, []],
    [`${UUID4};attempt=1`, null, UUID4, 1, []],
    // What is malformed is left out, and said.
    ["order 7;attempt=-1", null, NAME, 0, BAD_ATTEMPT],
    ["order 7;attempt=1000", "1", NAME, 1, BAD_ATTEMPT],
    ["order 7;attempt=", null, NAME, 0, BAD_ATTEMPT],
    ["order 7;attempt=1e1", null, NAME, 0, BAD_ATTEMPT],
    ["order 7;attempt=1;attempt=2", null, NAME, 0, BAD_ATTEMPT],
    ["order 7;try=1", null, NAME, 0, BAD_ATTEMPT],
    ["order 7;", null, NAME, 0, BAD_ATTEMPT],
    [`${CALL};attempt=one`, null, CALL.toLowerCase(), 1, BAD_ATTEMPT],
    [";attempt=2", null, null, 2, ["attribution_dropped:operation"]],
    ["%zz;attempt=2", null, null, 2, ["attribution_dropped:operation"]],
    ["x".repeat(257), "1", null, 1, ["attribution_dropped:operation"]],
  ];
  for (const [header, retries, operationId, attempt, problems] of cases)
    it(`“${header?.slice(0, 60) ?? ""}” with retry count ${retries ?? "none"} is attempt ${attempt}`, () => {
      expect(of(header, retries)).toMatchObject({ operationId, attempt, problems });
    });

  it("are told apart from a sign inside of a name", () => {
    const encoded = of("order%3Battempt=1", null);
    expect(encoded).toMatchObject({ attempt: 0, problems: [] });
    expect(encoded.operationId).not.toBe(NAME);
  });

  it("may be named in baggage or metadata too", () => {
    expect(read(["baggage", `omnimeter.operation=${CALL}`])).toMatchObject({
      operationId: CALL.toLowerCase(),
      attempt: 1,
    });
    const metadata = { metadata: { operation: "order 7;attempt=2" } };
    expect(read([], undefined, metadata)).toMatchObject({ operationId: NAME, attempt: 2 });
  });
});
