import { createHash } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { brotliCompressSync, deflateSync, gzipSync } from "node:zlib";
import { seededBytes, splitBytes } from "../split.ts";
import { playChat } from "./chat.ts";
import { playResponses } from "./responses.ts";
import type { Framing, Script } from "./script.ts";
import { readAll, write } from "./stream.ts";

/** Plays one scripted answer. */
export async function play(script: Script, req: IncomingMessage, res: ServerResponse): Promise<void> {
  switch (script.do) {
    case "echo":
      return echo(req, res);
    case "answer":
      await readAll(req);
      return answer(script, res);
    case "encoded": {
      await readAll(req);
      const body = ENCODERS[script.encoding](Buffer.from(script.body));
      res.writeHead(200, ["Content-Type", "application/json", "Content-Encoding", script.encoding]);
      return writePieces(res, splitBytes(body, script.split ?? "whole"));
    }
    case "bytes":
      return bytes(script, req, res);
    case "raw":
      await readAll(req);
      return raw(script, res.socket as Socket);
    case "chat":
      return playChat(script, await readAll(req), req, res);
    case "responses":
      return playResponses(script, await readAll(req), res);
    case "silence":
      req.resume();
      return;
    case "early":
      res.writeHead(script.status, ["Content-Type", "application/json", "Content-Length", String(script.body.length)]);
      res.end(script.body);
      req.resume();
      return;
    case "hang-up-idle": {
      await readAll(req);
      const socket = res.socket;
      res.writeHead(200, ["Content-Length", "2"]);
      res.end("ok");
      setTimeout(() => socket?.destroy(), script.afterMs);
      return;
    }
    case "slow-read":
      return slowRead(script.bytesPerSecond, req, res);
  }
}

const ENCODERS = { gzip: gzipSync, br: brotliCompressSync, deflate: deflateSync };

export interface Echo {
  method: string;
  url: string;
  rawHeaders: string[];
  bytes: number;
  sha256: string;
  rawTrailers: string[];
}

async function echo(req: IncomingMessage, res: ServerResponse) {
  const hash = createHash("sha256");
  let count = 0;
  for await (const chunk of req) {
    hash.update(chunk as Buffer);
    count += (chunk as Buffer).length;
  }
  const seen: Echo = {
    method: req.method ?? "",
    url: req.url ?? "",
    rawHeaders: req.rawHeaders,
    bytes: count,
    sha256: hash.digest("hex"),
    rawTrailers: req.rawTrailers,
  };
  const body = Buffer.from(JSON.stringify(seen));
  // A header as well, for the answers that have no body.
  const copy = body.toString("base64");
  res.writeHead(200, ["Content-Type", "application/json", "Content-Length", String(body.length), "X-Echo", copy]);
  res.end(req.method === "HEAD" ? undefined : body);
}

async function answer(script: Extract<Script, { do: "answer" }>, res: ServerResponse) {
  const body = Buffer.from(script.body ?? "");
  const status = script.status ?? 200;
  const headers = (script.headers ?? [["Content-Type", "application/json"]]).flat();
  const bodyless = status === 204 || status === 304 || res.req.method === "HEAD";
  if (script.trailers) headers.push("Trailer", script.trailers.map(([name]) => name).join(", "));
  if (!bodyless)
    headers.push(...framingHeaders(script.framing ?? (script.trailers ? "chunked" : "content-length"), body.length));
  res.writeHead(status, headers);
  if (script.trailers) res.addTrailers(script.trailers);
  if (bodyless) return void res.end();
  await writePieces(res, splitBytes(body, script.split ?? "whole"));
}

async function bytes(script: Extract<Script, { do: "bytes" }>, req: IncomingMessage, res: ServerResponse) {
  await readAll(req);
  const headers = ["Content-Type", "application/octet-stream"];
  res.writeHead(200, [...headers, ...framingHeaders(script.framing ?? "content-length", script.size)]);
  for (const piece of seededBytes(script.size, script.seed)) if (!(await write(res, piece))) return;
  res.end();
}

const framingHeaders = (framing: Framing, length: number): string[] => {
  if (framing === "content-length") return ["Content-Length", String(length)];
  return framing === "chunked" ? ["Transfer-Encoding", "chunked"] : ["Connection", "close"];
};

async function raw(script: Extract<Script, { do: "raw" }>, socket: Socket) {
  const [first, ...others] = script.steps;
  const steps = first === undefined ? [] : [first, ...Array.from({ length: script.times ?? 1 }, () => others).flat()];
  for (const step of steps) {
    if (socket.destroyed) return;
    if (typeof step === "number") await sleep(step);
    else await new Promise((done) => socket.write(step, "latin1", done));
  }
  if (script.last === "reset") socket.resetAndDestroy();
  else socket.end();
}

async function slowRead(bytesPerSecond: number, req: IncomingMessage, res: ServerResponse) {
  const hash = createHash("sha256");
  let count = 0;
  for await (const chunk of req) {
    hash.update(chunk as Buffer);
    count += (chunk as Buffer).length;
    await sleep(((chunk as Buffer).length / bytesPerSecond) * 1000);
  }
  const body = JSON.stringify({ bytes: count, sha256: hash.digest("hex") });
  res.writeHead(200, ["Content-Type", "application/json", "Content-Length", String(body.length)]);
  res.end(body);
}

async function writePieces(res: ServerResponse, pieces: Buffer[]) {
  for (const piece of pieces) if (!(await write(res, piece))) return;
  res.end();
}
