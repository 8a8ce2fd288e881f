/** The longest that is posted anywhere: a comment of the greatest length that lib/feedback.ts takes, percent-encoded. */
const BODY_BYTES_MAX = 256 << 10;

/** The fields of a posted form or JSON object; or why it cannot be read, as a sentence and a code that begins with `what` it is about. */
export async function readFields(
  request: Request,
  what: string,
): Promise<{ fields: Record<string, unknown> } | { status: number; code: string; message: string }> {
  const body = await readBody(request);
  if (body === null)
    return {
      status: 413,
      code: `${what}_too_large`,
      message: `At most ${BODY_BYTES_MAX} bytes can be sent: shorten the text.`,
    };
  const type = request.headers.get("content-type") ?? "";
  if (type.startsWith("application/x-www-form-urlencoded"))
    return { fields: Object.fromEntries(new URLSearchParams(body)) };
  if (type.startsWith("application/json")) {
    const json = parse(body);
    if (typeof json === "object" && json !== null && !Array.isArray(json)) return { fields: { ...json } };
    return { status: 400, code: `${what}_bad_json`, message: "The body is not a JSON object." };
  }
  return { status: 415, code: `${what}_bad_type`, message: "Send a form (urlencoded) or JSON." };
}

/** null: longer than allowed; the rest is not read. */
async function readBody(request: Request): Promise<string | null> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of request.body ?? []) {
    bytes += chunk.length;
    if (bytes > BODY_BYTES_MAX) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
