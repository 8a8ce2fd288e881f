import { expect, test } from "vitest";
import { deploymentInPath, ENDPOINTS, findEndpoint } from "#lib/openai/endpoints.ts";

test.each([
  ["POST", "/v1/chat/completions", "chat_completions"],
  ["POST", "/v1/chat/completions?beta=true", "chat_completions"],
  ["GET", "/v1/chat/completions", "chat_completions_list"],
  ["GET", "/v1/chat/completions/chatcmpl-1", "chat_completions_stored"],
  ["GET", "/v1/chat/completions/chatcmpl-1/messages", "chat_completions_messages"],
  ["POST", "/v1/responses?beta=true", "responses"],
  ["POST", "/v1/responses/input_tokens", "responses_input_tokens"],
  ["POST", "/v1/responses/compact", "responses_compact"],
  ["GET", "/v1/responses/resp_1?stream=true&starting_after=4", "responses_retrieve"],
  ["POST", "/v1/responses/resp_1/cancel", "responses_cancel"],
  ["DELETE", "/v1/responses/resp_1", "responses_delete"],
  ["GET", "/v1/responses/resp_1/input_items", "responses_input_items"],
  ["POST", "/v1/completions", "completions"],
  ["POST", "/v1/embeddings/", "embeddings"],
  ["POST", "/v1/audio/transcriptions", "audio_transcriptions"],
  ["POST", "/v1/images/edits", "images_edits"],
  ["GET", "/v1/models", "models"],
  ["DELETE", "/v1/models/ft:gpt-4o:me::1", "models"],
  ["GET", "/v1/files/file-1/content", "files"],
  ["GET", "/v1/realtime?model=gpt-realtime", "realtime"],
  ["POST", "/v1/realtime/client_secrets", "realtime_client_secrets"],
  ["POST", "/v1/realtime/calls/rtc_1/accept", "realtime_calls"],
  ["POST", "/v1/threads/thread_1/runs", "threads_run"],
  ["GET", "/v1/threads/thread_1/runs/run_1", "threads"],
  ["GET", "/v1/organization/usage/completions?limit=1", "organization"],
  ["POST", "/openai/deployments/my-4o/chat/completions?api-version=2024-10-21", "chat_completions"],
  ["POST", "/openai/v1/responses", "responses"],
  ["POST", "/openai/responses?api-version=2025-03-01-preview", "responses"],
  ["POST", "/api/v1/chat/completions", "chat_completions"],
  ["POST", "/v1/brand/new", "unknown"],
  ["PUT", "/v1/chat/completions", "unknown"],
  ["POST", "/v1/chat/completions/", "chat_completions"],
  ["GET", "/", "unknown"],
])("%s %s is %s", (method, path, name) => {
  expect(findEndpoint(method, path).name).toBe(name);
});

test("reading a stored answer again is never a generation", () => {
  expect(ENDPOINTS.filter((endpoint) => endpoint.reread && endpoint.generates)).toEqual([]);
  expect(findEndpoint("GET", "/v1/responses/resp_1")).toMatchObject({ reread: true, reader: "responses" });
});

test("the deployment in an Azure path is the model that was asked for", () => {
  expect(deploymentInPath("/openai/deployments/my%204o/chat/completions?x=/deployments/")).toBe("my 4o");
  expect(deploymentInPath("/openai/deployments/%zz/chat/completions")).toBe("%zz");
  expect(deploymentInPath("/v1/chat/completions")).toBeNull();
});
