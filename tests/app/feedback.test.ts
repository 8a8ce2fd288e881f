import { describe, expect, it } from "vitest";
import { isSameOrigin } from "#app/_data/is-same-origin.ts";
import { readFields } from "#app/_data/read-fields.ts";

describe("a word is taken from this dashboard's own pages only", () => {
  const host = "127.0.0.1:3000";
  it.each([
    [{ host, origin: "http://127.0.0.1:3000", "sec-fetch-site": "same-origin" }, true],
    [{ host, origin: "http://127.0.0.1:3000" }, true],
    // Behind something that ends TLS.
    [{ host: "meter.example", origin: "https://meter.example" }, true],
    [{ host, "sec-fetch-site": "same-origin" }, true],
    // A program, not a browser.
    [{ host }, true],
    [{ host, origin: "http://evil.example" }, false],
    [{ host, origin: "http://127.0.0.1:3001" }, false],
    [{ host, origin: "null" }, false],
    [{ host, origin: "" }, false],
    [{ host, origin: "http://127.0.0.1:3000", "sec-fetch-site": "cross-site" }, false],
    [{ host, "sec-fetch-site": "same-site" }, false],
    [{ host, "sec-fetch-site": "none" }, false],
    [{ origin: "http://127.0.0.1:3000" }, false],
  ] as [Record<string, string>, boolean][])("%j: %s", (headers, allowed) =>
    expect(isSameOrigin(new Headers(headers))).toBe(allowed),
  );
});

describe("its fields", () => {
  const post = (body: BodyInit, type?: string) =>
    readFields(
      new Request("http://127.0.0.1/feedback", { method: "POST", body, headers: type ? { "content-type": type } : {} }),
      "feedback",
    );
  it("come as a form or as JSON", async () => {
    expect(await post(new URLSearchParams({ call: "a", comment: "ü & b" }))).toEqual({
      fields: { call: "a", comment: "ü & b" },
    });
    expect(await post('{"call":"a"}', "application/json")).toEqual({ fields: { call: "a" } });
  });
  it.each([
    ["[1]", "application/json", 400, "feedback_bad_json"],
    ["{", "application/json", 400, "feedback_bad_json"],
    ["null", "application/json", 400, "feedback_bad_json"],
    ["call=a", "text/plain", 415, "feedback_bad_type"],
    ["x".repeat((256 << 10) + 1), "application/json", 413, "feedback_too_large"],
  ])("%.10s as %s is refused with %i %s", async (body, type, status, code) => {
    expect(await post(body, type)).toMatchObject({ status, code, message: expect.stringMatching(/\.$/) });
  });
  it("may be as long as they may be, and no longer", async () => {
    const filled = `a=${"x".repeat((256 << 10) - 2)}`;
    expect(await post(filled, "application/x-www-form-urlencoded")).toHaveProperty("fields");
  });
});
