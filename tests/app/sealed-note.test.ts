import { expect, test } from "vitest";
import { sealedSentence } from "#app/_frame/sealed-sentence.ts";
import { goneSentence } from "#app/calls/[id]/gone-sentence.ts";

test("a range that reaches behind what is kept says so, and no other", () => {
  const monday = Date.UTC(2026, 7, 3);
  expect(sealedSentence(monday, monday - 1)).toContain(
    "Calls before 3 Aug 2026 (UTC) are no longer kept, their totals are",
  );
  expect(sealedSentence(monday, monday)).toBeNull();
  expect(sealedSentence(null, 0)).toBeNull();
});

test("a call that is not found may have been dropped, when calls were", () => {
  expect(goneSentence(Date.UTC(2026, 7, 3))).toContain("Calls before 3 Aug 2026 (UTC) are no longer kept");
  expect(goneSentence(null)).toBeNull();
});
