import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

test("whoever uses telemetry imports it when it is switched on, so that nobody else pays for the SDK", () => {
  const early = readdirSync("lib", { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts") && !name.startsWith("telemetry/"))
    .filter((name) =>
      /^(?:import|export) (?!type\b)[^;]*["'][^"']*\btelemetry\//m.test(readFileSync(join("lib", name), "utf8")),
    );
  expect(early).toEqual([]);
});
