import type { IncomingMessage } from "node:http";
import { expect, test } from "vitest";
import { createAdmission } from "#lib/proxy/admit.ts";

const asking = (host: string | undefined, headers = 1, httpVersion = "1.1") =>
  ({ headers: { host }, rawHeaders: Array(2 * headers).fill("x"), httpVersion }) as unknown as IncomingMessage;
const code = (listens: string, host: string | undefined, allowed: string[] = []) =>
  createAdmission(listens, allowed)(asking(host))?.code ?? "served";

test.each([
  "127.0.0.1:4000",
  "localhost:4000",
  "LOCALHOST",
  "[::1]:4000",
  "10.1.2.3",
  "host.docker.internal:4000",
  "app.localhost",
  "omnimeter:4000",
  "omnimeter.team.svc.cluster.local:4000",
  "localhost.:4000",
  "omnimeter.local.",
])("on loopback, a request for %s is served: no page of a stranger has that name", (host) => {
  expect(code("127.0.0.1", host)).toBe("served");
});

test.each(["evil.example:4000", "127.0.0.1.evil.example", "localhost.evil.example", "1.2.3.4.5", "[::1].evil.example"])(
  "on loopback, a request for %s is refused, unless the name was allowed",
  (host) => {
    for (const listens of ["127.0.0.1", "127.8.8.8", "localhost", "::1"])
      expect(code(listens, host)).toBe("omnimeter_host_refused");
    expect(code("127.0.0.1", host, ["*"])).toBe("served");
    expect(code("127.0.0.1", host, [host.replace(/\.?(?::\d+)?$/, "")])).toBe("served");
  },
);

test("a proxy for the network answers to any name", () => {
  expect(code("0.0.0.0", "llm.example")).toBe("served");
});

test("HTTP/1.1 needs a Host header, HTTP/1.0 does not", () => {
  expect(code("0.0.0.0", undefined)).toBe("omnimeter_bad_request");
  expect(createAdmission("0.0.0.0", [])(asking(undefined, 1, "1.0"))).toBeNull();
});

test.each([
  ["chunked", null],
  ["Chunked ", null],
  ["gzip, chunked", { status: 501, code: "omnimeter_unknown_coding" }],
  ["chunked, chunked", { status: 501, code: "omnimeter_unknown_coding" }],
])("a request whose transfer coding is %s", (coding, refusal) => {
  const req = asking("localhost");
  req.headers["transfer-encoding"] = coding;
  const found = createAdmission("127.0.0.1", [])(req);
  if (refusal) expect(found).toMatchObject(refusal);
  else expect(found).toBeNull();
});

test("a thousand headers pass, one more does not", () => {
  const admits = createAdmission("127.0.0.1", []);
  expect(admits(asking("localhost", 1000))).toBeNull();
  expect(admits(asking("localhost", 1001))).toMatchObject({ status: 431, code: "omnimeter_headers_too_large" });
});
