import { readFileSync } from "node:fs";

/** The rows of docs/metrics.md. */
export function documentedFamilies(): { name: string; type: string; labels: string[] }[] {
  return readFileSync("docs/metrics.md", "utf8")
    .split("\n")
    .flatMap((line) => {
      const [, name, type, labels] = /^\| `(omnimeter_\w+)` \| (\w+) \| ([^|]*)\|/.exec(line) ?? [];
      return name && type
        ? [{ name, type, labels: [...(labels ?? "").matchAll(/`(\w+)`/g)].map(([, one]) => one as string) }]
        : [];
    });
}
