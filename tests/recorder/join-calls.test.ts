import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Exchange } from "#lib/exchange.ts";
import { type CallJoiner, type CallJoinerOptions, createCallJoiner } from "#lib/recorder/join-calls.ts";
import { joinThroughProxy, proxyUrlOf } from "#lib/recorder/join-through-proxy.ts";
import { chatExchange } from "#tests/support/exchange.ts";
import { type FakeRealtime, type RealtimeScript, startRealtime } from "#tests/support/upstream/realtime.ts";

const KEY = "sk-joins";
const SILENT: RealtimeScript = { play: [] };
const HUNG_UP: RealtimeScript = { play: [], close: { code: 1000, reason: "" } };
const GOES_AWAY: RealtimeScript = { play: [], close: { code: 1001, reason: "" } };

/** By its number, from 0: the status that refuses a try. */
let refusals: (number | null)[] = [];
let scripts: RealtimeScript[] = [];
let tries = 0;
let server: FakeRealtime;
let warnings: string[] = [];
const joiners: CallJoiner[] = [];

beforeEach(async () => {
  [refusals, scripts, tries, warnings] = [[], [], 0, []];
  server = await startRealtime((connection) => scripts[connection] ?? SILENT, {
    refuses: () => refusals[tries++] ?? null,
  });
});
afterEach(async () => {
  vi.useRealTimers();
  for (const joiner of joiners.splice(0)) joiner.stop();
  await server.stop();
});

function newJoiner(over: Partial<CallJoinerOptions> = {}): CallJoiner {
  const warned = new Set<string>();
  const warnOnce = (key: string, sentence: string) => {
    if (!warned.has(key)) warnings.push(sentence);
    warned.add(key);
  };
  const proxyUrl = () => server.url.replace("http", "ws");
  const joiner = createCallJoiner({
    keys: { default: KEY },
    proxyUrl,
    log: { warnOnce },
    pausesMs: [1, 1, 1],
    ...over,
  });
  joiners.push(joiner);
  return joiner;
}

/** A call over WebRTC that was just set up. */
function setUp(callId: string, over: Partial<Exchange["start"]> = {}): Exchange {
  const exchange = chatExchange();
  const target = "/v1/realtime/calls";
  const response = exchange.response && {
    ...exchange.response,
    status: 201,
    headers: ["location", `${target}/${callId}`],
  };
  return { ...exchange, start: { ...exchange.start, target, upstreamTarget: target, ...over }, response };
}

const counted = (joiner: CallJoiner, expected: Partial<ReturnType<CallJoiner["counts"]>>) =>
  vi.waitFor(() => expect(joiner.counts()).toEqual({ joined: 0, failed: 0, too_many: 0, too_late: 0, ...expected }));

const openNow = () => server.connections.filter(({ close }) => close === null).length;

test("a call is listened to once, with the key and what the application said of it, and nothing is ever said into it", async () => {
  const headers = [
    ...["X-Omnimeter-Feature", "help%20desk", "x-omnimeter-tags", "a=1", "x-omnimeter-tags", "b=2"],
    ...["baggage", "omnimeter.customer=acme", "Authorization", "fp_app", "cookie", "fp_cookie", "content-length", "9"],
  ];
  const joiner = newJoiner();
  const exchange = setUp("rtc_1", { headers });
  joiner.join([chatExchange(), exchange, exchange]);
  joiner.join([exchange]);
  await counted(joiner, { joined: 1 });
  const [one] = server.connections;
  expect(one?.req.url).toBe("/v1/realtime?call_id=rtc_1");
  expect(one?.req.headers).toMatchObject({
    "x-omnimeter-feature": "help%20desk",
    "x-omnimeter-tags": "a=1,b=2",
    baggage: "omnimeter.customer=acme",
    authorization: `Bearer ${KEY}`,
  });
  expect(one?.req.headers).not.toHaveProperty("cookie");
  expect(one?.req.headers).not.toHaveProperty("content-length");
  joiner.stop();
  await vi.waitFor(() => expect(one?.close).toEqual([1000, ""]));
  expect(one?.received).toEqual([]);
  expect(server.connections).toHaveLength(1);
  // Whoever has stopped joins nothing.
  joiner.join([setUp("rtc_2")]);
  await counted(joiner, { joined: 1 });
  expect(tries).toBe(1);
});

test("a call that is not found yet is tried again three times; then it is counted as failed, and said once", async () => {
  refusals = [404, 503, null];
  const joiner = newJoiner();
  joiner.join([setUp("rtc_late")]);
  await counted(joiner, { joined: 1 });
  expect([tries, warnings]).toEqual([3, []]);

  refusals = Array(20).fill(404);
  joiner.join([setUp("rtc_never"), setUp("rtc_neither")]);
  await counted(joiner, { joined: 1, failed: 2 });
  expect(tries).toBe(3 + 2 * 4);
  expect(warnings).toEqual([expect.stringContaining("404 Not Found")]);
});

