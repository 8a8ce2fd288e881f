import { LLMock } from "@copilotkit/aimock";
import { afterAll, beforeAll } from "vitest";
import { startProxy, type TestProxy } from "#tests/support/proxy.ts";
import { startUpstream, type Upstream } from "#tests/support/upstream/server.ts";

export interface Lab {
  mock: LLMock;
  upstream: Upstream;
  /** In front of the mock. */
  proxy: TestProxy;
  /** In front of the hostile upstream. */
  hostile: TestProxy;
}

/** A maintained fake of OpenAI and a hostile one, each with the real proxy in front of it. */
export function useLab(teach: (mock: LLMock) => void): Lab {
  const lab = {} as Lab;
  beforeAll(async () => {
    lab.mock = new LLMock({ port: 0 });
    teach(lab.mock);
    await lab.mock.start();
    lab.upstream = await startUpstream();
    [lab.proxy, lab.hostile] = await Promise.all([startProxy(lab.mock.url), startProxy(lab.upstream.url)]);
  });
  afterAll(async () => {
    await Promise.all([lab.proxy?.stop(), lab.hostile?.stop()]);
    await lab.upstream?.stop();
    await lab.mock?.stop();
  });
  return lab;
}

/** Runs the same work direct and through the proxy; ids, times and Omnimeter's own header left out. */
export async function bothWays<T>(direct: string, proxied: string, work: (baseURL: string) => Promise<T>) {
  return { direct: lasting(await work(`${direct}/v1`)), proxied: lasting(await work(`${proxied}/v1`)) };
}

/** Made anew for each answer: ids, times, and padding of random length. */
const PASSING =
  /^(id|call_?id|item_?id|response_?id|tool_?call_?id|message_?id|created|created_?at|completed_?at|timestamp|date|x-request-id|request_?id|_request_id|obfuscation|keep-alive|connection|transfer-encoding|x-omnimeter-call-id|x-ratelimit-.*|startTime|.*Ms|.*PerSecond|performance)$/i;

export function lasting(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(lasting);
  if (value instanceof Date) return "a date";
  if (typeof value !== "object" || value === null) return typeof value === "function" ? "a function" : value;
  const plain = value instanceof Headers ? Object.fromEntries(value) : value;
  return Object.fromEntries(
    Object.entries(plain).flatMap(([name, inner]) => (PASSING.test(name) ? [] : [[name, lasting(inner)]])),
  );
}
