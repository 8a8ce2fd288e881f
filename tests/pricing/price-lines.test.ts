import { describe, expect, it, test } from "vitest";
import type { UsageLine } from "#lib/call.ts";
import { addMoney, costOf } from "#lib/money.ts";
import type { PricedCall } from "#lib/pricing/find-line-price.ts";
import { PRICES } from "#lib/pricing/price-book.ts";
import { priceLines } from "#lib/pricing/price-lines.ts";
import { seeded } from "#tests/support/split.ts";

/** `60 input text`, `64 input text read`. */
function line(text: string): UsageLine {
  const [quantity, direction, modality, cache = "none"] = text.split(" ");
  return {
    direction,
    modality,
    cache,
    unit: "token",
    product: null,
    quantity: Number(quantity),
    source: "reported",
  } as UsageLine;
}

const AT = Date.parse("2026-01-15T12:00:00Z");

function price(model: string | null, lines: string[], call: Partial<PricedCall> = {}) {
  return priceLines(lines.map(line), {
    projectId: "default",
    upstream: "default",
    model,
    serviceTier: "default",
    region: null,
    startedAt: AT,
    inputTokens: 1000,
    ...call,
  });
}
const costs = (...of: Parameters<typeof price>) => price(...of).map(({ costUsd }) => costUsd);
const total = (...of: Parameters<typeof price>) =>
  costs(...of).reduce((sum, cost) => addMoney(sum as string, cost as string), "0");

describe("published examples come out to the last digit", () => {
  // https://platform.openai.com/docs/api-reference/realtime-server-events/response/done: the sample event's usage.
  const REALTIME = ["55 input text", "64 input text read", "13 input audio", "30 output text", "91 output audio"];

  it("a realtime response is its five lines", () => {
    const model = "gpt-4o-realtime-preview-2024-12-17";
    expect(costs(model, REALTIME)).toEqual(["0.000275", "0.00016", "0.00052", "0.0006", "0.00728"]);
    expect(total(model, REALTIME)).toBe("0.008835");
    // The two usual mistakes: cached tokens on top of the text, everything as text.
    expect(total(model, ["119 input text", ...REALTIME.slice(1)])).toBe("0.009155");
    expect(total(model, ["132 input text", "121 output text"])).toBe("0.00308");
  });

  test.each([
    ["gpt-4o-audio-preview-2024-12-17", "0.012", "0.032", "0.044"],
    ["gpt-realtime", "0.0096", "0.0256", "0.0352"],
    ["gpt-realtime-mini", "0.003", "0.008", "0.011"],
  ])("30 s asked and 20 s answered on %s", (model, asked, answered, sum) => {
    expect(costs(model, ["300 input audio", "400 output audio"])).toEqual([asked, answered]);
    expect(total(model, ["300 input audio", "400 output audio"])).toBe(sum);
  });

  it("a minute heard and spoken at launch was 6 and 24 cents", () => {
    const lines = ["600 input audio", "1200 output audio"];
    expect(costs("gpt-4o-realtime-preview-2024-10-01", lines)).toEqual(["0.06", "0.24"]);
  });

  it("a million audio tokens each way are $120, not the $12.50 of text", () => {
    expect(total("gpt-4o-audio-preview", ["1000000 input audio", "1000000 output audio"])).toBe("120");
    expect(total("gpt-4o-audio-preview", ["1000000 input text", "1000000 output text"])).toBe("12.5");
  });

  it("a minute of speech and of transcription fits the published estimates", () => {
    expect(costs("gpt-4o-mini-tts", ["1250 output audio"])).toEqual(["0.015"]);
    expect(total("gpt-4o-transcribe", ["600 input audio", "240 output text"])).toBe("0.006");
    const [perMinute] = PRICES.filter(({ model }) => model === "gpt-realtime-translate");
    expect(perMinute && costOf(60, perMinute.usd, perMinute.per)).toBe("0.034");
  });

  test.each([
    [765, "0.0019125", 25_501, "0.00382515"],
    [1105, "0.0027625", 36_835, "0.00552525"],
    [255, "0.0006375", 8500, "0.001275"],
    [85, "0.0002125", 2833, "0.00042495"],
  ])("a picture of %i tokens on gpt-4o", (tokens, usd, tokensMini, usdMini) => {
    expect(costs("gpt-4o-2024-08-06", [`${tokens} input image`])).toEqual([usd]);
    expect(costs("gpt-4o-mini", [`${tokensMini} input image`])).toEqual([usdMini]);
  });

  it("a picture on gpt-4o-mini costs what it first cost on gpt-4o, to half a per mille", () => {
    expect(costs("gpt-4o-2024-05-13", ["765 input image"])).toEqual(["0.003825"]);
  });

  it("a cached audio token saves fifteen times what a cached text token saves", () => {
    const [audio, text] = price("gpt-4o-realtime-preview-2024-12-17", ["1 input audio read", "15 input text read"]);
    expect(audio?.savedUsd).toBe("0.0000375");
    expect(text?.savedUsd).toBe("0.0000375");
  });
});

