import { describe, expect, it } from "vitest";
import { codeOf, readFailure, storeTrouble, TookTooLong } from "#app/_data/read-failure.ts";
import { unservedBy } from "#app/_frame/unserved.ts";
import { dropWords } from "#app/settings/health/drop-words.ts";
import { equationVerdict } from "#app/settings/health/equation-words.ts";
import { HEALTH_ANSWERS } from "#app/settings/health/health-answer.tsx";
import { isOverdue } from "#app/settings/health/jobs.tsx";
import { whose } from "#app/settings/health/slow-queries.tsx";
import { ALERTS_JOB } from "#db/alerts.ts";
import type { EquationOfAll } from "#db/queries/health-spools.ts";
import { StoreBusy } from "#db/queries/snapshot.ts";
import { SPEND_FILTERS } from "#db/queries/spend-source.ts";
import { REBUILD_JOB } from "#db/rebuild-rollups.ts";
import { RETENTION_JOB } from "#db/retention.ts";
import { leaving, openRequest, REQUEST_HEADER } from "#lib/open-requests.ts";

describe("the equation", () => {
  const equation: EquationOfAll = {
    spools: 1,
    runs: 2,
    accepted: 100,
    stored: 90,
    setAside: 2,
    dropped: 0,
    open: 8,
    missing: 0,
    surplus: 0,
    atRisk: 0,
  };
  const said = (over: Partial<EquationOfAll>) => {
    const { good, sentences } = equationVerdict({ ...equation, ...over });
    return `${good} ${sentences.join(" ")}`;
  };
  it("says when it adds up, and names what was dropped", () => {
    expect(said({})).toBe("true It adds up: every accepted call stands somewhere.");
    expect(said({ dropped: 1 })).toContain("1 call went through unrecorded; the reasons are below.");
  });
  it("does not call nothing a proof", () =>
    expect(said({ accepted: 0, stored: 0, setAside: 0, open: 0 })).toMatch(/^true Nothing was accepted yet/));
  it("says by how much it differs, and never lets too many make up for too few", () => {
    expect(said({ missing: 1 })).toMatch(/^false It differs by 1: 1 call of workers that are gone is neither/);
    expect(said({ missing: 1234 })).toContain("differs by 1,234: 1,234 calls of workers that are gone are neither");
    const both = said({ missing: 3, surplus: 3 });
    expect(both).toMatch(/^false/);
    expect(both).toMatch(/neither stored.*more calls ended/);
  });
});

describe("a reason of drops", () => {
  it.each(["too_many_calls", "spool_full", "disk_slow", "disk_full", "disk_error", "closing", "torn", "expired"])(
    "%s has words and something to do",
    (reason) => {
      const { what, todo } = dropWords(reason);
      expect(what).not.toBe(reason.replaceAll("_", " "));
      expect(todo).toMatch(/^[A-Z].*\.$/);
    },
  );
  it("that is not known is named as it is", () => {
    expect(dropWords("solar_flare").what).toBe("solar flare");
    expect(dropWords("constructor").what).toBe("constructor");
  });
});

describe("a job", () => {
  it("is overdue when it has not ended for long, or never", () => {
    const job = { name: "alerts", holder: null };
    expect(isOverdue({ ...job, finishedSeconds: 300 })).toBe(false);
    expect(isOverdue({ ...job, finishedSeconds: 301 })).toBe(true);
    expect(isOverdue({ ...job, finishedSeconds: null })).toBe(true);
    expect(isOverdue({ name: "of another version", holder: null, finishedSeconds: 1e9 })).toBe(false);
  });
  it("is not overdue in its first turn, however long that takes", () => {
    expect(isOverdue({ name: "indexes", holder: "one", finishedSeconds: null })).toBe(false);
    expect(isOverdue({ name: "indexes", holder: "one", finishedSeconds: 1e9 })).toBe(true);
  });
  it.each([ALERTS_JOB, RETENTION_JOB, REBUILD_JOB, "indexes", "set-aside"])("%s has a limit", (name) =>
    expect(isOverdue({ name, holder: null, finishedSeconds: 1e9 })).toBe(true),
  );
});

it.each([
  ["omnimeter: spend Xy12", "Spend"],
  ["omnimeter: export abc", "An export"],
  ["omnimeter: toString", "A page"],
  ["omnimeter", "The recorder or a command"],
])("a query of %s is of: %s", (name, words) => expect(whose(name)).toBe(words));

describe("what goes wrong while reading", () => {
  it.each([
    [new TookTooLong(), "This took too long"],
    [fault("57014", "canceling statement due to statement timeout"), "This took too long"],
    [fault("57014", "canceling statement due to user request"), "Cancelled"],
    [new StoreBusy("x"), "The dashboard is busy"],
    [fault("ECONNREFUSED", "connect ECONNREFUSED db.internal:5432"), "This could not be read"],
    ["thrown", "This could not be read"],
  ])("%s: %s", (error, title) => {
    const failure = readFailure(error);
    expect(failure.title).toBe(title);
    expect(failure.sentence).toMatch(/^[A-Z].*\.$/);
    // What a driver says may name hosts and users.
    expect(failure.sentence).not.toContain("internal");
  });
  it.each([
    ["ECONNREFUSED", /does not answer/],
    ["CONNECT_TIMEOUT", /does not answer/],
    ["57P03", /does not answer/],
    ["53300", /max_connections/],
    ["53100", /out of space/],
    ["25006", /read-only/],
    ["42P01", /older than this dashboard/],
    ["XX000", /refused it \(XX000\)/],
    ["", /no code/],
  ])("%s is told as %s", (code, words) => expect(storeTrouble(code)).toMatch(words));
  it("has a code only where one is given", () => {
    expect(codeOf(fault("57014", "x"))).toBe("57014");
    expect(codeOf(null)).toBe("");
    expect(codeOf("57014")).toBe("");
  });
});

it("filters that no rollup keeps are named", () => {
  expect(unservedBy({}, SPEND_FILTERS)).toBeNull();
  expect(unservedBy({ customer: ["a"], feature: [""] }, SPEND_FILTERS)).toBeNull();
  expect(unservedBy({ outcome: ["failed"], endpoint: ["x"], model: ["m"] }, SPEND_FILTERS)).toBe(
    "a filter by status and endpoint",
  );
});

describe("a request that is being answered", () => {
  const open = () => {
    const closes: (() => void)[] = [];
    const response = { writableFinished: false, once: (_: string, close: () => void) => closes.push(close) };
    const request = { headers: {} as Record<string, string> };
    openRequest(request as never, response as never);
    const name = request.headers[REQUEST_HEADER] ?? null;
    return { name, response, close: () => closes.map((close) => close()) };
  };
  it("is left when its connection closes before the answer's end", () => {
    const { name, close } = open();
    const signal = leaving(name);
    expect(signal?.aborted).toBe(false);
    close();
    expect(signal?.aborted).toBe(true);
    expect(leaving(name)).toBeNull();
  });
  it("is not left when the answer has ended", () => {
    const { name, response, close } = open();
    const signal = leaving(name);
    response.writableFinished = true;
    close();
    expect(signal?.aborted).toBe(false);
    expect(leaving(name)).toBeNull();
  });
  it("is known only by its own name", () => {
    expect(leaving(null)).toBeNull();
    expect(leaving("forged")).toBeNull();
  });
});

it("answers of the health section are sentences", () => {
  for (const { sentence } of Object.values(HEALTH_ANSWERS)) expect(sentence).toMatch(/^[A-Z].*\.$/);
});

function fault(code: string, message: string): Error {
  return Object.assign(new Error(message), { code });
}
