import { expect, test } from "vitest";
import { residentBytes } from "#tests/support/process.ts";
import { readSpool } from "./read-spool.ts";
import { eventually, scripted, useWire } from "./setup.ts";

const wire = useWire({ OMNIMETER_KEEP_BYTES: "100000" });
const MB = 1 << 20;

test("the fields behind a file of 25 MB are recorded; the file passes whole and never lies in memory", async () => {
  const form = new FormData();
  form.set("before", "in front of the file");
  form.set("file", new Blob([Buffer.alloc(25 * MB, 7)]), "speech.wav");
  form.set("model", "gpt-4o-transcribe");
  form.set("response_format", "verbose_json");
  const [name, value] = scripted({ do: "answer", body: "{}" }) as [string, string];
  const upload = async () =>
    (
      await fetch(`${wire.proxy.url}/v1/audio/transcriptions`, {
        method: "POST",
        headers: { [name]: value },
        body: form,
      })
    ).status;
  expect(await upload()).toBe(200);
  const before = residentBytes(wire.proxy.process.pid);
  const statuses = await Promise.all(Array.from({ length: 8 }, upload));
  expect(new Set(statuses)).toEqual(new Set([200]));
  // Half of what went through at once: some is what the collector has not taken yet.
  expect(residentBytes(wire.proxy.process.pid) - before).toBeLessThan(100 * MB);
  await eventually("it is recorded", () => readSpool(wire.proxy.dataDir).length === 9);
  const request = readSpool(wire.proxy.dataDir)[0]?.request;
  expect(request?.cut).toBe(true);
  expect(request?.bytes).toBeGreaterThan(25 * MB);
  const kept = Buffer.concat(request?.chunks.map(({ bytes }) => bytes) ?? []);
  expect(kept.length).toBeLessThan(100_000 + (64 << 10) * 2);
  const fields = kept.toString("latin1");
  for (const one of ["in front of the file", "gpt-4o-transcribe", "verbose_json"]) expect(fields).toContain(one);
});
