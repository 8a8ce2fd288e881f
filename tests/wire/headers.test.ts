import { request } from "node:http";
import { expect, test } from "vitest";
import { ask, lasting, rawExchange, valuesOf } from "#tests/support/http-client.ts";
import type { Echo } from "#tests/support/upstream/play.ts";
import type { Script } from "#tests/support/upstream/script.ts";
import { scripted, useWire } from "./setup.ts";

const wire = useWire();
const UUID7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

const echoOf = async (headers: string[], path = "/v1/models") =>
  JSON.parse((await ask(wire.proxy.url + path, { headers: [...headers, ...scripted({ do: "echo" })] })).text) as Echo;

test("request headers reach the upstream in order, spelled and repeated as sent", async () => {
  const headers = [
    "Authorization",
    "Bearer sk-test",
    "OpenAI-Organization",
    "org-1",
    "X-Stainless-Retry-Count",
    "0",
    "x-repeated",
    "one",
    "X-Repeated",
    "two",
    "Cookie",
    "a=1; b=2",
    "Accept",
    "text/event-stream",
    "Accept-Encoding",
    "br, gzip",
    "User-Agent",
    "OpenAI/JS 7.55.0",
    "X-Empty",
    "",
    "X-Latin",
    "caf\u00e9",
  ];
  const seen = await echoOf(headers);
  const sent = lasting(headers);
  expect(lasting(seen.rawHeaders).filter((line) => sent.includes(line))).toEqual(sent);
});

test("the upstream is addressed by its own name, and is told nothing of the proxy", async () => {
  const seen = await echoOf([]);
  expect(valuesOf(seen.rawHeaders, "host")).toEqual([new URL(wire.upstream.url).host]);
  const names = seen.rawHeaders.filter((_, i) => i % 2 === 0).map((name) => name.toLowerCase());
  expect(names.filter((name) => /^(via|forwarded|x-forwarded|x-real|x-omnimeter)/.test(name))).toEqual([]);
});

test("headers of the connection stay on the connection", async () => {
  const seen = await echoOf([
    "Connection",
    "keep-alive, X-Only-Here",
    "X-Only-Here",
    "secret of this hop",
    "Keep-Alive",
    "timeout=9",
    "Proxy-Authorization",
    "Basic eHg=",
    "Proxy-Connection",
    "keep-alive",
    "TE",
    "trailers, deflate;q=0.5",
    "X-Kept",
    "yes",
  ]);
  const names = seen.rawHeaders.filter((_, i) => i % 2 === 0).map((name) => name.toLowerCase());
  for (const gone of ["x-only-here", "keep-alive", "proxy-authorization", "proxy-connection"])
    expect(names).not.toContain(gone);
  expect(names).toContain("x-kept");
  expect(valuesOf(seen.rawHeaders, "te")).toEqual(["trailers"]);
});

test("x-omnimeter-* headers and Omnimeter's own baggage members stop at the proxy", async () => {
  const seen = await echoOf([
    "X-Omnimeter-Feature",
    "search",
    "x-omnimeter-customer",
    "ACME%20Ltd",
    "x-omnimeter-not-known",
    "1",
    "baggage",
    "userId=alice,omnimeter.feature=search;p=1, serverNode=DF%2028 ,omnimeter.user=u1",
  ]);
  expect(seen.rawHeaders.filter((_, i) => i % 2 === 0).filter((name) => /omnimeter/i.test(name))).toEqual([]);
  expect(valuesOf(seen.rawHeaders, "baggage")).toHaveLength(1);
  const [baggage = ""] = valuesOf(seen.rawHeaders, "baggage");
  expect(baggage).not.toContain("omnimeter.");
  expect(baggage.split(",").map((member) => member.trim())).toEqual(["userId=alice", "serverNode=DF%2028"]);
});

test("baggage with nothing but Omnimeter's members is not sent on; foreign baggage is untouched", async () => {
  expect(valuesOf((await echoOf(["baggage", "omnimeter.feature=x"])).rawHeaders, "baggage")).toEqual([]);
  const foreign = "a=1 ; x=y ,b=%C3%A9,  notomnimeter.feature=2";
  expect(valuesOf((await echoOf(["Baggage", foreign])).rawHeaders, "baggage")).toEqual([foreign]);
});

