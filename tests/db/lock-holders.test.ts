import { expect, test } from "vitest";
import { beginningOf } from "#db/lock-holders.ts";

test.each([
  ["select 1", "select 1"],
  ["update calls set error_message = 'a secret' where id = 1", "update calls set error_message = …"],
  ["-- it's said here\ninsert into calls values ('x')", "insert into calls values ( …"],
  ["/* 'quoted' */ select\n  1", "select 1"],
  ["select $1, $2", "select $1, $2"],
  ["do $guard$ begin perform 'x'; end $guard$", "do …"],
  ["select 'never ended", "select …"],
  ["/* never\nended", ""],
  [`select ${"a, ".repeat(60)}b`, `select ${"a, ".repeat(31)}…`],
])("of %j is shown %j", (statement, shown) => {
  expect(beginningOf(statement)).toBe(shown);
});
