import { describe, expect, test } from "vitest";
import { formValues, readForm } from "#lib/openai/bodies/multipart.ts";
import { seeded } from "../support/split.ts";

const TYPE = "multipart/form-data; boundary=xyz";

const FORM = [
  "--xyz",
  'Content-Disposition: form-data; name="model"',
  "",
  "whisper-1",
  "--xyz",
  'Content-Disposition: form-data; name="include[]"',
  "",
  "logprobs",
  "--xyz",
  'Content-Disposition: form-data; name="file"; filename="a \\"b\\".wav"',
  "Content-Type: audio/WAV; x=1",
  "",
  "RIFF\r\n--xy\0--",
  "--xyz",
  'Content-Disposition: form-data; name="prompt"',
  "",
  "Grüße,\r\nzwei Zeilen",
  "--xyz--",
  "",
].join("\r\n");

const piece = (bytes: Buffer | string, missing?: number) => ({
  atMs: 0,
  bytes: Buffer.from(bytes as string),
  afterGap: missing !== undefined,
  ...(missing !== undefined && { missing }),
});

function read(...pieces: ReturnType<typeof piece>[]) {
  const problems: string[] = [];
  const parts = readForm(pieces, TYPE, false, problems);
  return { parts, problems, values: formValues(parts) };
}

const values = { model: "whisper-1", "include[]": ["logprobs"], prompt: "Grüße,\r\nzwei Zeilen" };

