import { createServer } from "node:net";
import { StartError } from "./start-error.ts";

/** Said before anything is started: nothing has to be stopped again. */
export async function assertPort(host: string, port: number, variable: string): Promise<void> {
  const code = await tryPort(host, port);
  if (!code) return;
  const sentence =
    code === "EADDRINUSE"
      ? `Port ${port} on ${host} is in use: stop what listens there, or set ${variable} to another port.`
      : code === "EACCES"
        ? `Port ${port} needs more rights than this user has: set ${variable} to a port above 1023.`
        : `This machine cannot listen on ${host} (${code}): set OMNIMETER_HOST to one of its addresses, such as 127.0.0.1.`;
  throw new StartError("port_unusable", sentence);
}

const tryPort = (host: string, port: number): Promise<string | null> =>
  new Promise((resolve) => {
    const server = createServer();
    server.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(null)));
  });
