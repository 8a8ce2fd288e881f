import { describe, expect, it } from "vitest";
import type { RecordedMessage } from "#lib/exchange.ts";
import type { SessionReader } from "#lib/openai/sessions/session-reader.ts";
import { createSocketReading } from "#lib/recorder/read-sockets.ts";
import type { Session } from "#lib/session.ts";
import type { SocketSource } from "#lib/spool/socket-reader.ts";
import { chatExchange, endOf } from "#tests/support/exchange.ts";
import { TINY_MODEL, tinyReader } from "#tests/support/tiny-session.ts";

const noCaution = { isDeadly: () => false, begins() {} };
const source = (over: Partial<SocketSource["start"]> = {}): SocketSource => {
  const { id, origin, start } = chatExchange();
  const target = "/openai/realtime?api-version=2024-10-01-preview&deployment=our-voice";
  return { id, origin, start: { ...start, kind: "websocket", target, upstreamTarget: target, ...over } };
};
const said = (text: string, atMs = 100): RecordedMessage => ({ from: "server", atMs, bytes: text.length, text });

/** A socket that was opened, read as the assembler does it. */
function opened(options: Partial<Parameters<typeof createSocketReading>[0]> = {}, of = source()) {
  const reading = createSocketReading({ projectId: "p", caution: noCaution, readerOf: () => tinyReader, ...options });
  const state = reading.open(of);
  return {
    take: (text: string, { atMs = 100, replayed = false } = {}) => reading.take(of, state, said(text, atMs), replayed),
    close: (over = {}) => reading.close(of, state, endOf(over), 500),
    session: (): Session => reading.sessionOf(of, state),
    hasFailed: () => reading.hasFailed(state),
  };
}

describe("a reader that fails", () => {
  it("says so once, and what follows is counted and nothing else", () => {
    const socket = opened();
    expect(socket.take("die")).toEqual({ calls: [], turns: [] });
    expect(socket.take("done r0")).toBeNull();
    expect(socket.close()).toBeNull();
    expect(socket.session()).toMatchObject({
      ...{ problems: ["reader_failed"], turns: 0, serverMessages: 2, serverBytes: 10, endReason: "server_closed" },
      wastedUsd: "0",
    });
  });

  it("when it opens, ends or is asked what it knows leaves a session that is barely known", () => {
    const broken = () => {
      throw new Error("a fault");
    };
    const faults: Partial<SessionReader>[] = [{ open: broken }, { close: broken }, { facts: broken }];
    for (const fault of faults) {
      const socket = opened({ readerOf: () => ({ ...(tinyReader as SessionReader), ...fault }) });
      socket.take("noise");
      socket.close({ ending: "client_aborted" });
      expect(socket.session()).toMatchObject({ problems: ["reader_failed"], endReason: "client_closed" });
    }
  });

  it("in a turn that cannot be priced is a reader that failed", () => {
    const socket = opened();
    expect(socket.take("done r0 -50")).toEqual({ calls: [], turns: [] });
    expect(socket.session()).toMatchObject({ problems: ["reader_failed"], wastedUsd: "0" });
    const late = opened({ readerOf: () => ({ ...(tinyReader as SessionReader), close: () => priceless }) });
    expect(late.close()).toBeNull();
    expect(late.session().problems).toEqual(["reader_failed"]);
  });

  it("is not called again after a restart: what it knew is a JSON value", () => {
    const of = source();
    const reading = createSocketReading({ projectId: "p", caution: noCaution, readerOf: () => tinyReader });
    const state = reading.open(of);
    reading.take(of, state, said("done r0 50"), false);
    reading.take(of, state, said("die"), false);
    const carried = JSON.parse(JSON.stringify(state));
    const next = createSocketReading({ projectId: "p", caution: noCaution, readerOf: () => tinyReader });
    expect(next.hasFailed(carried)).toBe(true);
    expect(next.take(of, carried, said("done r1"), false)).toBeNull();
    expect(next.sessionOf(of, carried)).toMatchObject({ turns: 1, wastedUsd: "0.00008", problems: ["reader_failed"] });
  });
});

