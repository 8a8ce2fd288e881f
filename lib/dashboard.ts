import { randomBytes } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { readConfig } from "./config.ts";
import { openRequest } from "./open-requests.ts";

/**
 * The dashboard's process: the built Next application inside our own http server, so that the content security
 * policy, the check of the Host header and the shutdown are ours. `DATABASE_URL` is set by whoever starts it.
 */
export async function serveDashboard(): Promise<void> {
  const { host, dashboardPort, databaseUrl } = readConfig();
  const server = createServer();
  const stop = stopOnce(server);
  process.once("SIGTERM", stop);
  process.once("SIGINT", stop);
  // The parent is gone: nobody could stop this process any more.
  process.once("disconnect", stop);

  const listening = new Promise<number>((resolve, reject) => {
    server.once("error", reject);
    server.listen(dashboardPort, host, () => resolve((server.address() as AddressInfo).port));
  });
  let port: number;
  try {
    port = await listening;
  } catch (error) {
    return fail(listenFailure(error as NodeJS.ErrnoException, host, dashboardPort));
  }
  // Bound before Next starts, so that a taken port is said at once; requests wait the half second until it is ready.
  const ready = start(host, port, databaseUrl);
  const isAllowedHost = hostCheck(host);
  server.on("request", (request, response) => {
    if (!isAllowedHost(request.headers.host)) return refuse(response);
    secure(request, response);
    openRequest(request, response);
    ready.then((handle) => handle(request, response)).catch(() => response.destroy());
  });
  server.on("upgrade", (_request, socket) => socket.destroy());
  try {
    await ready;
  } catch (error) {
    return fail(`The dashboard cannot start: ${error instanceof Error ? error.message : String(error)}`);
  }
  process.send?.({ type: "ready", port });
}

async function start(hostname: string, port: number, databaseUrl: string | undefined) {
  // Here and not above: a taken port is said without waiting for them.
  const { checkSchema } = await import("#db/check-schema.ts");
  if (databaseUrl) await checkSchema(databaseUrl);
  const { default: next } = await import("next");
  const app = next({ dev: false, dir: process.cwd(), hostname, port });
  await app.prepare();
  return app.getRequestHandler();
}

/**
 * On loopback only names of this machine are answered: a page elsewhere that points its own name at 127.0.0.1 (DNS
 * rebinding) would otherwise read the dashboard with the visitor's browser. Bound to a network, names are unknowable.
 */
export function hostCheck(boundTo: string): (header: string | undefined) => boolean {
  const loopback = /^(?:127(?:\.\d{1,3}){3}|localhost|\[?::1\]?)$/i;
  if (!loopback.test(boundTo)) return () => true;
  return (header) => {
    const name = header?.replace(/:\d*$/, "").toLowerCase() ?? "";
    return loopback.test(name) || /^[a-z0-9-]+\.localhost$/.test(name) || name === boundTo.toLowerCase();
  };
}

function refuse(response: ServerResponse): void {
  response.writeHead(421, { "content-type": "text/plain; charset=utf-8" });
  response.end("Omnimeter answers to localhost and 127.0.0.1 here. Set OMNIMETER_HOST to serve a network.\n");
}

/** `style-src` keeps 'unsafe-inline': charts set style attributes. Next takes the nonce from the request's header. */
function secure(request: IncomingMessage, response: ServerResponse): void {
  const nonce = randomBytes(16).toString("base64");
  const policy = [
    "default-src 'self'",
    `script-src 'self' 'nonce-${nonce}' 'strict-dynamic'`,
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data:",
    "connect-src 'self'",
    "object-src 'none'",
    "base-uri 'self'",
    "form-action 'self'",
    "frame-ancestors 'none'",
  ].join("; ");
  request.headers["content-security-policy"] = policy;
  response.setHeader("content-security-policy", policy);
  response.setHeader("x-content-type-options", "nosniff");
  response.setHeader("x-frame-options", "DENY");
  response.setHeader("referrer-policy", "same-origin");
  response.setHeader("cross-origin-opener-policy", "same-origin");
  response.setHeader("cross-origin-resource-policy", "same-origin");
  response.setHeader("permissions-policy", "camera=(), geolocation=(), microphone=()");
}

/** Answers in progress get two seconds; idle and polling connections none. */
function stopOnce(server: ReturnType<typeof createServer>): () => void {
  let stopping = false;
  return () => {
    if (stopping) return;
    stopping = true;
    server.close(() => process.exit(0));
    server.closeIdleConnections();
    setTimeout(() => process.exit(0), 2000).unref();
  };
}

function listenFailure(error: NodeJS.ErrnoException, host: string, port: number): string {
  if (error.code === "EADDRINUSE")
    return `Port ${port} on ${host} is in use. Stop what listens there, or set OMNIMETER_DASHBOARD_PORT to another port.`;
  if (error.code === "EADDRNOTAVAIL")
    return `This machine has no address ${host}. Set OMNIMETER_HOST to one of its addresses, e.g. 127.0.0.1.`;
  if (error.code === "EACCES")
    return `Port ${port} needs more rights than this user has. Set OMNIMETER_DASHBOARD_PORT above 1023.`;
  return `The dashboard cannot listen on ${host}:${port}: ${error.message}`;
}

function fail(message: string): void {
  process.exitCode = 1;
  if (!process.send) {
    process.stderr.write(`${message}\n`);
    process.exit(1);
  }
  // The parent says it; exit when it has the message.
  process.send({ type: "failed", message }, () => process.exit(1));
}

if (import.meta.main) await serveDashboard();
