import { expect, test } from "vitest";
import { readConfig } from "#lib/config.ts";

test("without settings everything has its documented default", () => {
  const config = readConfig({});
  expect(config).toMatchObject({
    host: "127.0.0.1",
    proxyPort: 4000,
    dashboardPort: 3000,
    upstreams: { default: "https://api.openai.com" },
    workers: 1,
    capture: "full",
    databaseUrl: undefined,
    includeUsage: true,
    fsync: false,
  });
  expect(config.dataDir).toMatch(/\/\.omnimeter$/);
  expect(Object.isFrozen(config)).toBe(true);
});

test("every bad variable is named in one message, with what to write instead", () => {
  const env = {
    OMNIMETER_PROXY_PORT: "http",
    OMNIMETER_WORKERS: "0",
    OMNIMETER_CAPTURE: "some",
    OMNIMETER_UPSTREAM: "ftp://x",
    OMNIMETER_UPSTREAMS: "A=https://a, b=nonsense",
    OMNIMETER_HOST: "127.0.0.1:4000",
  };
  for (const part of [
    'OMNIMETER_PROXY_PORT is "http"; it takes a whole number from 0 to 65535',
    "OMNIMETER_WORKERS",
    'OMNIMETER_CAPTURE is "some"; it takes full or facts',
    "OMNIMETER_UPSTREAM is",
    'OMNIMETER_UPSTREAMS has "A=https://a"',
    "OMNIMETER_UPSTREAMS (b)",
    "OMNIMETER_HOST",
  ])
    expect(() => readConfig(env)).toThrow(part);
});

test("a slip in a setting's name is not ignored", () => {
  expect(() => readConfig({ OMNIMETER_PORT: "1" })).toThrow("OMNIMETER_PORT is not a setting");
});

test("passwords are not repeated in messages", () => {
  expect(() => readConfig({ DATABASE_URL: "mysql://me:hunter22@host/db" })).toThrow(/^(?!.*hunter22).*DATABASE_URL/);
  expect(() => readConfig({ OMNIMETER_UPSTREAM: "https://me:hunter22@host" })).toThrow(
    /^(?!.*hunter22).*OMNIMETER_UPSTREAM/,
  );
});

test("upstreams lose a trailing /v1 and slash, so that both ways to write them work", () => {
  const { upstreams } = readConfig({
    OMNIMETER_UPSTREAM: "https://x/v1/",
    OMNIMETER_UPSTREAMS: "eu=https://eu.x/v1,b=http://b/",
  });
  expect(upstreams).toEqual({ default: "https://x", eu: "https://eu.x", b: "http://b" });
});

test("several database hosts are a database too", () => {
  expect(readConfig({ DATABASE_URL: "postgres://u:p@a:1,b:2/db" }).databaseUrl).toBe("postgres://u:p@a:1,b:2/db");
});

test("the two ports must differ", () => {
  expect(() => readConfig({ OMNIMETER_PROXY_PORT: "3000" })).toThrow("both 3000");
});
