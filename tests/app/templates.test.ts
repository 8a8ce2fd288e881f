import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { formatFilter } from "#app/_frame/filter-text.ts";
import { readView } from "#app/_frame/view.ts";
import { nameOf, nameOfVersion } from "#app/templates/names.ts";
import { elsewhereHref, readSort, templatesHref, withDefaults } from "#app/templates/query.ts";
import { openWords } from "#app/templates/words.ts";
import type { TemplateRow } from "#db/queries/templates-page.ts";
import { ensureKey } from "#lib/keys.ts";
import { toStorable } from "#lib/privacy/seal.ts";

const row = (over: Partial<TemplateRow>) =>
  ({ template: "", version: "", unitHash: "", members: 1, ...over }) as TemplateRow;
const words = new Map([["3f2a91", "You are a helpful"]]);

describe("a row's name and its calls", () => {
  it.each([
    [{ template: "reply" }, "reply", "declared", "template:reply"],
    [{ unitHash: "3f2a91" }, "You are a helpful", "words", "unit:3f2a91"],
    [{ unitHash: "77aa55" }, "instructions 77aa… (words not kept)", "ours", "unit:77aa55"],
    [{}, "no instructions", "ours", "template:;unit:"],
    [{ template: "(other)" }, "templates that were too many to keep apart", "ours", null],
    [{ unitHash: "(other)" }, "instructions that were too many to keep apart", "ours", null],
  ])("of %j", (over, text, kind, filter) => {
    const name = nameOf(row(over), words);
    expect(name).toMatchObject({ text, kind });
    expect(name.filter && formatFilter(name.filter)).toBe(filter);
  });
  it.each([
    [{ version: "2" }, "reply@2", "template:reply;version:2"],
    [{ version: "" }, "no version given", "template:reply;version:"],
    [{ version: "", members: 3 }, "3 more versions", null],
    [{ version: "(other)" }, "versions that were too many to keep apart", null],
  ])("of the version %j", (over, text, filter) => {
    const name = nameOfVersion(row({ template: "reply", ...over }));
    expect(name.text).toBe(text);
    expect(name.filter && formatFilter(name.filter)).toBe(filter);
  });
});

describe("the page's address", () => {
  const now = Date.parse("2026-11-20T12:00:00Z");
  const address = (params: Record<string, string>) =>
    templatesHref(readView(withDefaults(params), "UTC", now), readSort(params));
  it("means 30 days when it names no range, and keeps 24 hours when it does", () => {
    expect(address({})).toBe("/templates?r=30d");
    const day = readView(withDefaults({ r: "24h" }), "UTC", now);
    expect(day.interval.toMs - day.interval.fromMs).toBe(86_400_000);
    expect(address({ r: "24h" })).toBe("/templates?r=1d");
  });
  it("goes along to other pages with its range, its zone and its filters", () => {
    const view = readView(withDefaults({ r: "2026-10", f: "feature:search" }), "Asia/Kolkata", now);
    expect(elsewhereHref("/spend", view, { template: ["a"] })).toBe(
      "/spend?r=2026-10&tz=Asia/Kolkata&f=feature:search;template:a",
    );
  });
  it("holds the sort where it is not by cost", () => {
    expect(address({ s: "tokens", r: "7d" })).toBe("/templates?r=7d&s=tokens");
    expect(address({ s: "price", r: "7d" })).toBe("/templates?r=7d");
  });
});

describe("first words", () => {
  let dataDir: string;
  beforeEach(() => {
    dataDir = mkdtempSync(join(tmpdir(), "omnimeter-words-"));
  });
  afterEach(() => rmSync(dataDir, { recursive: true }));
  const seal = (text: string, key: Buffer) =>
    toStorable(
      { parameters: {}, tools: [], input: [{ role: "system", parts: [{ type: "text", text }] }], output: [] },
      key,
    ).sealed;

  it("are opened with the content key; what another key sealed is left out", () => {
    const key = ensureKey(join(dataDir, "keys", "content.key"));
    const sealed = new Map<string, Buffer>([
      ["a", seal("You are a helpful", key)],
      ["b", seal("Secret", Buffer.alloc(32, 1))],
      ["c", Buffer.from("damaged")],
    ]);
    expect([...openWords(sealed, dataDir)]).toEqual([["a", "You are a helpful"]]);
  });
  it("without a key are none", () =>
    expect(openWords(new Map<string, Buffer>([["a", seal("x", Buffer.alloc(32, 1))]]), dataDir)).toEqual(new Map()));
});
