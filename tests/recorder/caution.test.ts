import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createCaution, STRETCH_EXCHANGES, weightOf } from "#lib/recorder/caution.ts";
import { chatExchange } from "#tests/support/exchange.ts";

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "omnimeter-caution-"));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const here = { segment: 7, offset: 100 };
const deadly = chatExchange();
const harmless = chatExchange();

/** A recorder's life that ends at `exchange` without a word. */
function die(exchange = deadly) {
  const caution = createCaution(dir, here);
  if (!caution.isDeadly(exchange)) caution.begins(exchange);
  return caution;
}

test("an exchange that takes the recorder down is found at its fifth death, and named alone", () => {
  expect([1, 2, 3, 4].map(() => die().isDeadly(deadly))).toEqual([false, false, false, false]);
  const fifth = createCaution(dir, here);
  expect([fifth.careful(), fifth.isDeadly(deadly), fifth.isDeadly(harmless)]).toEqual([true, true, false]);
});

test("one death at an exchange is nobody's fault: it may have been a kill", () => {
  die();
  die();
  die(harmless);
  die(deadly);
  expect(createCaution(dir, here).isDeadly(harmless)).toBe(false);
  expect(die(deadly).isDeadly(deadly)).toBe(false);
});

test("whoever gets on, or ends in order, is careful no more and leaves nothing behind", () => {
  for (let life = 0; life < 10; life++) {
    const caution = createCaution(dir, here);
    expect(caution.careful()).toBe(false);
    if (life % 2) caution.over();
    else caution.stored(1, here);
    caution.begins(deadly);
  }
  expect(readdirSync(dir)).toEqual([]);
  for (let life = 0; life < 10; life++) expect(createCaution(dir, { segment: 7, offset: life }).careful()).toBe(false);
});

test("care goes on over what is stored, so that the next life is careful at once, until a whole stretch is behind", () => {
  for (let life = 0; life < 2; life++) createCaution(dir, here);
  const caution = createCaution(dir, here);
  const further = { segment: 7, offset: 900 };
  caution.stored(3, further);
  expect(caution.careful()).toBe(true);
  caution.begins(deadly);
  const next = createCaution(dir, further);
  expect(next.careful()).toBe(true);
  next.stored(STRETCH_EXCHANGES - 1, here);
  expect(next.careful()).toBe(true);
  next.stored(1, here);
  expect(next.careful()).toBe(false);
  expect(readdirSync(dir)).toEqual([]);
});

test("a session is noted once for all of its messages in a row, and anew when something else was read in between", () => {
  for (let life = 0; life < 2; life++) createCaution(dir, here);
  const caution = createCaution(dir, here);
  const note = () => JSON.parse(readFileSync(join(dir, "recorder-at.json"), "utf8")).suspect;
  caution.begins(deadly);
  expect(note()).toEqual({ id: deadly.id, deaths: 0 });
  writeFileSync(join(dir, "recorder-at.json"), '{"suspect":"as it was"}');
  caution.begins(deadly);
  expect(note()).toBe("as it was");
  caution.begins(harmless);
  expect(note()).toEqual({ id: harmless.id, deaths: 0 });
  caution.stored(1, here);
  expect(note()).toBeNull();
  caution.begins(harmless);
  expect(note()).toEqual({ id: harmless.id, deaths: 0 });
});

test("messages weigh less than exchanges: it takes ten of them", () => {
  expect([weightOf(3, 0), weightOf(0, 10), weightOf(2, 5)]).toEqual([3, 1, 2.5]);
});

test("a note that is damaged, or a disk that takes none, costs the caution and nothing else", () => {
  rmSync(dir, { recursive: true });
  expect(die().careful()).toBe(false);
  expect(die().isDeadly(deadly)).toBe(false);
});
