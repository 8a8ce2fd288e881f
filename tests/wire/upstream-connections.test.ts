import { join } from "node:path";
import { expect, test } from "vitest";
import type { Exchange, ExchangeEnd } from "#lib/exchange.ts";
import { readKey } from "#lib/keys.ts";
import { createAssembler } from "#lib/spool/assembler.ts";
import { createSpoolReader } from "#lib/spool/reader.ts";
import { spoolKeyFile, spoolRoot } from "#lib/spool/spool-dir.ts";
import { ask } from "#tests/support/http-client.ts";
import { metric, startProxy } from "#tests/support/proxy.ts";
import { eventually, scripted, useWire } from "./setup.ts";

const wire = useWire();

test("with one connection allowed, a second call waits for the first, and its sentAtMs tells that wait", async () => {
  const { first, second, overheadSeconds } = await recordTwo({ OMNIMETER_UPSTREAM_CONNECTIONS: "1" });
  // The clock of a start has whole milliseconds.
  expect(sentAt(second)).toBeGreaterThanOrEqual(answeredAt(first) - 2);
  expect(second.end?.sentAtMs).toBeGreaterThan(0);
  // The wait is our own time, as the store counts it; what it took to write the end frames comes on top.
  expect(overheadSeconds * 1000).toBeGreaterThanOrEqual(ownMs(first) + ownMs(second) - 0.001);
});

test("with the default, a second call does not wait for the first", async () => {
  const { first, second } = await recordTwo({});
  expect(sentAt(second)).toBeLessThan(answeredAt(first));
});

/** Two calls, the second begun while the upstream thinks about the first, as the spool holds them. */
async function recordTwo(env: Record<string, string>) {
  const proxy = await startProxy(wire.upstream.url, env);
  const call = () =>
    ask(`${proxy.url}/v1/chat/completions`, {
      method: "POST",
      headers: ["Content-Type", "application/json", ...scripted({ do: "chat", delayMs: 300 })],
      body: "{}",
    });
  try {
    const before = wire.upstream.requests();
    const first = call();
    await eventually("the upstream has the first", () => wire.upstream.requests() > before);
    const answers = await Promise.all([first, call()]);
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    const [one, two] = readSpool(proxy.dataDir).toSorted((a, b) => a.origin.seq - b.origin.seq);
    const overheadSeconds = await metric(proxy.url, "omnimeter_overhead_seconds_sum");
    return { first: one as Exchange, second: two as Exchange, overheadSeconds };
  } finally {
    await proxy.stop();
  }
}

function readSpool(dataDir: string): Exchange[] {
  const dir = join(spoolRoot(dataDir), "worker-0");
  const reader = createSpoolReader(dir, readKey(spoolKeyFile(dataDir)), { segment: 0, offset: 0 });
  const assembler = createAssembler("test");
  const exchanges: Exchange[] = [];
  for (let batch = reader.next(); batch; batch = reader.next()) exchanges.push(...assembler.add(batch).exchanges);
  reader.close();
  return exchanges;
}

const sentAt = ({ start, end }: Exchange) => start.startedAtMs + (end?.sentAtMs ?? Number.NaN);
const answeredAt = ({ start, end }: Exchange) => start.startedAtMs + (end?.responseEndAtMs ?? Number.NaN);

/** As call_own_ms in drizzle/ has it. */
function ownMs({ end }: Exchange): number {
  const { requestEndAtMs, connectMs, sentAtMs, responseEndAtMs, endAtMs } = end as ExchangeEnd;
  const sent = sentAtMs as number;
  const before = Math.max(0, sent - Math.min(requestEndAtMs ?? 0, sent) - (connectMs ?? 0));
  return before + endAtMs - (responseEndAtMs as number);
}
