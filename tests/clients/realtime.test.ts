import { once } from "node:events";
import { Agent, type RequestOptions } from "node:https";
import net from "node:net";
import type { Duplex } from "node:stream";
import { RealtimeAgent, RealtimeSession, tool } from "@openai/agents/realtime";
import OpenAI from "openai";
import { OpenAIRealtimeWS } from "openai/realtime/ws";
import type { RealtimeClientEvent } from "openai/resources/realtime/realtime";
import { afterEach, describe, expect, test } from "vitest";
import { z } from "zod";
import { startProxy, type TestProxy } from "#tests/support/proxy.ts";
import { type FakeRealtime, type RealtimeScript, startRealtime } from "#tests/support/upstream/realtime.ts";
import { readMessages, readSpool } from "#tests/wire/read-spool.ts";
import { eventually } from "#tests/wire/setup.ts";
import { lasting } from "./setup.ts";

const stops: (() => unknown)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

async function lab(script: RealtimeScript): Promise<{ fake: FakeRealtime; proxy: TestProxy }> {
  const fake = await startRealtime(() => script);
  stops.push(fake.stop);
  const proxy = await startProxy(fake.url);
  stops.push(proxy.stop);
  return { fake, proxy };
}

const silence = (ms: number) => Buffer.alloc(48 * ms);
/** Somebody speaks for a second. */
const SPOKEN: RealtimeScript = {
  play: "conversation",
  speech: [{ fromMs: 200, toMs: 1200 }],
  heard: "Hello?",
  audioMs: 1000,
};
const ASKED: RealtimeClientEvent[] = [
  { type: "session.update", session: { type: "realtime", instructions: "Be brief." } },
  {
    type: "conversation.item.create",
    item: { type: "message", role: "user", content: [{ type: "input_text", text: "你好" }] },
  },
];

describe.each(["whole", "fragments", "bytes"] as const)(
  "the openai package's realtime client, frames %s",
  (framing) => {
    test("hears the same events through the proxy as without it, and the provider the same from it", async () => {
      const { fake, proxy } = await lab({ ...SPOKEN, framing });
      const direct = await converse(fake.url);
      const proxied = await converse(proxy.url);
      expect(proxied).toEqual(direct);
      expect(proxied.at(-1)).toMatchObject({ type: "response.done", response: { status: "completed" } });
      const [one, other] = fake.connections;
      expect(other?.received).toEqual(one?.received);
      await eventually("the provider hears the close", () => !!(one?.close && other?.close));
      expect(other?.close).toEqual(one?.close);
    });
  },
);

test("what is said in a session is recorded, message by message, without its audio", async () => {
  const { proxy } = await lab(SPOKEN);
  const heard = await converse(proxy.url);
  await eventually("its end is recorded", () => readSpool(proxy.dataDir).length === 1);
  const [exchange] = readSpool(proxy.dataDir);
  expect(exchange).toMatchObject({ start: { kind: "websocket" }, response: { status: 101 } });
  const messages = readMessages(proxy.dataDir).get(exchange?.id ?? "") ?? [];
  const events = messages.map(({ from, text }) => ({ from, ...JSON.parse(text ?? "") }));
  expect(events.filter(({ from }) => from === "server").map(({ type }) => type)).toEqual(heard.map(({ type }) => type));
  const said = events.filter(({ from }) => from === "client");
  expect(said.map(({ type }) => type)).toEqual([
    ...ASKED.map(({ type }) => type),
    ...Array.from({ length: 75 }, () => "input_audio_buffer.append"),
  ]);
  expect(said.at(-1)).toMatchObject({ audio: "elided:1280" });
  const deltas = events.filter(({ type }) => type === "response.output_audio.delta");
  expect(deltas.map(({ delta }) => delta)).toEqual(Array.from({ length: 5 }, () => "elided:12800"));
});

test("a session that expires closes at the client as the provider closed it", async () => {
  const { proxy } = await lab({ play: "conversation", expireAfterMs: 50 });
  const client = connect(proxy.url);
  const errors: unknown[] = [];
  client.on("error", ({ error }) => errors.push(error));
  const [code, reason] = await once(client.socket, "close");
  expect([code, String(reason)]).toEqual([1001, "session expired"]);
  expect(errors).toEqual([expect.objectContaining({ code: "session_expired" })]);
});

