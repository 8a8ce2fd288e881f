import { expect, test } from "vitest";
import { createSharedLookup, type LookupAll } from "#lib/proxy/shared-lookup.ts";

const address = (last: number) => ({ address: `10.0.0.${last}`, family: 4 });
const ask = (lookup: ReturnType<typeof createSharedLookup>, all = true) =>
  new Promise((resolve) => lookup("up.example", { all }, (error, found) => resolve(error ? error.message : found)));

test("those who ask at once share one question, and for a second its answer", async () => {
  let questions = 0;
  let clock = 0;
  const lookup = createSharedLookup(
    (_name, answer) => setImmediate(answer, null, [address(++questions)]),
    () => clock,
  );
  expect(await Promise.all([ask(lookup), ask(lookup), ask(lookup, false)])).toEqual([
    [address(1)],
    [address(1)],
    "10.0.0.1",
  ]);
  clock = 999;
  expect(await ask(lookup)).toEqual([address(1)]);
  clock = 1000;
  expect(await ask(lookup)).toEqual([address(2)]);
  expect(questions).toBe(2);
});

test("while the resolver fails, the last addresses are given; without any, its error", async () => {
  const answers: Parameters<Parameters<LookupAll>[1]>[] = [
    [new Error("SERVFAIL"), []],
    [null, [address(1), address(2)]],
    [new Error("SERVFAIL"), []],
    [null, []],
    [null, [address(3)]],
  ];
  let clock = 0;
  const lookup = createSharedLookup(
    (_name, answer) => answer(...(answers.shift() as Parameters<typeof answer>)),
    () => (clock += 2000),
  );
  const seen = [];
  while (answers.length) seen.push(await ask(lookup));
  const two = [address(1), address(2)];
  expect(seen).toEqual(["SERVFAIL", two, two, two, [address(3)]]);
});
