import { expect, test } from "vitest";
import { readTraceparent, spanIdOf, traceIdOf, traceparentOf } from "#lib/trace-ids.ts";
import { createUuid7 } from "#lib/uuid7.ts";

const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT = "00f067aa0ba902b7";
const CALL = "0197f0a0-0000-7000-8000-000000000001";

test("a call's ids follow from its own id and nothing else", () => {
  expect(spanIdOf(CALL)).toBe(spanIdOf(CALL));
  expect(traceIdOf(CALL)).toBe("0197f0a0000070008000000000000001");
  const newId = createUuid7();
  const ids = Array.from({ length: 10_000 }, () => spanIdOf(newId()));
  expect(new Set(ids).size).toBe(10_000);
  expect(ids.filter((id) => !/^(?!0{16})[0-9a-f]{16}$/.test(id))).toEqual([]);
});

test.each([
  [`00-${TRACE}-${PARENT}-01`, { traceId: TRACE, parentSpanId: PARENT, flags: "01" }],
  // A later version may say more.
  [`cc-${TRACE}-${PARENT}-ff-more`, { traceId: TRACE, parentSpanId: PARENT, flags: "ff" }],
  [`00-${TRACE}-${PARENT}-01-more`, null],
  [`ff-${TRACE}-${PARENT}-01`, null],
  [`00-${"0".repeat(32)}-${PARENT}-01`, null],
  [`00-${TRACE}-${"0".repeat(16)}-01`, null],
  [`00-${TRACE.toUpperCase()}-${PARENT}-01`, null],
  [`00-${TRACE}-${PARENT}`, null],
  [`00-${TRACE}-${PARENT}-01,00-${TRACE}-${PARENT}-01`, null],
  ["", null],
  [undefined, null],
])("traceparent %s is read as %j", (value, expected) => {
  expect(readTraceparent(value)).toEqual(expected);
});

test("ours continues the client's trace with the client's flags, or begins a sampled one", () => {
  const span = spanIdOf(CALL);
  const of = (client: string) => traceparentOf(CALL, readTraceparent(client));
  expect(of(`00-${TRACE}-${PARENT}-00`)).toBe(`00-${TRACE}-${span}-00`);
  expect(of(`00-${TRACE}-${PARENT}-03`)).toBe(`00-${TRACE}-${span}-03`);
  expect(of(`cc-${TRACE}-${PARENT}-fd`)).toBe(`00-${TRACE}-${span}-01`);
  expect(of("nonsense")).toBe(`00-${traceIdOf(CALL)}-${span}-01`);
});