test("the agents package's realtime session runs unmodified: it calls its tool, speaks, and is interrupted", async () => {
  const { fake, proxy } = await lab({
    play: "conversation",
    tool: { name: "get_weather", arguments: '{"city":"Oslo"}' },
    transcript: "It is seven degrees.",
    audioMs: 10_000,
    paceMs: 20,
  });
  const asked: string[] = [];
  const agent = new RealtimeAgent({
    name: "Weather",
    instructions: "Be brief.",
    tools: [
      tool({
        name: "get_weather",
        description: "Current weather",
        parameters: z.object({ city: z.string() }),
        execute: async ({ city }) => {
          asked.push(city);
          return "7 degrees";
        },
      }),
    ],
  });
  const session = new RealtimeSession(agent, { transport: "websocket", model: "gpt-realtime" });
  stops.push(() => session.close());
  const errors: unknown[] = [];
  session.on("error", (error) => errors.push(error));
  await session.connect({
    apiKey: "sk-test",
    url: `${proxy.url.replace("http", "ws")}/v1/realtime?model=gpt-realtime`,
  });
  const spoke = new Promise<number>((resolve) => session.on("audio", ({ data }) => resolve(data.byteLength)));
  session.sendMessage("What is the weather in Oslo?");
  expect(await spoke).toBe(9600);
  expect(asked).toEqual(["Oslo"]);
  session.interrupt();
  const received = () => fake.connections[0]?.received ?? [];
  await eventually("the provider hears of the interruption", () =>
    received().some(({ type }) => type === "conversation.item.truncate"),
  );
  expect(received().find(({ type }) => type === "response.cancel")).toBeDefined();
  expect(received().find(({ item }) => (item as { type?: string })?.type === "function_call_output")).toMatchObject({
    item: { call_id: "call_fake1", output: "7 degrees" },
  });
  expect(errors).toEqual([]);
});

test("a browser's handshake: the key is a subprotocol, only `realtime` is chosen, and the key is not recorded", async () => {
  const { fake, proxy } = await lab(SPOKEN);
  const ws = new globalThis.WebSocket(`${proxy.url.replace("http", "ws")}/v1/realtime?model=gpt-realtime`, [
    "realtime",
    "openai-insecure-api-key.ek_browser_secret",
  ]);
  const [{ data }] = (await once(ws, "message")) as [MessageEvent];
  expect(JSON.parse(data)).toMatchObject({ type: "session.created" });
  expect([ws.protocol, ws.extensions]).toEqual(["realtime", ""]);
  ws.close(3001, "done");
  await once(ws, "close");
  expect(fake.connections[0]?.req.headers["sec-websocket-protocol"]).toContain("ek_browser_secret");
  await eventually("its end is recorded", () => readSpool(proxy.dataDir).length === 1);
  const [exchange] = readSpool(proxy.dataDir);
  expect(JSON.stringify(exchange)).not.toContain("ek_browser_secret");
  expect(exchange?.end?.socket).toMatchObject({ closeCode: 3001, closedBy: "client" });
  await eventually("the provider hears the close", () => fake.connections[0]?.close !== null);
  expect(fake.connections[0]?.close).toEqual([3001, "done"]);
});

/** This client speaks `wss:` only. What would take the TLS off in front of the proxy is left out, by the agent that it may be given. */
class PlainAgent extends Agent {
  override createConnection(options: RequestOptions): Duplex {
    return net.connect(Number(options.port), options.host ?? undefined);
  }
}

function connect(url: string): OpenAIRealtimeWS {
  const openai = new OpenAI({ baseURL: `${url}/v1`, apiKey: "sk-test" });
  return new OpenAIRealtimeWS({ model: "gpt-realtime", options: { agent: new PlainAgent() } }, openai);
}

/** Two events and 1.5 s of microphone, as fast as they can be sent. Everything that came back, up to the answer's end. */
async function converse(url: string): Promise<{ type: string }[]> {
  const client = connect(url);
  const heard: { type: string }[] = [];
  client.on("event", (event) => heard.push(event));
  await once(client.socket, "open");
  for (const event of ASKED) client.send(event);
  for (let i = 0; i < 75; i++)
    client.send({ type: "input_audio_buffer.append", audio: silence(20).toString("base64") });
  await new Promise((done) => client.on("response.done", done));
  client.close({ code: 1000, reason: "bye" });
  await once(client.socket, "close");
  return lasting(heard) as { type: string }[];
}
