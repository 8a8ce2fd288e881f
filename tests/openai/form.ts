import type { Wire } from "./from-recording.ts";

export interface FormFile {
  readonly name: string;
  readonly type?: string;
  readonly bytes: Buffer;
}

/** A form as a client sends it: the request of an exchange and its headers. Fields are texts, files have bytes. */
export function form(fields: Record<string, string | FormFile>): Pick<Wire, "request" | "requestHeaders"> {
  const parts = Object.entries(fields).map(([name, value]) => {
    const file = typeof value === "string" ? "" : `; filename="${value.name}"`;
    const type = typeof value === "string" || value.type === undefined ? "" : `Content-Type: ${value.type}\r\n`;
    const head = `--b0undary\r\nContent-Disposition: form-data; name="${name}"${file}\r\n${type}\r\n`;
    const content = typeof value === "string" ? Buffer.from(value) : value.bytes;
    return Buffer.concat([Buffer.from(head), content, Buffer.from("\r\n")]);
  });
  return {
    request: Buffer.concat([...parts, Buffer.from("--b0undary--\r\n")]),
    requestHeaders: ["content-type", "multipart/form-data; boundary=b0undary"],
  };
}
