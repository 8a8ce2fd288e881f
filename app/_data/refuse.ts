/** A refusal for two readers: a code for programs, a sentence for people. */
export const refuse = (status: number, code: string, message: string): Response =>
  Response.json({ error: { code, message } }, { status, headers: { "cache-control": "no-store" } });