test("bad attribution does not fail a call", async () => {
  for (const value of ["%", "%ff", "x".repeat(5000), "a=b,=,,==", "\u0080\u00ff"]) {
    const headers = [
      "x-omnimeter-feature",
      value,
      "x-omnimeter-tags",
      value,
      "x-omnimeter-operation",
      value,
      "baggage",
      `omnimeter.user=${value}`,
    ];
    expect((await ask(`${wire.proxy.url}/v1/models`, { headers })).status).toBe(200);
  }
});

const ERRORS: Record<string, [number, [string, string][], string]> = {
  "a rate limit": [
    429,
    [
      ["Content-Type", "application/json"],
      ["Retry-After", "2"],
      ["retry-after-ms", "1500"],
      ["x-should-retry", "true"],
      ["x-ratelimit-limit-requests", "500"],
      ["x-ratelimit-remaining-requests", "0"],
      ["x-ratelimit-reset-tokens", "6m0s"],
      ["x-request-id", "req_1"],
    ],
    '{"error":{"message":"Rate limit reached","type":"requests","param":null,"code":"rate_limit_exceeded"}}',
  ],
  "a bad key": [
    401,
    [
      ["Content-Type", "application/json"],
      ["WWW-Authenticate", "Bearer"],
    ],
    '{"error":{"code":"invalid_api_key"}}',
  ],
  "a server's error in HTML": [503, [["Content-Type", "text/html"]], "<html>overloaded</html>"],
  "a redirect": [307, [["Location", "https://elsewhere.example/v1"]], ""],
  "a status nobody knows": [499, [["Content-Type", "text/plain"]], "odd"],
};
for (const [name, [status, headers, body]] of Object.entries(ERRORS))
  test(`${name} passes with its status, headers and body`, async () => {
    const options = {
      method: "POST",
      headers: ["Content-Type", "application/json", ...scripted({ do: "answer", status, headers, body })],
      body: "{}",
    };
    const direct = await ask(`${wire.upstream.url}/v1/chat/completions`, options);
    const proxied = await ask(`${wire.proxy.url}/v1/chat/completions`, options);
    expect(proxied).toMatchObject({ status, statusText: direct.statusText, text: body });
    expect(lasting(proxied.rawHeaders)).toEqual(lasting(direct.rawHeaders));
  });

test("every relayed answer names its call by a UUIDv7 of its own", async () => {
  const ids = await Promise.all(
    Array.from({ length: 50 }, async () => (await ask(`${wire.proxy.url}/v1/models`)).headers["x-omnimeter-call-id"]),
  );
  for (const id of ids) expect(id).toMatch(UUID7);
  expect(new Set(ids).size).toBe(50);
});

test("repeated answer headers stay apart and in order", async () => {
  const headers: [string, string][] = [
    ["Set-Cookie", "a=1; Path=/"],
    ["X-Twice", "1"],
    ["Set-Cookie", "b=2"],
    ["x-twice", "2"],
    ["Set-Cookie", "c=3, d"],
  ];
  const { rawHeaders } = await ask(`${wire.proxy.url}/v1/models`, {
    headers: scripted({ do: "answer", headers, body: "{}" }),
  });
  expect(valuesOf(rawHeaders, "set-cookie")).toEqual(["a=1; Path=/", "b=2", "c=3, d"]);
  expect(valuesOf(rawHeaders, "x-twice")).toEqual(["1", "2"]);
});

test("answer headers of the connection are not passed on", async () => {
  const script: Script = {
    do: "raw",
    steps: [
      "HTTP/1.1 200 OK\r\nConnection: close, X-Hop\r\nX-Hop: 1\r\nKeep-Alive: timeout=99\r\nX-End: 1\r\nContent-Length: 2\r\n\r\nok",
    ],
    last: "end",
  };
  const answer = await ask(`${wire.proxy.url}/v1/models`, { headers: scripted(script) });
  expect(answer.text).toBe("ok");
  expect(valuesOf(answer.rawHeaders, "x-hop")).toEqual([]);
  expect(valuesOf(answer.rawHeaders, "keep-alive")).not.toContain("timeout=99");
  expect(valuesOf(answer.rawHeaders, "x-end")).toEqual(["1"]);
});

