import { describe, expect, it } from "vitest";
import { maskQuery, maskSubprotocols, routeOf } from "#lib/openai/relay.ts";
import { createFingerprint } from "#lib/proxy/fingerprint.ts";
import { foreignBaggage, readRequestHeaders } from "#lib/proxy/headers.ts";

const fingerprint = createFingerprint(Buffer.alloc(32, 7));
const read = (...raw: string[]) => readRequestHeaders(raw, fingerprint, 32 << 10);

describe("headers on their way up", () => {
  it("keep their order, case and repetition; what is for this hop or for Omnimeter stays here", () => {
    const { forward } = read(
      "Host",
      "x",
      "X-A",
      "1",
      "x-a",
      "2",
      "Connection",
      "keep-alive, X-Hop",
      "X-Hop",
      "1",
      "x-omnimeter-feature",
      "f",
      "OpenAI-Project",
      "p",
    );
    expect(forward).toEqual(["X-A", "1", "x-a", "2", "OpenAI-Project", "p"]);
  });

  it("are recorded without their secrets, and equal secrets stay equal", () => {
    const { record } = read("Authorization", "Bearer sk-abc", "api-key", "k");
    expect(record[1]).toMatch(/^fp_[0-9a-f]{16}$/);
    expect(record).toEqual(read("Authorization", "Bearer sk-abc", "api-key", "k").record);
    expect(record.join()).not.toContain("sk-abc");
    for (const name of ["x-auth-token", "x-goog-api-key", "Helicone-Auth", "Cookie", "Ocp-Apim-Subscription-Key"])
      expect(read(name, "hidden").record.join()).not.toContain("hidden");
    expect(read("x-max-tokens", "5").record).toEqual(["x-max-tokens", "5"]);
  });

  it("lose only Omnimeter's members of baggage", () => {
    expect(foreignBaggage("omnimeter.feature=chat, userId=7;p=1,omnimeter.customer=a")).toBe("userId=7;p=1");
    expect(foreignBaggage("a=1,  b=2")).toBe("a=1,  b=2");
    expect(read("baggage", "omnimeter.feature=chat").forward).toEqual([]);
  });

  it("beyond the limit are forwarded and not recorded, and that shows", () => {
    const headers = readRequestHeaders(["X-A", "1".repeat(100), "X-B", "2"], fingerprint, 50);
    expect(headers.forward).toHaveLength(4);
    expect(headers).toMatchObject({ record: [], recordCut: true });
  });
});

describe("secrets outside of headers", () => {
  it("are masked in queries and subprotocols", () => {
    expect(maskQuery("/openai/x?api-key=abc&model=m", () => "fp")).toBe("/openai/x?api-key=fp&model=m");
    for (const name of ["subscription-key", "client_secret", "api%2Dkey", "password", "auth", "x-api-key", "sig"])
      expect(maskQuery(`/v1/x?a=1&${name}=abc`, () => "fp")).toBe(`/v1/x?a=1&${name}=fp`);
    expect(maskSubprotocols("realtime, openai-insecure-api-key.sk-1", () => "fp")).toBe(
      "realtime, openai-insecure-api-key.fp",
    );
  });
});

describe("routes", () => {
  const upstreams = { default: "https://api.openai.com", azure: "https://x.openai.azure.com" };
  it.each([
    [
      "/v1/chat/completions?beta=true",
      { kind: "relay", upstream: "default", target: "/v1/chat/completions?beta=true" },
    ],
    ["/openai/deployments/d/chat/completions", { kind: "relay", upstream: "default" }],
    ["/u/azure/openai/v1/responses", { kind: "relay", upstream: "azure", target: "/openai/v1/responses" }],
    ["/f/my%20feature/v1/models", { kind: "relay", upstream: "default", target: "/v1/models" }],
    ["/u/azure/f/chat/v1/models", { kind: "relay", upstream: "azure", target: "/v1/models" }],
    ["/f/chat/u/azure/v1/models", { kind: "relay", upstream: "azure", target: "/v1/models" }],
    ["/u/nobody/v1/models", { kind: "none", code: "omnimeter_unknown_upstream" }],
    ["/u/constructor/v1/models", { kind: "none", code: "omnimeter_unknown_upstream" }],
    ["/v12/models", { kind: "none", code: "omnimeter_unknown_path" }],
    ["/", { kind: "none" }],
    ["/metrics?x", { kind: "own", name: "metrics" }],
  ])("%s", (url, expected) => expect(routeOf(url, upstreams)).toMatchObject(expected));
});