describe("a form", () => {
  test("is read: its values, and its file with name, type and size", () => {
    const { parts, values: read_, problems } = read(piece(FORM));
    expect(read_).toEqual(values);
    expect(parts[2]).toMatchObject({
      name: "file",
      fileName: 'a "b".wav',
      mediaType: "audio/wav",
      bytes: 13,
      text: null,
      tail: null,
    });
    expect(parts[2]?.head.toString("latin1")).toBe("RIFF\r\n--xy\0--");
    expect(problems).toEqual([]);
  });

  test("is the same wherever its bytes were cut into pieces", () => {
    const bytes = Buffer.from(FORM);
    const random = seeded(3);
    for (let round = 0; round < 100; round++) {
      const at = [random(), random(), random()].map((r) => Math.floor(r * bytes.length)).sort((a, b) => a - b);
      const pieces = [0, ...at].map((from, index) => piece(bytes.subarray(from, at[index] ?? bytes.length)));
      expect(read(...pieces)).toEqual(read(piece(FORM)));
    }
  });

  test("may have line ends without CR, text before it, and a quoted boundary", () => {
    const problems: string[] = [];
    const text = `This is a form.\n${FORM.replaceAll("\r\n", "\n")}`;
    const parts = readForm([piece(text)], 'multipart/form-data; charset=utf-8; boundary="xyz"', false, problems);
    expect(formValues(parts)).toEqual({ ...values, prompt: "Grüße,\nzwei Zeilen" });
    expect(problems).toEqual([]);
  });

  test("names its file in any of the ways that clients do", () => {
    const nameOf = (parameters: string) => {
      const form = `--xyz\r\nContent-Disposition: form-data; name=file; ${parameters}\r\n\r\nx\r\n--xyz--`;
      return read(piece(form)).parts[0]?.fileName;
    };
    expect(nameOf('filename="Assets\\a.mp3"')).toBe("Assets\\a.mp3");
    expect(nameOf("filename=a.mp3")).toBe("a.mp3");
    expect(nameOf("filename=\"x\"; filename*=utf-8''Gr%C3%BC%C3%9Fe.mp3")).toBe("Grüße.mp3");
    expect(nameOf("filename=\"x.mp3\"; filename*=utf-8''%E0%A4%A")).toBe("x.mp3");
  });

  test("goes on behind a hole in its file, whose size is still known", () => {
    const file = Buffer.alloc(5000, 7);
    const at = FORM.indexOf("RIFF");
    const bytes = Buffer.concat([Buffer.from(FORM.slice(0, at)), file, Buffer.from(FORM.slice(at + 13))]);
    const holed = read(piece(bytes.subarray(0, at + 100)), piece(bytes.subarray(at + 4900), 4800));
    expect(holed.values).toEqual(values);
    expect(holed.parts[2]).toMatchObject({ name: "file", bytes: 5000 });
    expect([holed.parts[2]?.head.length, holed.parts[2]?.tail?.length]).toEqual([100, 100]);
    expect(holed.problems).toEqual(["request_cut"]);

    const uncounted = { ...piece(bytes.subarray(at + 4900)), afterGap: true };
    expect(read(piece(bytes.subarray(0, at + 100)), uncounted).parts[2]).toMatchObject({ bytes: null });
  });

  test("that broke off tells what had come", () => {
    const problems: string[] = [];
    const parts = readForm([piece(FORM.slice(0, FORM.indexOf("RIFF") + 4))], TYPE, true, problems);
    expect(formValues(parts)).toEqual({ model: "whisper-1", "include[]": ["logprobs"] });
    expect(parts[2]).toMatchObject({ name: "file", bytes: null });
    expect(problems).toEqual(["request_cut"]);
  });

  test("without its last line is a problem of its own", () => {
    expect(read(piece(FORM.slice(0, -8))).problems).toEqual(["multipart_unfinished"]);
  });

  test.each([
    ["no boundary", "multipart/form-data", FORM],
    ["an empty boundary", "multipart/form-data; boundary=", FORM],
    ["a boundary that is never there", "multipart/form-data; boundary=abc", FORM],
    ["a boundary without end", `multipart/form-data; boundary=${"x".repeat(5000)}`, FORM],
    ["no form at all", TYPE, "[multipart form data omitted]"],
    ["the end alone", TYPE, "--xyz--\r\n"],
  ])("with %s is unreadable", (_, type, body) => {
    const problems: string[] = [];
    expect(readForm([piece(body)], type, false, problems)).toEqual([]);
    expect(problems[0]).toMatch(/^multipart_un(readable|finished)$/);
  });

  test("may not name what every object has", () => {
    const form = `--xyz\r\nContent-Disposition: form-data; name="__proto__"\r\n\r\npolluted\r\n--xyz--`;
    expect(Object.hasOwn(read(piece(form)).values ?? {}, "__proto__")).toBe(true);
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });

  test("may hold a file that does not say that it is one", () => {
    const form = '--xyz\r\nContent-Disposition: form-data; name="file"\r\n\r\nRIFF\0\0\r\n--xyz--';
    expect(read(piece(form)).parts).toMatchObject([{ name: "file", fileName: null, text: null, bytes: 6 }]);
  });

  test("inside a form is a file like any other", () => {
    const inner = "--abc\r\nContent-Disposition: file\r\n\r\nx\r\n--abc--";
    const form = `--xyz\r\nContent-Disposition: form-data; name="all"\r\nContent-Type: multipart/mixed; boundary=abc\r\n\r\n${inner}\r\n--xyz--`;
    expect(read(piece(form)).parts).toMatchObject([
      { name: "all", mediaType: "multipart/mixed", text: null, bytes: inner.length },
    ]);
  });

  test("of a million parts is not read on, and one of nothing but boundaries either", () => {
    const part = '--xyz\r\nContent-Disposition: form-data; name="a"\r\n\r\nb\r\n';
    expect(read(piece(part.repeat(20_000))).parts.length).toBeLessThanOrEqual(1001);
    expect(read(piece("--xyz\r\n".repeat(1_000_000))).parts.length).toBeLessThanOrEqual(1001);
  });

  test("with a value of megabytes keeps the other values", () => {
    const big = FORM.replace("logprobs", "x".repeat(2 << 20));
    expect(read(piece(big)).values).toEqual({ model: "whisper-1", prompt: values.prompt });
  });
});