test("an answer with no body stays one: 204, 304 and HEAD", async () => {
  for (const [status, method] of [
    [204, "DELETE"],
    [304, "GET"],
  ] as const) {
    const answer = await ask(`${wire.proxy.url}/v1/files/f`, {
      method,
      headers: scripted({ do: "answer", status, headers: [["ETag", '"x"']] }),
    });
    expect(answer).toMatchObject({ status, complete: true, bytes: 0 });
    expect(valuesOf(answer.rawHeaders, "etag")).toEqual(['"x"']);
  }
  const head = await ask(`${wire.proxy.url}/v1/files/f`, {
    method: "HEAD",
    headers: scripted({
      do: "answer",
      headers: [
        ["Content-Type", "text/plain"],
        ["Content-Length", "12345"],
      ],
    }),
  });
  expect(head).toMatchObject({ status: 200, complete: true, bytes: 0 });
  expect(valuesOf(head.rawHeaders, "content-length")).toEqual(["12345"]);
});

test("a HEAD, a 204 and a 304 leave the connection usable", async () => {
  const lines = (script: Script) => `Host: x\r\n${scripted(script).join(": ")}\r\n`;
  const { received } = await rawExchange(
    wire.proxy.url,
    `HEAD /v1/a HTTP/1.1\r\n${lines({ do: "answer", headers: [["Content-Length", "9"]] })}\r\n` +
      `GET /v1/b HTTP/1.1\r\n${lines({ do: "answer", status: 304 })}\r\n` +
      `GET /v1/c HTTP/1.1\r\n${lines({ do: "answer", body: "third" })}Connection: close\r\n\r\n`,
  );
  expect(received.match(/HTTP\/1\.1 \d+/g)).toEqual(["HTTP/1.1 200", "HTTP/1.1 304", "HTTP/1.1 200"]);
  expect(received.endsWith("third") || received.endsWith("third\r\n0\r\n\r\n")).toBe(true);
});

test("trailers of an answer arrive", async () => {
  const trailers: [string, string][] = [
    ["X-Checksum", "abc"],
    ["X-Checksum", "def"],
  ];
  const answer = await ask(`${wire.proxy.url}/v1/models`, {
    headers: ["TE", "trailers", ...scripted({ do: "answer", body: "{}", trailers })],
  });
  expect(answer.text).toBe("{}");
  expect(answer.rawTrailers).toEqual(["X-Checksum", "abc", "X-Checksum", "def"]);
});

test("expect: 100-continue is answered, and the body follows", async () => {
  const req = request(`${wire.proxy.url}/v1/files`, {
    method: "POST",
    headers: { expect: "100-continue", "content-length": "5", "x-script": '{"do":"echo"}' },
  });
  const continued = await new Promise<boolean>((resolve) => {
    req.once("continue", () => resolve(true));
    setTimeout(() => resolve(false), 2000);
    req.flushHeaders();
  });
  expect(continued).toBe(true);
  req.end("hello");
  const text = await new Promise<string>((resolve) =>
    req.once("response", async (res) => resolve(Buffer.concat(await res.toArray()).toString())),
  );
  expect(JSON.parse(text)).toMatchObject({ bytes: 5 });
});

test("informational answers do not disturb the final one", async () => {
  const script: Script = {
    do: "raw",
    steps: [
      "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n",
      10,
      "HTTP/1.1 102 Processing\r\n\r\n",
      10,
      "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
    ],
    last: "end",
  };
  const answer = await ask(`${wire.proxy.url}/v1/models`, { headers: scripted(script) });
  expect(answer).toMatchObject({ status: 200, text: "ok", complete: true });
});

test("sixty kilobytes of headers pass both ways", async () => {
  const many = Array.from({ length: 60 }, (_, i) => [`X-Big-${i}`, `${i % 10}`.repeat(1000)]).flat();
  let seen: string[] = [];
  wire.upstream.on("/v1/big-headers", (req, res) => {
    seen = req.rawHeaders;
    res.writeHead(200, [...many, "Content-Length", "2"]).end("ok");
  });
  const answer = await new Promise<string[]>((resolve, reject) => {
    request(`${wire.proxy.url}/v1/big-headers`, { maxHeaderSize: 1 << 20, headers: ["Host", "x", ...many] })
      .on("response", (res) => resolve(res.resume().rawHeaders))
      .on("error", reject)
      .end();
  });
  expect(lasting(seen).filter((line) => line.startsWith("X-Big"))).toEqual(lasting(many));
  expect(lasting(answer).filter((line) => line.startsWith("X-Big"))).toEqual(lasting(many));
});
