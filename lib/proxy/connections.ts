import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Refusal } from "./admit.ts";
import type { OpenCall } from "./open-call.ts";

/** Whoever sends more requests before the first is answered is not a client of an API. */
const PIPELINED_MAX = 64;

/**
 * The clients' connections of one worker: how many there may be, what is under way on them, which of them keep a request
 * waiting, and how they are let go when the worker leaves.
 *
 * HTTP/1.1 has no goodbye: a request may be on its way when an idle connection is closed. So while it leaves, every answer
 * says `connection: close`, and a connection is closed only once it has been quiet for a while.
 */
export interface Connections {
  /** Of every new socket. */
  add(socket: Socket): void;
  /** Of every request. Not null: it is to be refused, and its connection closed. */
  begin(req: IncomingMessage, res: ServerResponse): Refusal | null;
  /** It becomes a WebSocket, or is refused as one. */
  upgrade(socket: Socket): Refusal | null;
  /** What has just begun on it. */
  carry(socket: Socket, call: OpenCall): void;
  /** Calls `onSilent` for each request whose body the client owes us for longer than `silenceMs`. */
  sweep(nowMs: number): void;
  /** From now on answers are the last of their connections. */
  leave(nowMs: number): void;
  /** Closes what has been quiet for `quietMs`, and says how many connections are left. */
  closeQuiet(nowMs: number, quietMs: number): number;
  /** Everything under way; some of it may be over already. */
  calls(): OpenCall[];
}

interface Connection {
  socket: Socket;
  /** Where it stands in the list. */
  index: number;
  /** There were too many when it came. */
  excess: boolean;
  upgraded: OpenCall | "refused" | null;
  /** Begun, not wholly sent; in order. */
  answers: { res: ServerResponse; call: OpenCall | null }[];
  /** The latest. */
  req: IncomingMessage | null;
  /** What had been read when it was last seen to move. */
  bytesRead: number;
  movedAtMs: number;
}

const CONNECTION = Symbol("connection");
type Known = Socket & { [CONNECTION]?: Connection };

export function createConnections(options: {
  max: number;
  silenceMs: number;
  onSilent(res: ServerResponse, call: OpenCall | null): void;
}): Connections {
  // A list, and not a Map of what is under way: each table that a Map leaves behind when it grows or shrinks keeps alive what was
  // in it until the old generation is swept. With calls in it, a call cost 25 µs more.
  const all: Connection[] = [];
  let leaving = false;

  return {
    add(socket) {
      const connection: Connection = {
        socket,
        index: all.length,
        excess: all.length >= options.max,
        upgraded: null,
        answers: [],
        req: null,
        bytesRead: 0,
        movedAtMs: 0,
      };
      (socket as Known)[CONNECTION] = connection;
      all.push(connection);
      socket.on("close", () => remove(connection));
    },
    begin(req, res) {
      const connection = (req.socket as Known)[CONNECTION];
      if (!connection) return null;
      const { answers } = connection;
      const answer = { res, call: null };
      connection.req = req;
      connection.movedAtMs = 0;
      answers.push(answer);
      res.on("close", () => void answers.splice(answers.indexOf(answer), 1));
      if (leaving) lastOf(connection);
      return refusalOf(connection);
    },
    upgrade(socket) {
      const connection = (socket as Known)[CONNECTION];
      if (!connection) return null;
      connection.upgraded = "refused";
      if (leaving) return LEAVING;
      return refusalOf(connection);
    },
    carry(socket, call) {
      const connection = (socket as Known)[CONNECTION];
      const answer = connection?.answers.at(-1);
      if (connection?.upgraded) connection.upgraded = call;
      else if (answer) answer.call = call;
    },
    sweep(nowMs) {
      for (const connection of [...all]) {
        const { socket, req, answers } = connection;
        const answer = answers.at(-1);
        // Paused: it is the upstream that takes no more. Answered: nobody waits for the rest.
        const owed = req && !req.complete && !req.isPaused() && !(answer?.res.headersSent && !answer.res.writableEnded);
        if (!owed || connection.upgraded || moved(connection, nowMs)) continue;
        if (nowMs - connection.movedAtMs < options.silenceMs) continue;
        if (answer && !answer.res.writableEnded) options.onSilent(answer.res, answer.call);
        else socket.destroy();
      }
    },
    leave(nowMs) {
      leaving = true;
      for (const connection of all) {
        lastOf(connection);
        connection.bytesRead = connection.socket.bytesRead;
        connection.movedAtMs = nowMs;
      }
    },
    closeQuiet(nowMs, quietMs) {
      let left = 0;
      for (const connection of [...all]) {
        const busy = connection.upgraded !== null || connection.answers.length > 0;
        if (busy) connection.movedAtMs = nowMs;
        if (busy || moved(connection, nowMs) || nowMs - connection.movedAtMs < quietMs) left++;
        else connection.socket.destroy();
      }
      return left;
    },
    calls: () =>
      all.flatMap(({ upgraded, answers }) => {
        if (typeof upgraded === "object" && upgraded) return [upgraded];
        return answers.flatMap(({ call }) => call ?? []);
      }),
  };

  /** The last one takes its place. */
  function remove({ index }: Connection) {
    const last = all.pop();
    if (!last || last.index === index) return;
    all[index] = last;
    last.index = index;
  }

  function refusalOf({ excess, answers }: Connection): Refusal | null {
    if (excess) return tooManyConnections(options.max);
    return answers.length > PIPELINED_MAX ? TOO_MANY_PIPELINED : null;
  }
}

/** Only the last of several that wait for each other can say that it is; the others must not cut it off. */
function lastOf({ answers }: Connection): void {
  for (const [i, { res }] of answers.entries()) if (!res.headersSent) res.shouldKeepAlive = i < answers.length - 1;
}

/** Something was read since it was last looked at. */
function moved(connection: Connection, nowMs: number): boolean {
  const { bytesRead } = connection.socket;
  if (connection.movedAtMs > 0 && bytesRead === connection.bytesRead) return false;
  connection.bytesRead = bytesRead;
  connection.movedAtMs = nowMs;
  return true;
}

const tooManyConnections = (max: number): Refusal => ({
  status: 503,
  code: "omnimeter_too_many_connections",
  message: `this worker has ${max} connections already. Try again later, or raise OMNIMETER_MAX_CONNECTIONS or OMNIMETER_WORKERS.`,
});

const TOO_MANY_PIPELINED: Refusal = {
  status: 503,
  code: "omnimeter_too_many_pipelined",
  message: `more than ${PIPELINED_MAX} requests wait on this connection. Use several connections.`,
};

const LEAVING: Refusal = {
  status: 503,
  code: "omnimeter_stopping",
  message: "this worker is being stopped. Connect again.",
};
