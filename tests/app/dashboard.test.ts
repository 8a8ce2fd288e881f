import { expect, it } from "vitest";
import { hostCheck } from "#lib/dashboard.ts";

it("on loopback, only names of this machine are answered", () => {
  const allowed = hostCheck("127.0.0.1");
  for (const host of [
    "localhost:3000",
    "127.0.0.1:3000",
    "127.0.0.1",
    "[::1]:3000",
    "omnimeter.localhost:3000",
    "LOCALHOST",
  ])
    expect(allowed(host), host).toBe(true);
  for (const host of [
    "evil.example",
    "evil.example:3000",
    "localhost.evil.example",
    "127.0.0.1.evil.example",
    "",
    undefined,
  ])
    expect(allowed(host), host).toBe(false);
});

it("bound to a network, any name may be its own", () => {
  expect(hostCheck("0.0.0.0")("omnimeter.internal:3000")).toBe(true);
});
