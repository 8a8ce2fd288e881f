import { describe, expect, it } from "vitest";
import { elideFiles } from "#lib/openai/bodies/json.ts";

const IMAGE = `data:image/png;base64,${"A".repeat(400)}`;
const RUN = "QUJD".repeat(300);

describe("what of a request is kept as its parameters and tools", () => {
  it("has the kind and size of a file in its place, and all else as it was", () => {
    const request = { first: 1, deep: [{ url: IMAGE, note: "n" }, "kept"], raw: RUN, last: null };
    expect(elideFiles(request)).toEqual({
      first: 1,
      deep: [{ url: "data:image/png;base64,(400 characters)", note: "n" }, "kept"],
      raw: "(1200 characters of base64)",
      last: null,
    });
    expect(Object.keys(elideFiles(request) as object)).toEqual(["first", "deep", "raw", "last"]);
    expect(request.deep[0]).toEqual({ url: IMAGE, note: "n" });
    expect(request.raw).toBe(RUN);
  });

  it("is no copy where there is no file in it", () => {
    const tool = { name: "t", parameters: { enum: ["a", "b"], properties: { p: { type: "string" } } } };
    expect(elideFiles(tool)).toBe(tool);
    expect(elideFiles({ tool, image: IMAGE })).toHaveProperty("tool", tool);
  });

  it("cannot be led to another prototype by a name", () => {
    const hostile = JSON.parse(`{"a":1,"__proto__":{"image":${JSON.stringify(IMAGE)}}}`);
    const elided = elideFiles(hostile) as object;
    expect(Object.getPrototypeOf(elided)).toBe(Object.prototype);
    expect(JSON.stringify(elided)).toBe('{"a":1,"__proto__":{"image":"data:image/png;base64,(400 characters)"}}');
  });

  it("ends where somebody nests without end", () => {
    let nested: unknown = IMAGE;
    for (let i = 0; i < 1000; i++) nested = [nested];
    expect(JSON.stringify(elideFiles(nested))).toBe(`${"[".repeat(33)}"…"${"]".repeat(33)}`);
  });
});