describe("a priced line", () => {
  it("keeps the line and names the row of the book", () => {
    expect(price("gpt-4o-2024-08-06", ["1024 input text read"])).toEqual([
      {
        direction: "input",
        modality: "text",
        cache: "read",
        unit: "token",
        product: null,
        quantity: 1024,
        source: "reported",
        price: { id: "gpt-4o-2024-08-06/input/text/read/standard/token@2024-10-01", usd: "1.25", per: 1_000_000 },
        costUsd: "0.00128",
        savedUsd: "0.00128",
      },
    ]);
  });

  it("of quantity 0 costs nothing, which is known", () => {
    expect(
      price("gpt-4o", ["0 input text", "0 input text read"]).map(({ costUsd, savedUsd }) => [costUsd, savedUsd]),
    ).toEqual([
      ["0", null],
      ["0", "0"],
    ]);
  });

  it("of a free model costs 0, of an unknown one is unknown", () => {
    expect(costs("omni-moderation-latest", ["12 input text"])).toEqual(["0"]);
    for (const model of [null, "", "gpt-4o-2099-01-01", "my-deployment", "ft:gpt-4o-2024-11-20:acme::x"]) {
      for (const priced of price(model, ["0 input text", "12 input text read", "3 output text"])) {
        expect(priced).toMatchObject({ price: null, costUsd: null, savedUsd: null });
      }
    }
  });

  it("is unknown alone: its neighbours keep their prices", () => {
    // A text model that states audio: nobody has published what that would cost.
    expect(costs("gpt-4o", ["10 input text", "10 input audio", "10 output text"])).toEqual([
      "0.000025",
      null,
      "0.0001",
    ]);
  });

  it("was not priced before its model was", () => {
    expect(costs("gpt-4o", ["10 input text"], { startedAt: Date.parse("2024-05-12T23:59:59Z") })).toEqual([null]);
  });
});

describe("the tier served", () => {
  test.each([
    ["default", "2.5"],
    [null, "2.5"],
    ["priority", "4.25"],
    ["batch", "1.25"],
    // The project's own tier, where the answer does not say which that is.
    ["auto", "2.5"],
    // Not offered, prepaid, not a served tier, not billed by, and made up.
    ["flex", null],
    ["scale", null],
    ["fast", null],
    ["estimate", null],
    ["standard", null],
    ["standard>272k", null],
    ["", null],
  ])("%j sets the price", (serviceTier, usd) => {
    expect(price("gpt-4o-2024-08-06", ["1 input text"], { serviceTier })[0]?.price?.usd ?? null).toBe(usd);
  });

  it("flex has rows where it is offered", () => {
    expect(costs("gpt-5", ["1000000 input text read"], { serviceTier: "flex" })).toEqual(["0.0625"]);
  });

  it("that has no cached price bills gpt-4o's cached tokens in full, and leaves those of others unpriced", () => {
    const batch = { serviceTier: "batch" };
    const of = (model: string) => price(model, ["1000000 input text read"], batch)[0];
    expect(of("gpt-4o-2024-08-06")).toMatchObject({ costUsd: "1.25", savedUsd: "0" });
    expect(of("gpt-4o-mini")).toMatchObject({ costUsd: "0.075", savedUsd: "0" });
    expect(of("gpt-5.4-pro")?.costUsd).toBeNull();
  });
});

