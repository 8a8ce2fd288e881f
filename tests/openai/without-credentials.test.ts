import { expect, test } from "vitest";
import { withoutCredentials } from "#lib/openai/export/without-credentials.ts";

test("what opens an MCP server is taken out, whatever it looks like", () => {
  const tool = {
    type: "mcp",
    server_label: "dice",
    server_url: "https://me:word@dice.example/mcp?token=abc#def",
    authorization: "plain words",
    headers: { Authorization: "abc", "x-team": "7" },
    require_approval: "never",
  };
  expect(withoutCredentials(tool)).toEqual({
    type: "mcp",
    server_label: "dice",
    server_url: "https://[secret]@dice.example/mcp?[secret]",
    authorization: "[secret]",
    headers: { Authorization: "[secret]", "x-team": "[secret]" },
    require_approval: "never",
  });
  expect(withoutCredentials({ type: "mcp", server_url: "https://dice.example/mcp" })).toEqual({
    type: "mcp",
    server_url: "https://dice.example/mcp",
  });
});

test("a function may have a field of that name", () => {
  const tool = { type: "function", name: "pay", authorization: "kept" };
  expect(withoutCredentials(tool)).toBe(tool);
});
