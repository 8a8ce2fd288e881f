import { describe, expect, it, test } from "vitest";
import { addMoney, costOf, subtractMoney } from "#lib/money.ts";
import { seeded } from "#tests/support/split.ts";

const MILLION = 1_000_000;

describe("a cost", () => {
  it("is quantity × price, without trailing zeros", () => {
    expect(costOf(64, "2.5", MILLION)).toBe("0.00016");
    expect(costOf(91, "80", MILLION)).toBe("0.00728");
    expect(costOf(MILLION, "2.50", MILLION)).toBe("2.5");
    expect(costOf(4 * MILLION, "2.5", MILLION)).toBe("10");
    expect(costOf(1, "0.0625", MILLION)).toBe("0.0000000625");
    expect(costOf(1, "30", 1000)).toBe("0.03");
  });

  it("of nothing, or at no price, is 0", () => {
    expect(costOf(0, "2.5", MILLION)).toBe("0");
    expect(costOf(-0, "2.5", MILLION)).toBe("0");
    expect(costOf(12, "0", MILLION)).toBe("0");
  });

  it("takes decimal quantities by their text, small ones too", () => {
    // 0.1 + 0.2 style errors would show: 7.3 s × 0.034 / 60 = 0.00413666…
    expect(costOf(7.3, "0.034", 60)).toBe("0.004136666667");
    expect(costOf(0.3, "0.1", 1)).toBe("0.03");
    // 1e-7 in JavaScript's writing.
    expect(costOf(0.0000001, "1000000", 1)).toBe("0.1");
  });

  // Half a unit of the 12th decimal: 0.5 → 0, 1.5 → 2, 2.5 → 2, 3.5 → 4.
  test.each([
    [1, "0"],
    [3, "0.000000000002"],
    [5, "0.000000000002"],
    [7, "0.000000000004"],
  ])("of %i halves of the last decimal goes to the even one", (quantity, cost) => {
    expect(costOf(quantity, "0.0000000000005", 1)).toBe(cost);
    expect(costOf(quantity, "0.000000000001", 2)).toBe(cost);
  });

  it("rounds what is not a tie to the nearest", () => {
    expect(costOf(1, "0.00000000000050001", 1)).toBe("0.000000000001");
    expect(costOf(3, "0.0000000000004999", 1)).toBe("0.000000000001");
    expect(costOf(1, "1", 3)).toBe("0.333333333333");
    expect(costOf(2, "1", 3)).toBe("0.666666666667");
  });

  it("stays exact where floats do not", () => {
    expect(costOf(Number.MAX_SAFE_INTEGER, "0.000001", 1)).toBe("9007199254.740991");
    expect(costOf(Number.MAX_SAFE_INTEGER, "180", 1)).toBe("1621295865853378380");
    // 0.0728 × 3 is 0.21839999999999998 in floats.
    expect(costOf(3, "0.0728", 1)).toBe("0.2184");
  });

  test.each([
    [-1, "1", 1],
    [Number.NaN, "1", 1],
    [Number.POSITIVE_INFINITY, "1", 1],
    [2 ** 53, "1", 1],
    [1e21, "1", 1],
    [1, "-1", 1],
    [1, "", 1],
    [1, "1,5", 1],
    [1, ".5", 1],
    [1, "NaN", 1],
    [1, "1", 0],
    [1, "1", -60],
    [1, "1", 0.5],
  ])("is refused for %d at %j per %d", (quantity, usd, per) => {
    expect(() => costOf(quantity, usd, per)).toThrow(RangeError);
  });

  it("is never further than half a unit of the 12th decimal from the exact product", () => {
    const random = seeded(12);
    for (let i = 0; i < 5000; i++) {
      const quantity = Math.floor(random() * 10 ** (1 + Math.floor(random() * 12)));
      const price = BigInt(Math.floor(random() * 10 ** 9));
      const per = [1, 7, 60, 1000, MILLION][Math.floor(random() * 5)] as number;
      const usd = `${price / MILLION_BIG}.${(price % MILLION_BIG).toString().padStart(6, "0")}`;
      // Both sides × per × 10^12; the price has 6 decimals.
      const exact = BigInt(quantity) * price * MILLION_BIG;
      const off = exact - units(costOf(quantity, usd, per)) * BigInt(per);
      expect((off < 0n ? -off : off) * 2n, `${quantity} × ${usd} / ${per}`).toBeLessThanOrEqual(BigInt(per));
    }
  });
});

describe("amounts", () => {
  it("add and subtract exactly, below zero too", () => {
    expect(addMoney("0.1", "0.2")).toBe("0.3");
    expect(addMoney("0.999999999999", "0.000000000001")).toBe("1");
    expect(subtractMoney("0.3", "0.1")).toBe("0.2");
    expect(subtractMoney("1", "1")).toBe("0");
    expect(subtractMoney("0.000000000001", "0.5")).toBe("-0.499999999999");
    expect(addMoney("-0.499999999999", "0.5")).toBe("0.000000000001");
  });

  it("are read as databases write them", () => {
    expect(addMoney("0.000160000000", "0")).toBe("0.00016");
    expect(addMoney("2.500000000000000000", "-2.50")).toBe("0");
  });

  it("with more decimals than money has are refused rather than cut", () => {
    expect(() => addMoney("0.0000000000001", "1")).toThrow(RangeError);
    expect(() => subtractMoney("1", "abc")).toThrow(RangeError);
  });
});

const MILLION_BIG = 1_000_000n;

/** In units of the 12th decimal, by hand. */
function units(amount: string): bigint {
  const [whole = "", fraction = ""] = amount.split(".");
  return BigInt(whole + fraction.padEnd(12, "0"));
}
