/** A part of a multipart form; `file` has a name and a type. */
interface FormPart {
  readonly name: string;
  readonly value: string | Buffer;
  readonly file?: { readonly name: string; readonly type: string };
}

const BOUNDARY = "----omnimeter-demo-7f3a";

/** The form as bytes, and its content type. */
export function formOf(parts: readonly FormPart[]): { contentType: string; body: Buffer } {
  const pieces = parts.flatMap(({ name, value, file }) => [
    Buffer.from(
      `--${BOUNDARY}\r\ncontent-disposition: form-data; name="${name}"${file ? `; filename="${file.name}"` : ""}\r\n${
        file ? `content-type: ${file.type}\r\n` : ""
      }\r\n`,
    ),
    Buffer.from(value as string),
    Buffer.from("\r\n"),
  ]);
  return {
    contentType: `multipart/form-data; boundary=${BOUNDARY}`,
    body: Buffer.concat([...pieces, Buffer.from(`--${BOUNDARY}--\r\n`)]),
  };
}

/** The value of a small field of a form, wherever it stands; null: there is none. */
export function fieldIn(body: Buffer, name: string): string | null {
  const at = body.indexOf(`name="${name}"\r\n`);
  const from = at < 0 ? -1 : body.indexOf("\r\n\r\n", at);
  const to = from < 0 ? -1 : body.indexOf("\r\n--", from + 4);
  return to < 0 ? null : body.toString("utf8", from + 4, to);
}

/** The length of a WAV file that stands somewhere in these bytes, in milliseconds; null: there is none. */
export function wavMsIn(body: Buffer): number | null {
  const at = body.indexOf("RIFF");
  const data = at < 0 ? -1 : body.indexOf("data", at);
  if (data < 0 || data + 8 > body.length) return null;
  const perSecond = body.readUInt32LE(at + 28);
  return perSecond > 0 ? (body.readUInt32LE(data + 4) / perSecond) * 1000 : null;
}
