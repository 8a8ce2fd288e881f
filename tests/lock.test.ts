import { readFileSync } from "node:fs";
import { expect, test } from "vitest";

interface Package {
  version?: string;
  resolved?: string;
  optionalDependencies?: Record<string, string>;
}

const { packages } = JSON.parse(readFileSync("package-lock.json", "utf8")) as { packages: Record<string, Package> };

test("the lock holds every package for every platform, so that npm ci works everywhere", () => {
  const missing = Object.entries(packages).flatMap(([path, { version, optionalDependencies }]) =>
    Object.keys(optionalDependencies ?? {})
      .filter((name) => !find(path, name))
      .map((name) => `${path || "(root)"} ${version ?? ""} needs ${name}`),
  );
  expect(missing).toEqual([]);
});

test("the lock names no host to install from", () => {
  const named = Object.entries(packages).filter(([, { resolved }]) => resolved?.includes("://"));
  expect(named.map(([path]) => path)).toEqual([]);
});

test("package.json pins exact versions", () => {
  const { dependencies, devDependencies, optionalDependencies } = JSON.parse(readFileSync("package.json", "utf8"));
  const loose = Object.entries({ ...dependencies, ...devDependencies, ...optionalDependencies }).filter(
    ([, version]) => !/^(?:npm:.+@)?\d/.test(version as string),
  );
  expect(loose).toEqual([]);
});

/** As Node resolves: beside the package, then beside each package around it. */
function find(from: string, name: string): string | undefined {
  for (let path = from; ; path = path.slice(0, Math.max(0, path.lastIndexOf("node_modules/") - 1))) {
    const key = `${path ? `${path}/` : ""}node_modules/${name}`;
    if (packages[key]) return key;
    if (!path) return undefined;
  }
}
