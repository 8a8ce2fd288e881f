import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { type AddressInfo, createServer as createTcpServer } from "node:net";
import { afterEach, expect, test } from "vitest";
import { createSharedLookup } from "#lib/proxy/shared-lookup.ts";
import { createUpstreams } from "#lib/proxy/upstreams.ts";

// All of 127.0.0.0/8 is this machine on Linux only.
const onLinux = test.skipIf(process.platform !== "linux");
const servers: Server[] = [];

afterEach(() => {
  for (const server of servers.splice(0)) server.close().closeAllConnections();
});

onLinux("a name that moves to another address is followed, and what is under way on the old one finishes", async () => {
  const port = await freePort();
  let open: (() => void) | null = null;
  await serve("127.0.0.1", port, (path, end) => {
    if (path === "/slow") open = () => end("one");
    else end("one");
  });
  await serve("127.0.0.2", port, (_path, end) => end("two"));
  let address = "127.0.0.1";
  const upstreams = createUpstreams(
    { default: `http://moving.example:${port}` },
    {
      connectTimeoutMs: 1000,
      connections: 10,
      lookMs: 50,
      lookup: createSharedLookup(
        (_name, answer) => answer(null, [{ address, family: 4 }]),
        () => Number.NaN,
      ),
    },
  );
  const upstream = upstreams.get("default");
  const get = async (path: string) => (await upstream.pool.request({ path, method: "GET" })).body.text();
  const slow = get("/slow");
  expect(await get("/")).toBe("one");
  address = "127.0.0.2";
  const deadline = Date.now() + 5000;
  // Every call succeeds, from the one or from the other.
  for (let last = "one"; last === "one"; last = await get("/")) expect(Date.now()).toBeLessThan(deadline);
  (open as unknown as () => void)();
  expect(await slow).toBe("one");
  await upstreams.close();
});

onLinux("of two addresses, one of which is dead, the other is found", async () => {
  const port = await freePort();
  await serve("127.0.0.2", port, (_path, end) => end("alive"));
  const addresses = ["127.0.0.1", "127.0.0.2"].map((address) => ({ address, family: 4 }));
  const lookup = createSharedLookup((_name, answer) => answer(null, addresses));
  const upstreams = createUpstreams(
    { default: `http://half-dead.example:${port}` },
    { connectTimeoutMs: 2000, connections: 10, lookup },
  );
  const { pool } = upstreams.get("default");
  for (let i = 0; i < 3; i++)
    expect(await (await pool.request({ path: "/", method: "GET", reset: true })).body.text()).toBe("alive");
  await upstreams.close();
});

async function serve(host: string, port: number, play: (path: string, end: (text: string) => void) => void) {
  const server = createServer((req, res) => play(req.url as string, (text) => res.end(text)));
  servers.push(server.listen(port, host));
  await once(server, "listening");
}

async function freePort(): Promise<number> {
  const server = createTcpServer().listen(0, "0.0.0.0");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
