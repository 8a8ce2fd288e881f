import { lookup } from "node:dns/promises";
import net from "node:net";
import { getSystemErrorMap } from "node:util";

/** The port, bound and held for the life of the main process. */
export interface ListeningSocket {
  readonly port: number;
  /** Of one worker: what `child.send` passes on and `server.listen` takes. */
  handleOf(place: number): Handle;
  close(): void;
}

interface Handle {
  getsockname(out: { port?: number }): number;
  close(): void;
}

/**
 * What Node's own cluster shares between processes; a `net.Server` would accept connections here as well. It is not
 * documented, but the Node that runs this is the one that is installed with us.
 */
const { _createServerHandle: createHandle } = net as unknown as {
  _createServerHandle(address: string, port: number, family: number, fd?: undefined, flags?: number): Handle | number;
};
/** UV_TCP_REUSEPORT. */
const REUSE_PORT = 2;

/**
 * Binds the port without accepting: the workers do. The queues of connections belong to this process, so they outlive every
 * worker: one that dies or is replaced leaves what it has not accepted to its successor.
 *
 * Where the system spreads connections over sockets of one port (Linux), each worker has one of its own: of one queue for
 * all, a worker that is quick takes nearly everything (195 of 200 connections at once). Elsewhere they share one.
 *
 * @throws Error with the system's code.
 */
export async function bindSocket(
  port: number,
  host: string,
  workers: number,
  spreads = process.platform === "linux",
): Promise<ListeningSocket> {
  const { address, family } = await lookup(host);
  const count = spreads ? workers : 1;
  // Found out alone: sockets that share their port would share it with a stranger's that does, too.
  const alone = bind(address, port, family, 0);
  const handles = [alone];
  const bound = portOf(alone);
  if (count > 1) {
    alone.close();
    handles.length = 0;
    for (let i = 0; i < count; i++) handles.push(bind(address, bound, family, REUSE_PORT));
  }
  return {
    port: bound,
    handleOf: (place) => handles[place % handles.length] as Handle,
    close() {
      for (const handle of handles) handle.close();
    },
  };
}

function bind(address: string, port: number, family: number, flags: number): Handle {
  const handle = createHandle(address, port, family, undefined, flags);
  if (typeof handle === "number") throw systemError(handle);
  const bound = portOf(handle);
  // A port in use is reported when one listens, if at all: a socket that is not bound would then listen on any port.
  if (bound === 0 || (port !== 0 && bound !== port)) throw Object.assign(new Error("in use"), { code: IN_USE });
  return handle;
}

function portOf(handle: Handle): number {
  const bound: { port?: number } = {};
  handle.getsockname(bound);
  return bound.port ?? 0;
}

const IN_USE = "EADDRINUSE";

function systemError(errno: number): Error {
  const [code, message] = getSystemErrorMap().get(errno) ?? ["", `error ${errno}`];
  return Object.assign(new Error(message), { code });
}