describe("a session that takes the recorder down", () => {
  it("is noted while it is read, and no longer read once it is known as deadly", () => {
    const noted: string[] = [];
    const of = source();
    const careful = { isDeadly: () => false, begins: ({ id }: { id: string }) => void noted.push(id) };
    const socket = opened({ caution: careful }, of);
    socket.take("noise");
    expect(noted).toEqual([of.id]);
    const deadly = opened({ caution: { isDeadly: ({ id }) => id === of.id, begins() {} } }, of);
    expect(deadly.take("done r0")).toEqual({ calls: [], turns: [] });
    expect(deadly.session()).toMatchObject({ problems: ["reader_failed"], turns: 0, serverMessages: 1 });
  });

  it("keeps what was read of it and stored before", () => {
    const of = source();
    const socket = opened({ caution: { isDeadly: () => true, begins() {} } }, of);
    expect(socket.take("done r0", { replayed: true })?.turns).toHaveLength(1);
    socket.take("done r1");
    expect(socket.session()).toMatchObject({ turns: 1, problems: ["reader_failed"] });
  });
});

describe("what was generated and never heard", () => {
  it("costs what its audio costs, and is summed as long as all of it has a price", () => {
    const socket = opened();
    // 1,000 ms are 20 tokens of $80 a million; 75 ms one and a half.
    expect(socket.take("done r0 1000")?.turns).toMatchObject([{ wastedUsd: "0.0016" }]);
    expect(socket.take("done r1")?.turns).toMatchObject([{ wastedUsd: null }]);
    expect(socket.take("done r2 75")?.turns).toMatchObject([{ wastedUsd: "0.00012" }]);
    expect(socket.session().wastedUsd).toBe("0.00172");
  });

  it("has no cost where the model has no price, and then neither has the session", () => {
    const socket = opened({ deployments: { "our-voice": "a-model-of-our-own" }, readerOf: () => nameless });
    expect(socket.take("done r0 1000")?.turns).toMatchObject([{ wastedUsd: null }]);
    expect(socket.session()).toMatchObject({ model: "a-model-of-our-own", wastedUsd: null });
  });

  it("is priced by the model behind a deployment, where that is told", () => {
    const socket = opened({ deployments: { "our-voice": TINY_MODEL }, readerOf: () => nameless });
    expect(socket.take("done r0 1000")?.turns).toMatchObject([{ wastedUsd: "0.0016" }]);
    expect(socket.session().model).toBe(TINY_MODEL);
  });
});

const priceless = (tinyReader as SessionReader).take(
  tinyReader.open("priceless", chatExchange().start),
  said("done r0 -50"),
);

/** Names its deployment, as Azure does. */
const nameless: SessionReader = {
  ...(tinyReader as SessionReader),
  take(state, message) {
    const { calls, turns } = (tinyReader as SessionReader).take(state, message);
    return { calls, turns: turns.map((turn) => ({ ...turn, model: "our-voice" })) };
  },
  facts: (state) => ({ ...(tinyReader as SessionReader).facts(state), model: null }),
};

describe("the end of a session", () => {
  it.each([
    [
      { ending: "completed", socket: { closeCode: 1000, closedBy: "client", clientBytes: 0, upstreamBytes: 0 } },
      "client_closed",
      1000,
    ],
    [
      { ending: "completed", socket: { closeCode: 1011, closedBy: "server", clientBytes: 0, upstreamBytes: 0 } },
      "server_closed",
      1011,
    ],
    [
      { ending: "completed", socket: { closeCode: 1001, closedBy: "proxy", clientBytes: 0, upstreamBytes: 0 } },
      "stopped",
      1001,
    ],
    [{ ending: "client_aborted" }, "client_closed", null],
    [{ ending: "upstream_reset" }, "reset", null],
    [{ ending: "interrupted" }, "stopped", null],
  ] as const)("%j is %s", (end, endReason, closeCode) => {
    const socket = opened();
    expect(socket.session()).toMatchObject({ endedAt: null, endReason: null, closeCode: null });
    socket.close(end);
    const { startedAt, ...row } = socket.session();
    expect(row).toMatchObject({ endReason, closeCode, endedAt: startedAt + 500 });
  });

  it("tells when the spool could not take all that was said", () => {
    const socket = opened();
    socket.take("noise");
    const counts = { closeCode: 1000, clientBytes: 0, upstreamBytes: 99, clientMessages: 0, serverMessages: 2 };
    socket.close({ socket: counts });
    expect(socket.session().problems).toEqual(["messages_missing"]);
  });
});

describe("whom a session was for", () => {
  it("is what its upgrade says", () => {
    const headers = [
      "x-omnimeter-customer",
      "acme",
      "x-omnimeter-tags",
      "tier=gold",
      "x-omnimeter-environment",
      "staging",
    ];
    expect(opened({}, source({ headers })).session()).toMatchObject({
      ...{ projectId: "p", customer: "acme", tags: { tier: "gold" }, environment: "staging", upstream: "default" },
    });
  });
});