test("a key that is refused is not tried again, and never said", async () => {
  refusals = [401, 403];
  const joiner = newJoiner();
  joiner.join([setUp("rtc_1"), setUp("rtc_2")]);
  await counted(joiner, { failed: 2 });
  expect(tries).toBe(2);
  expect(warnings).toEqual([
    expect.stringMatching(/^the key in OMNIMETER_JOIN_CALLS_KEY is refused \((401|403) \w+\)/),
  ]);
  expect(warnings.join()).not.toContain(KEY);
});

test("no proxy, no port, and a header that cannot be sent again are failures like any other", async () => {
  const away = newJoiner({ proxyUrl: () => "ws://127.0.0.1:1" });
  away.join([setUp("rtc_1")]);
  await counted(away, { failed: 1 });
  const unknown = newJoiner({ proxyUrl: () => null });
  unknown.join([setUp("rtc_1")]);
  await counted(unknown, { failed: 1 });
  const odd = newJoiner();
  odd.join([setUp("rtc_1", { headers: ["x-omnimeter-feature", "caf\u0107"] })]);
  await counted(odd, { failed: 1 });
  expect(warnings).toEqual([
    expect.stringContaining("ECONNREFUSED"),
    expect.stringContaining("the proxy's port is not known"),
    expect.stringContaining("ERR_INVALID_CHAR"),
  ]);
});

test.each([404, 401])(
  "a listener that the proxy sends away joins again while the call goes on, until it is answered %i",
  async (status) => {
    scripts = [GOES_AWAY, SILENT];
    const joiner = newJoiner({ callsMax: 2 });
    joiner.join([setUp("rtc_1")]);
    await vi.waitFor(() => expect(server.connections).toHaveLength(2));
    await counted(joiner, { joined: 1 });
    await vi.waitFor(() => expect(openNow()).toBe(1));

    // It is not found any more: it has ended, and makes room without another try.
    scripts = [GOES_AWAY, SILENT, GOES_AWAY];
    refusals = [null, null, null, status, null];
    joiner.join([setUp("rtc_2")]);
    await vi.waitFor(() => expect(tries).toBe(4));
    await vi.waitFor(() => {
      joiner.join([setUp(`rtc_${Math.random()}`)]);
      expect(joiner.counts().joined).toBe(3);
    });
    expect(tries).toBe(5);
  },
);

test("a call that nobody ends is left after 65 minutes", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  const joiner = newJoiner();
  joiner.join([setUp("rtc_1")]);
  await counted(joiner, { joined: 1 });
  vi.advanceTimersByTime(64 * 60_000);
  expect(openNow()).toBe(1);
  vi.advanceTimersByTime(60_000);
  await vi.waitFor(() => expect(server.connections[0]?.close).toEqual([1000, ""]));
  expect(tries).toBe(1);
});

test("at most so many are listened to at once; who hangs up makes room", async () => {
  scripts = [HUNG_UP];
  const joiner = newJoiner({ callsMax: 1 });
  joiner.join([setUp("rtc_1"), setUp("rtc_2"), setUp("rtc_3")]);
  await counted(joiner, { joined: 1, too_many: 2 });
  expect(warnings).toEqual(["1 calls are listened to already: more are not, and are counted"]);
  await vi.waitFor(() => expect(openNow()).toBe(0));
  await vi.waitFor(() => {
    joiner.join([setUp(`rtc_${Math.random()}`)]);
    expect(joiner.counts().joined).toBe(2);
  });
});

test("what was set up a minute ago is not joined, and no key goes to an upstream that it is not for", async () => {
  const joiner = newJoiner();
  joiner.join([
    setUp("rtc_old", { startedAtMs: Date.now() - 60_001 }),
    setUp("rtc_elsewhere", { upstream: "other" }),
    setUp("rtc_odd", { upstream: "toString" }),
  ]);
  await counted(joiner, { too_late: 1 });
  joiner.join([setUp("rtc_young", { startedAtMs: Date.now() - 50_000 })]);
  await counted(joiner, { too_late: 1, joined: 1 });
  expect(tries).toBe(1);
});

test("without a key nothing is listened to", () => {
  expect(joinThroughProxy({ joinKeys: {}, host: "127.0.0.1", proxyPort: 4000 }, { warnOnce: () => {} })).toBeNull();
});

test.each([
  ["127.0.0.1", "ws://127.0.0.1:4000"],
  ["0.0.0.0", "ws://127.0.0.1:4000"],
  ["::", "ws://[::1]:4000"],
  ["::1", "ws://[::1]:4000"],
  ["proxy.internal", "ws://proxy.internal:4000"],
])("a proxy that listens on %s is asked at %s", (host, url) => {
  expect(proxyUrlOf(host, 4000)).toBe(url);
});
