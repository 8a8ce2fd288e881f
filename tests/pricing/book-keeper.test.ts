import { expect, it } from "vitest";
import { BUILT_IN } from "#lib/pricing/price-book.ts";
import { createBookKeeper } from "#lib/recorder/book-keeper.ts";

/** A store whose version and terms the test sets. */
function fakeStore() {
  const state = { version: "0", reads: 0, away: false, terms: [] as string[] };
  const answer = async <T>(value: () => T): Promise<T> => {
    if (state.away) throw new Error("away");
    return value();
  };
  const term = (id: string) => ({
    id,
    projectId: "default",
    models: "*",
    upstream: null,
    factor: "0.5",
    effectiveFrom: "2026-01-01",
    note: "",
    addedAtMs: 0,
  });
  const keeper = createBookKeeper({
    version: () => answer(() => state.version),
    read: () =>
      answer(() => {
        state.reads++;
        return { prices: [], terms: state.terms.map(term) };
      }),
  });
  const terms = () => keeper.book().terms.map((one) => one.term.id);
  return { state, keeper, terms };
}

it("prices by what comes with Omnimeter until the store was asked, which is done once before anything is priced", async () => {
  const { state, keeper, terms } = fakeStore();
  expect(keeper.book()).toBe(BUILT_IN);
  state.terms = ["a"];
  await keeper.first();
  await keeper.first();
  expect(terms()).toEqual(["a"]);
  expect(state.reads).toBe(1);
});

it("reads again only when something was added", async () => {
  const { state, keeper, terms } = fakeStore();
  await keeper.first();
  await keeper.look();
  expect(state.reads).toBe(1);
  Object.assign(state, { version: "1", terms: ["a"] });
  // Only a look finds it.
  await keeper.first();
  expect(terms()).toEqual([]);
  await keeper.look();
  expect(terms()).toEqual(["a"]);
  expect(state.reads).toBe(2);
});

it("keeps the book that it has while the store is away", async () => {
  const { state, keeper, terms } = fakeStore();
  state.away = true;
  await expect(keeper.first()).rejects.toThrow("away");
  Object.assign(state, { away: false, terms: ["a"] });
  await keeper.first();
  state.away = true;
  await expect(keeper.look()).rejects.toThrow("away");
  expect(terms()).toEqual(["a"]);
});
