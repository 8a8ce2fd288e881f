import { expect, test } from "vitest";
import { sideChannelOf } from "#lib/openai/sessions/side-channel.ts";
import { chatExchange } from "#tests/support/exchange.ts";

interface Asked {
  method?: string;
  target?: string;
  upstreamTarget?: string;
  status?: number;
  location?: string;
}

function channelOf({ method = "POST", target = "/v1/realtime/calls", upstreamTarget, status = 201, location }: Asked) {
  const exchange = chatExchange();
  const start = { ...exchange.start, method, target, upstreamTarget: upstreamTarget ?? target };
  const headers = location === undefined ? [] : ["Content-Type", "application/sdp", "Location", location];
  return sideChannelOf({
    ...exchange,
    start,
    response: exchange.response && { ...exchange.response, status, headers },
  });
}

test.each<[Asked, string, string]>([
  [{ location: "/v1/realtime/calls/rtc_1" }, "rtc_1", "/v1/realtime?call_id=rtc_1"],
  [{ location: "https://api.openai.com/v1/realtime/calls/rtc_1?x=1" }, "rtc_1", "/v1/realtime?call_id=rtc_1"],
  [
    {
      target: "/u/eu/f/help-desk/v1/realtime/calls?trace=1",
      upstreamTarget: "/v1/realtime/calls?trace=1",
      location: "/v1/realtime/calls/rtc_1/",
    },
    "rtc_1",
    "/u/eu/f/help-desk/v1/realtime?call_id=rtc_1",
  ],
  [{ target: "/v1/realtime/calls/rtc_2/accept", status: 200 }, "rtc_2", "/v1/realtime?call_id=rtc_2"],
  [
    { target: "/u/azure/openai/v1/realtime/calls", upstreamTarget: "/openai/v1/realtime/calls", location: "/calls/r" },
    "r",
    "/u/azure/openai/v1/realtime?call_id=r",
  ],
])("a call that was set up has a side channel: %o", (asked, callId, target) => {
  expect(channelOf(asked)).toMatchObject({ callId, target });
});

test.each<[why: string, asked: Asked]>([
  ["its answer names no call", {}],
  ["it was refused", { location: "/v1/realtime/calls/rtc_1", status: 400 }],
  ["it was only looked at", { method: "GET", location: "/v1/realtime/calls/rtc_1" }],
  ["it was hung up", { target: "/v1/realtime/calls/rtc_1/hangup", status: 200 }],
  ["it was rejected", { target: "/v1/realtime/calls/rtc_1/reject", status: 200 }],
  ["it was no call at all", { target: "/v1/responses", location: "/v1/realtime/calls/rtc_1" }],
  ["its id could be more than an id", { location: "/v1/realtime/calls/rtc_1&model=x" }],
  ["its id is absurdly long", { location: `/v1/realtime/calls/${"r".repeat(257)}` }],
])("there is none where %s", (_, asked) => {
  expect(channelOf(asked)).toBeNull();
});

test("there is none without an answer", () => {
  const exchange = chatExchange();
  const start = {
    ...exchange.start,
    target: "/v1/realtime/calls/r/accept",
    upstreamTarget: "/v1/realtime/calls/r/accept",
  };
  expect(sideChannelOf({ ...exchange, start, response: null })).toBeNull();
});

test("a key goes where its provider looks for it", () => {
  const location = "/v1/realtime/calls/rtc_1";
  expect(channelOf({ location })?.credential("sk-1")).toEqual(["authorization", "Bearer sk-1"]);
  const azure = { target: "/u/azure/openai/v1/realtime/calls", upstreamTarget: "/openai/v1/realtime/calls", location };
  expect(channelOf(azure)?.credential("0af")).toEqual(["api-key", "0af"]);
});
