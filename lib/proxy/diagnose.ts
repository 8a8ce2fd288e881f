import type { Refusal } from "./admit.ts";

type UpstreamError = Error & { code?: string };

/** What to answer in the place of an upstream that gave no answer. */
export function diagnose(error: UpstreamError, origin: string): Refusal {
  // undici refuses a few things that Node's parser lets pass (raw UTF-8 in the path, for instance).
  if (error.code?.startsWith("UND_ERR_INVALID") || error.code === "UND_ERR_NOT_SUPPORTED")
    return { status: 400, code: "omnimeter_bad_request", message: `this request cannot be relayed: ${error.message}.` };
  const [status, code, what] = causeOf(error);
  const message = `${what} (${origin}: ${error.code ?? error.name}). Nothing was answered; check OMNIMETER_UPSTREAM and the network, then try again.`;
  return { status, code, message };
}

/** The request was not one for this upstream, so it never heard of it. */
export const isOurRefusal = (refusal: Refusal): boolean => refusal.status === 400;

function causeOf(error: UpstreamError): [number, string, string] {
  if (error.code === "UND_ERR_CONNECT_TIMEOUT" || error.code === "ETIMEDOUT")
    return [504, "omnimeter_upstream_timeout", "the upstream did not accept a connection in time"];
  if (isHangUp(error))
    return [502, "omnimeter_upstream_reset", "the upstream closed the connection before it answered"];
  return [502, "omnimeter_upstream_unreachable", "the upstream cannot be reached"];
}

/** The connection went away: on one that was idle, perhaps before the request came. */
export const isHangUp = ({ code }: UpstreamError): boolean =>
  code === "ECONNRESET" || code === "EPIPE" || code === "UND_ERR_SOCKET";
