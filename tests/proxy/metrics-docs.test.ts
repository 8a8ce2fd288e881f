import { expect, test } from "vitest";
import { allFamilies } from "#tests/support/all-families.ts";
import { documentedFamilies } from "#tests/support/documented-families.ts";

test("docs/metrics.md names every family with its type, and no other", () => {
  const known = allFamilies().map(({ name, type }) => `${name} ${type}`);
  expect(
    documentedFamilies()
      .map(({ name, type }) => `${name} ${type}`)
      .sort(),
  ).toEqual(known.sort());
});