describe("pictures", () => {
  test.each([
    ["gpt-4o", "2.5"],
    ["gpt-4o-2024-11-20", "2.5"],
    ["gpt-4o-mini-2024-07-18", "0.15"],
    ["gpt-4.1-nano", "0.1"],
    ["gpt-5", "1.25"],
    ["gpt-5.2-pro", "21"],
    ["ft:gpt-4o-2024-08-06:acme::x", "3.75"],
    // Prices of their own.
    ["gpt-realtime", "5"],
    ["gpt-image-1", "10"],
    // No price for a picture, and none to borrow.
    ["gpt-4o-audio-preview", null],
    ["gpt-4o-realtime-preview-2024-12-17", null],
    ["gpt-realtime-2.1-mini", null],
    ["gpt-audio-mini", null],
    ["gpt-4o-transcribe", null],
    ["o3", null],
    ["gpt-6-sol", null],
  ])("on %s", (model, usd) => {
    const startedAt = Date.parse("2026-11-01T00:00:00Z");
    expect(price(model, ["1 input image"], { startedAt })[0]?.price?.usd ?? null).toBe(usd);
  });

  it("from the cache cost what cached text costs", () => {
    const [read] = price("gpt-4o", ["1000 input image read"]);
    expect(read).toMatchObject({ modality: "image", costUsd: "0.00125", savedUsd: "0.00125" });
  });

  it("that a text model draws are not text", () => {
    expect(costs("gpt-4o", ["1 output image"])).toEqual([null]);
  });
});

describe("long input", () => {
  const startedAt = Date.parse("2026-04-01T00:00:00Z");
  const LINES = ["200000 input text", "72001 input text read", "1000000 output text"];

  it("of more than 272,000 tokens has its own prices for the whole request", () => {
    const at = (inputTokens: number) => costs("gpt-5.4", LINES, { startedAt, inputTokens });
    expect(at(272_000)).toEqual(["0.5", "0.01800025", "15"]);
    expect(at(272_001)).toEqual(["1", "0.0360005", "22.5"]);
  });

  it("of many requests together, as a batch has it, may be long or not: beyond the limit its price is not known", () => {
    const at = (inputTokens: number, isSum: boolean) =>
      costs("gpt-5.4", ["1000000 input text"], { startedAt, serviceTier: "batch", inputTokens, isSum });
    expect(at(272_000, true)).toEqual(at(272_000, false));
    expect([
      at(272_001, true),
      costs("gpt-4o-2024-08-06", ["1000000 input text"], { serviceTier: "batch", inputTokens: 9e6, isSum: true }),
    ]).toEqual([[null], ["1.25"]]);
  });

  it("saves what the long price says", () => {
    const [, read] = price("gpt-5.4", LINES, { startedAt, inputTokens: 272_001 });
    expect(read?.savedUsd).toBe("0.3240045");
  });

  it("is unpriced where nobody published the long price of the tier", () => {
    const call = { startedAt, serviceTier: "priority" };
    expect(costs("gpt-5.4", ["1 input text"], { ...call, inputTokens: 272_001 })).toEqual([null]);
    expect(costs("gpt-5.4", ["1 input text"], { ...call, inputTokens: 272_000 })).toEqual(["0.000005"]);
  });

  it("is the same price for models without long prices", () => {
    expect(costs("gpt-4.1", ["1000000 input text"], { inputTokens: 1_000_000 })).toEqual(["2"]);
  });

  it("of unknown length is unpriced where length decides", () => {
    expect(costs("gpt-5.4", ["1 output text"], { startedAt, inputTokens: null })).toEqual([null]);
    expect(costs("gpt-4o", ["1 output text"], { inputTokens: null })).toEqual(["0.00001"]);
  });
});

