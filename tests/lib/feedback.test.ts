import { describe, expect, it } from "vitest";
import { parseFeedback } from "#lib/feedback.ts";

const parse = (json: unknown) => parseFeedback(json, "id", 5);
const CALL = "01a1f91a-0d7f-7000-bef6-73b5214ec443";

describe("feedback", () => {
  it("is taken for a call, a response or a session", () => {
    expect(parse({ target: { call: CALL }, rating: "up", rater: "u1" })).toMatchObject({
      target: { kind: "call", id: CALL },
      rating: "up",
      rater: "u1",
    });
    expect(parse({ target: { response: "resp_1" }, score: 0.5 })).toMatchObject({ score: 0.5, rating: null });
    expect(parse({ target: { session: "s" }, labels: ["wrong"], comment: "no" })).toMatchObject({ labels: ["wrong"] });
  });

  it("can withdraw a thumb", () =>
    expect(parse({ target: { call: CALL }, rating: null })).toMatchObject({ rating: null }));

  it.each([
    ["body", "up"],
    ["body", ["x"]],
    ["target", { rating: "up" }],
    ["target", { target: { call: CALL, response: "x" }, rating: "up" }],
    ["target", { target: { call: "not-an-id" }, rating: "up" }],
    ["target", { target: { session: "" }, rating: "up" }],
    ["rating", { target: { call: CALL }, rating: "great" }],
    ["score", { target: { call: CALL }, score: "5" }],
    ["comment", { target: { call: CALL }, comment: 5 }],
    ["comment", { target: { call: CALL }, comment: "x".repeat(20_000) }],
    ["labels", { target: { call: CALL }, labels: "x" }],
    ["empty", { target: { call: CALL } }],
  ])("with a wrong %s is refused with a code and a sentence", (what, given) => {
    expect(parse(given)).toMatchObject({ code: `feedback_bad_${what}`, message: expect.stringMatching(/\.$/) });
  });
});
