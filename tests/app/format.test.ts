import { describe, expect, it } from "vitest";
import {
  formatBytes,
  formatCount,
  formatDuration,
  formatMoney,
  formatShare,
  formatTokensShort,
  plural,
} from "#app/_ui/format.ts";
import { formatEdge, formatMoment, formatMomentFully, formatOffset } from "#app/_ui/time.ts";

describe("numbers", () => {
  it.each([
    [null, "—"],
    ["0", "$0.00"],
    ["1234.56", "$1,234.56"],
    ["98765.43", "$98,765.43"],
    ["-312.4", "-$312.40"],
    ["0.0312", "$0.0312"],
    ["0.5", "$0.5000"],
    ["0.00412", "$0.00412"],
    ["0.0000125", "$0.0000125"],
    ["0.000000000001", "$0.000000000001"],
    ["90071992547409931.27", "$90,071,992,547,409,931.27"],
  ])("money %s reads %s", (amount, text) => expect(formatMoney(amount)).toBe(text));

  it.each([
    [null, "—"],
    [0, "0 ms"],
    [0.34, "0.3 ms"],
    [9.96, "10 ms"],
    [842, "842 ms"],
    [999.7, "1.00 s"],
    [2912, "2.91 s"],
    [59_996, "1 m 0 s"],
    [192_000, "3 m 12 s"],
    [7_384_000, "2 h 3 m"],
  ])("%s ms reads %s", (ms, text) => expect(formatDuration(ms)).toBe(text));

  it.each([
    [0, "0 B"],
    [999, "999 B"],
    [1234, "1.23 kB"],
    [999_600, "1 MB"],
    [52_428_800, "52.4 MB"],
  ])("%s bytes read %s", (bytes, text) => expect(formatBytes(bytes)).toBe(text));

  it("counts are grouped, tiles short, unknown is a dash", () => {
    expect(formatCount(18_432_019)).toBe("18,432,019");
    expect(formatTokensShort(18_432_019)).toBe("18.4M");
    expect([formatCount(null), formatTokensShort(null)]).toEqual(["—", "—"]);
    expect([plural(1, "call"), plural(2, "call"), plural(0, "try", "tries")]).toEqual(["1 call", "2 calls", "0 tries"]);
  });

  it("a share is 0 or 100 only when it is", () => {
    expect(formatShare(0, 10)).toBe("0 %");
    expect(formatShare(1, 100_000)).toBe("< 0.1 %");
    expect(formatShare(99_999, 100_000)).toBe("> 99.9 %");
    expect(formatShare(21, 25)).toBe("84 %");
    expect(formatShare(17, 1000)).toBe("1.7 %");
    expect(formatShare(0, 0)).toBe("—");
  });
});

describe("moments", () => {
  const at = Date.parse("2026-11-20T10:42:07.123Z");
  it("are written in the zone", () => {
    expect(formatMoment(at, "UTC")).toBe("20 Nov 10:42:07");
    expect(formatMoment(at, "Asia/Kolkata")).toBe("20 Nov 16:12:07");
    expect(formatMomentFully(at, "America/New_York")).toBe("20 Nov 2026 05:42:07.123 UTC−05:00");
    expect(formatMomentFully(at, "Pacific/Chatham")).toBe("21 Nov 2026 00:27:07.123 UTC+13:45");
  });
  it("a midnight is a day", () => {
    expect(formatEdge(Date.parse("2026-11-20T00:00Z"), "UTC")).toBe("20 Nov");
    expect(formatEdge(Date.parse("2026-11-20T00:00Z"), "Asia/Kolkata")).toBe("20 Nov 05:30");
    expect(formatOffset(at, "UTC")).toBe("UTC");
  });
});
