import { connect, type Socket } from "node:net";
import { seeded } from "#tests/support/split.ts";
import { requestOf } from "./traffic.ts";

export interface Load {
  port: number;
  stream: boolean;
  /** The client asks for a stream's usage itself. */
  usage?: boolean;
  connections: number;
  calls: number;
  /** Time between an answer and the next request of the same connection. */
  thinkMs?: number;
  /** Of all connections together: each call has its moment, and begins late when no connection is free. */
  callsPerSecond?: number;
  /** Extra header lines. */
  headers?: string;
}

/** Calls over keep-alive connections; each waits for its answer. Returns what each call took. */
export async function runLoad(load: Load): Promise<number[]> {
  const request = requestOf(`127.0.0.1:${load.port}`, load.stream, load.usage, load.headers);
  const took: number[] = [];
  let left = load.calls;
  // Equal pauses would fall into step, and every call would wait behind a burst of the others.
  const random = seeded(1);
  const begun = performance.now();
  await Promise.all(Array.from({ length: load.connections }, (_, i) => converse(i)));
  return took;

  function momentOf(call: number): number {
    return begun + (call * 1000) / (load.callsPerSecond ?? 1);
  }

  function converse(place: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const socket = connect({ port: load.port, host: "127.0.0.1", noDelay: true });
      const reader = createReader(load.stream);
      let from = 0;
      const next = () => {
        if (left-- <= 0) {
          socket.destroy();
          return resolve();
        }
        const early = load.callsPerSecond ? momentOf(load.calls - left - 1) - performance.now() : 0;
        if (early > 1) setTimeout(send, early);
        else send();
      };
      const send = () => {
        from = performance.now();
        socket.write(request);
      };
      socket.on("data", (bytes) => {
        const status = reader.add(bytes);
        if (status === 0) return;
        if (status !== 200) return fail(socket, `status ${status}`);
        took.push(performance.now() - from);
        if (load.thinkMs) setTimeout(next, load.thinkMs * (0.5 + random()));
        else next();
      });
      socket.on("error", reject);
      socket.on("close", () => reject(new Error("the connection was closed")));
      // Connections that think do not all think at the same time.
      socket.on("connect", () => (load.thinkMs ? setTimeout(next, (load.thinkMs * place) / load.connections) : next()));
      const fail = (broken: Socket, why: string) => {
        broken.destroy();
        reject(new Error(why));
      };
    });
  }
}

/** Finds the end of each answer with as little work as can be; `add` returns its status then, else 0. */
function createReader(chunked: boolean) {
  let status = 0;
  let missing = -1;
  let tail = "";
  return {
    add(bytes: Buffer): number {
      if (status === 0) {
        status = Number(bytes.toString("latin1", 9, 12));
        if (!chunked || status !== 200) {
          const head = bytes.toString("latin1", 0, bytes.indexOf("\r\n\r\n") + 4);
          const length = /\r\ncontent-length: (\d+)/i.exec(head)?.[1];
          missing = length ? head.length + Number(length) : -1;
        }
      }
      if (missing >= 0) {
        missing -= bytes.length;
        if (missing > 0) return 0;
      } else {
        tail = (tail + bytes.toString("latin1", Math.max(0, bytes.length - 5))).slice(-5);
        if (tail !== "0\r\n\r\n") return 0;
      }
      const done = status;
      status = 0;
      missing = -1;
      tail = "";
      return done;
    },
  };
}