describe("cached tokens", () => {
  test.each(["gpt-audio-2025-08-28", "gpt-audio-mini", "gpt-4o-audio-preview", "gpt-4o-mini-audio-preview-2024-12-17"])(
    "of %s, which has no cached price, are billed in full and save nothing",
    (model) => {
      for (const modality of ["text", "audio"]) {
        const [read, full] = price(model, [`1000 input ${modality} read`, `1000 input ${modality}`]);
        expect(read?.costUsd).toBe(full?.costUsd);
        expect(read?.price?.id).toContain(`/${modality}/none/`);
        expect(read?.savedUsd).toBe("0");
      }
    },
  );

  test.each(["gpt-5-pro", "gpt-4o-2024-05-13", "chatgpt-4o-latest"])(
    "of %s, which has no cached price, are unpriced",
    (model) => {
      expect(price(model, ["1 input text", "1 input text read"])).toMatchObject([
        { savedUsd: null },
        { price: null, costUsd: null, savedUsd: null },
      ]);
    },
  );

  it("written have a price where there is one length to keep them, none where there are two", () => {
    const write = (model: string, day: string) =>
      costs(model, ["1000000 input text write"], { startedAt: Date.parse(day) })[0];
    expect(write("gpt-6.1-sol", "2026-10-01")).toBe("2.5");
    expect(write("gpt-5.6-sol", "2026-08-20")).toBeNull();
    expect(write("gpt-5.6-sol", "2026-08-21")).toBe("5");
    expect(write("gpt-6.1-terra", "2026-10-26")).toBeNull();
    expect(write("gpt-4o", "2026-01-01")).toBeNull();
    expect(
      price("gpt-6.1-sol", ["1 input text write"], { startedAt: Date.parse("2026-10-01") })[0]?.savedUsd,
    ).toBeNull();
  });
});

test("lines sum to the exact amount within half a unit of the 12th decimal each", () => {
  const random = seeded(4);
  const startedAt = Date.parse("2026-11-01T00:00:00Z");
  const pick = <T>(of: readonly T[]) => of[Math.floor(random() * of.length)] as T;
  const models = [...new Set(PRICES.map(({ model }) => model))];
  let priced = 0;
  for (let i = 0; i < 4000; i++) {
    const lines = Array.from({ length: 1 + Math.floor(random() * 8) }, () => {
      const quantity = Math.floor(random() * 10 ** (1 + Math.floor(random() * 9)));
      return `${quantity} ${pick(["input", "output"])} ${pick(["text", "audio", "image"])} ${pick(["none", "read", "write"])}`;
    });
    const serviceTier = pick(["default", "batch", "flex", "priority", null]);
    const known = price(pick(models), lines, { serviceTier, startedAt }).filter(({ price }) => price !== null);
    const sum = known.reduce((all, { costUsd }) => addMoney(all, costUsd as string), "0");
    // As integers × 10^-18: prices have at most 6 decimals and are per at most 1,000,000.
    const exact = known.reduce(
      (all, { quantity, price }) => all + BigInt(quantity) * perUnit(price as { usd: string; per: number }),
      0n,
    );
    const off = exact - decimal(sum, 18);
    expect(off < 0n ? -off : off, lines.join()).toBeLessThanOrEqual(500_000n * BigInt(known.length));
    priced += known.length;
  }
  expect(priced).toBeGreaterThan(1000);
});

const perUnit = ({ usd, per }: { usd: string; per: number }): bigint => decimal(usd, 18) / BigInt(per);

function decimal(text: string, decimals: number): bigint {
  const [whole = "", fraction = ""] = text.split(".");
  return BigInt(whole + fraction.padEnd(decimals, "0"));
}
