import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Answer, ask, lasting } from "#tests/support/http-client.ts";
import { startProxy, type TestProxy } from "#tests/support/proxy.ts";
import {
  haveRecordings,
  type Recording,
  type Replay,
  readRecordings,
  requestBody,
  startReplay,
} from "#tests/support/replay.ts";
import type { Split } from "#tests/support/split.ts";

if (!haveRecordings) console.log("Skipped: the recordings of OpenAI traffic are not on this machine.");
const recordings = haveRecordings ? readRecordings() : [];

describe.skipIf(!haveRecordings)("recorded OpenAI traffic", () => {
  let replay: Replay;
  let proxy: TestProxy;
  beforeAll(async () => {
    replay = await startReplay(recordings);
    proxy = await startProxy(replay.url);
  });
  afterAll(async () => {
    await proxy?.stop();
    await replay?.stop();
  });

  const SPLITS: [string, (i: number) => Split][] = [
    ["whole", () => "whole"],
    ["event by event", () => "events"],
    ["at odd places", (i) => ({ seed: i })],
    ["three bytes at a time", () => ({ every: 3 })],
  ];
  for (const [name, split] of SPLITS)
    test(`every exchange, sent ${name}, arrives with the same status, headers and bytes as direct`, async () => {
      for (const [i, recording] of recordings.entries()) {
        const direct = await send(replay.url, recording, split(i));
        const proxied = await send(proxy.url, recording, split(i));
        expect(outline(proxied), recording.id).toEqual(outline(direct));
        expect(proxied.body.equals(wanted(recording, direct)), recording.id).toBe(true);
      }
    });

  test("there is something to replay", () => expect(recordings.length).toBeGreaterThan(150));
});

function send(base: string, recording: Recording, split: Split) {
  const { method, path, headers } = recording.request;
  const body = requestBody(recording);
  // Lengths and codings were those of the recorded connection.
  const own = Object.entries(headers).filter(
    ([name]) =>
      !/^(host|content-length|connection|transfer-encoding|content-encoding|accept-encoding|expect)$/.test(name),
  );
  const lines = [...own.flat(), "x-recording", recording.id, "x-split", JSON.stringify(split)];
  return ask(base + path, { method, headers: lines, ...(body && { body }) });
}

const outline = ({ status, statusText, rawHeaders, rawTrailers, complete }: Answer) => ({
  status,
  statusText,
  headers: lasting(rawHeaders),
  rawTrailers,
  complete,
});

/**
 * The replay answers what was recorded whatever is asked. Where the proxy asked for the usage and the recording states it,
 * the event that the client did not ask for is gone; every other byte stays.
 */
function wanted({ request }: Recording, direct: Answer): Buffer {
  const asks = request.body as { stream?: boolean; stream_options?: { include_usage?: boolean } } | undefined;
  const inserted =
    request.method === "POST" &&
    request.body_encoding === "json" &&
    /\/completions(\?|$)/.test(request.path) &&
    /json/.test(request.headers["content-type"] ?? "") &&
    asks?.stream === true &&
    asks.stream_options?.include_usage !== true;
  if (!inserted || direct.status !== 200) return direct.body;
  return Buffer.from(direct.text.replace(/data: \{[^\n]*"choices":\s*\[\][^\n]*"usage":\s*\{[^\n]*\n\r?\n/g, ""));
}
