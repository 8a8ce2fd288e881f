import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative, resolve } from "node:path";
import { readMigrations } from "#db/migrations.ts";

export interface EarlierVersion {
  /** What git calls it. */
  revision: string;
  folder: string;
  /** A path in it, for `run` of tests/support/process.ts. */
  entry(path: string): string;
  remove(): void;
}

/** The code as it was before the newest migration, with today's packages; null: there is no git history here. */
export function earlierVersion(): EarlierVersion | null {
  const newest = `drizzle/${readMigrations().at(-1)?.tag}.sql`;
  const folder = mkdtempSync(join(tmpdir(), "omnimeter-earlier-"));
  try {
    const added = git("log", "--diff-filter=A", "--format=%H", "-1", "--", newest);
    const revision = git("rev-parse", "--short", added ? `${added}^` : "HEAD");
    const archive = join(folder, "archive.tar");
    git("archive", "-o", archive, revision);
    mkdirSync(join(folder, "tree"));
    execFileSync("tar", ["-xf", archive, "-C", join(folder, "tree")]);
    symlinkSync(resolve("node_modules"), join(folder, "tree", "node_modules"));
    return {
      revision,
      folder: join(folder, "tree"),
      entry: (path) => relative(process.cwd(), join(folder, "tree", path)),
      remove: () => rmSync(folder, { recursive: true }),
    };
  } catch {
    rmSync(folder, { recursive: true });
    return null;
  }
}

const git = (...words: string[]): string => execFileSync("git", words, { encoding: "utf8", stdio: "pipe" }).trim();
