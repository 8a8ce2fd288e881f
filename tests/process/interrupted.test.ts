import { expect, test } from "vitest";
import { open } from "#tests/support/http-client.ts";
import { testDatabase } from "#tests/support/postgres.ts";
import { startSystem } from "#tests/support/system.ts";
import { asHeader } from "#tests/support/upstream/script.ts";

test("a call in flight when everything dies is shown as interrupted after the next start, without waiting for another call", async () => {
  const database = await testDatabase();
  const system = await startSystem({ database });
  try {
    const { req, response } = open(`${system.proxyUrl}/v1/chat/completions`, {
      method: "POST",
      headers: ["Content-Type", "application/json", "X-Script", asHeader({ do: "chat", chunks: 1000, paceMs: 10 })],
      body: '{"model":"gpt-4o","stream":true,"messages":[{"role":"user","content":"tell me everything"}]}',
    });
    const res = await response;
    const id = res.headers["x-omnimeter-call-id"];
    await new Promise((first) => res.once("data", first));
    // Frames of a call in flight are written within 5 ms.
    await new Promise((soon) => setTimeout(soon, 50));
    res.on("error", () => {});
    await Promise.all([system.kill("worker"), system.kill("proxy"), system.kill("recorder")]);
    req.destroy();
    await Promise.all([system.start("recorder"), system.start("proxy")]);
    const deadline = Date.now() + 8000;
    let found: { id: string; outcome: string } | undefined;
    while (!found && Date.now() < deadline) {
      await new Promise((soon) => setTimeout(soon, 100));
      found = (await system.calls()).find((call) => call.id === id);
    }
    expect(found).toMatchObject({ outcome: "interrupted", status: 200 });
  } finally {
    await system.stop();
    await database.drop();
  }
}, 40_000);
