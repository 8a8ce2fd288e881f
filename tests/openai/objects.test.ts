import { expect, test } from "vitest";
import { decode } from "#lib/openai/decode.ts";
import { exchange } from "./from-recording.ts";

const AT = 1_699_999_000;

const job = {
  id: "ftjob-1",
  object: "fine_tuning.job",
  model: "gpt-4o-mini-2024-07-18",
  status: "succeeded",
  finished_at: AT,
  fine_tuned_model: "ft:gpt-4o-mini-2024-07-18:acme::1",
  trained_tokens: 5768,
};
const train = async (response: object) =>
  (await decode(exchange({ method: "GET", path: "/v1/fine_tuning/jobs/ftjob-1", response }))).children;

test("a training that succeeded is billed by what it trained on, once", async () => {
  expect(await train(job)).toMatchObject([
    {
      key: ["ftjob-1"],
      endpoint: "fine_tuning",
      startedAtMs: AT * 1000,
      facts: {
        model: "ft:gpt-4o-mini-2024-07-18:acme::1",
        inherits: "ftjob-1",
        lines: [
          {
            direction: "tool",
            modality: "text",
            unit: "training_token",
            product: "ft:gpt-4o-mini-2024-07-18",
            quantity: 5768,
            source: "reported",
          },
        ],
      },
    },
  ]);
  // A model that was tuned before is trained at the price of its base.
  const [again] = await train({ ...job, model: job.fine_tuned_model });
  expect(again?.facts.lines[0]?.product).toBe("ft:gpt-4o-mini-2024-07-18");
  for (const change of [
    { status: "running" },
    { trained_tokens: null },
    { finished_at: null },
    { status: "cancelled" },
  ]) {
    expect(await train({ ...job, ...change })).toEqual([]);
  }
  expect((await train({ ...job, trained_tokens: -4 }))[0]?.facts).toMatchObject({
    lines: [],
    problems: ["usage_bad_number"],
  });
});

test("to start a training makes its id known", async () => {
  const request = { model: "gpt-4o-mini-2024-07-18", training_file: "file-1" };
  const response = { ...job, status: "queued", finished_at: null, fine_tuned_model: null, trained_tokens: null };
  const facts = await decode(exchange({ path: "/v1/fine_tuning/jobs", request, response }));
  expect(facts).toMatchObject({ objectIds: ["ftjob-1"], children: [], lines: [] });
});

test("a client secret tells the session's model and id, and nobody the secret", async () => {
  const facts = await decode(
    exchange({
      path: "/v1/realtime/client_secrets",
      request: { session: { type: "realtime", model: "gpt-realtime", instructions: "Be kind." } },
      response: { value: "ek_secret", session: { id: "sess_1", model: "gpt-realtime-2025-08-28" } },
    }),
  );
  expect(facts).toMatchObject({
    requestModel: "gpt-realtime",
    model: "gpt-realtime-2025-08-28",
    objectIds: ["sess_1"],
  });
  expect(JSON.stringify(facts)).not.toContain("ek_secret");
});

test("a session that only writes down names the model that does", async () => {
  const facts = await decode(
    exchange({
      path: "/v1/realtime/client_secrets",
      request: {
        session: { type: "transcription", audio: { input: { transcription: { model: "gpt-4o-transcribe" } } } },
      },
      response: { session: { id: "sess_2", audio: { input: { transcription: { model: "gpt-4o-transcribe" } } } } },
    }),
  );
  expect([facts.requestModel, facts.model]).toEqual(["gpt-4o-transcribe", "gpt-4o-transcribe"]);
});

test("a call over WebRTC or telephone is known by its id, from the answer's head or the path", async () => {
  const form = ["--b", 'Content-Disposition: form-data; name="session"', "", '{"model":"gpt-realtime"}', "--b--", ""];
  const offered = await decode(
    exchange({
      path: "/v1/realtime/calls",
      request: form.join("\r\n"),
      requestHeaders: ["content-type", "multipart/form-data; boundary=b"],
      status: 201,
      headers: ["content-type", "application/sdp", "Location", "/v1/realtime/calls/rtc_1"],
      response: "v=0",
    }),
  );
  expect(offered).toMatchObject({ requestModel: "gpt-realtime", objectIds: ["rtc_1"] });
  const accepted = await decode(
    exchange({
      path: "/v1/realtime/calls/rtc_2/accept",
      request: { type: "realtime", model: "gpt-realtime" },
      headers: [],
      response: "",
    }),
  );
  expect(accepted).toMatchObject({ requestModel: "gpt-realtime", objectIds: ["rtc_2"] });
});

test("conversations group what names them", async () => {
  const made = await decode(
    exchange({ path: "/v1/conversations", request: {}, response: { id: "conv_1", object: "conversation" } }),
  );
  expect(made.conversationId).toBe("conv_1");
  const items = await decode(
    exchange({ path: "/v1/conversations/conv_2/items", response: { object: "list", data: [] } }),
  );
  expect(items).toMatchObject({ conversationId: "conv_2", usage: { source: "none" }, lines: [] });
});

test("what is read again was generated then", async () => {
  const response = {
    id: "resp_1",
    object: "response",
    created_at: AT,
    model: "gpt-4o-2024-08-06",
    status: "completed",
    background: true,
    output: [],
    usage: { input_tokens: 3, output_tokens: 2, total_tokens: 5 },
  };
  const again = await decode(exchange({ method: "GET", path: "/v1/responses/resp_1", response }));
  expect(again).toMatchObject({ reread: true, generatedAtMs: AT * 1000, usage: { inputTokens: 3 } });
  const cancelled = await decode(exchange({ path: "/v1/responses/resp_1/cancel", response }));
  expect(cancelled).toMatchObject({ reread: true, generatedAtMs: AT * 1000 });
  const stored = {
    id: "chatcmpl-1",
    object: "chat.completion",
    created: AT,
    model: "gpt-4o",
    choices: [],
    usage: null,
  };
  const chat = await decode(exchange({ method: "GET", path: "/v1/chat/completions/chatcmpl-1", response: stored }));
  expect(chat).toMatchObject({ reread: true, generatedAtMs: AT * 1000 });
  const first = await decode(exchange({ path: "/v1/responses", request: {}, response }));
  expect(first).toMatchObject({ reread: false, generatedAtMs: null });
  const waiting = { ...response, status: "queued", usage: null };
  const queued = await decode(exchange({ path: "/v1/responses", request: { background: true }, response: waiting }));
  expect(queued).toMatchObject({ responseId: "resp_1", usage: { source: "none" }, lines: [], problems: [] });
});
