/**
 * Which bytes a `range` header asks for, both ends inclusive (RFC 9110, 14.2). `all`: none, or one that is not understood, which a
 * server may ignore; several ranges are such. `none`: it lies outside.
 */
export function partOf(range: string | null, length: number): { from: number; to: number } | "all" | "none" {
  const [, first = "", last = ""] = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(range?.trim() ?? "") ?? [];
  if (first === "" && last === "") return "all";
  // The last so many bytes.
  if (first === "")
    return Number(last) === 0 || length === 0 ? "none" : span(Math.max(0, length - Number(last)), length - 1);
  const [from, to] = [Number(first), last === "" ? length - 1 : Math.min(Number(last), length - 1)];
  // An end before the beginning is no range at all.
  if (last !== "" && Number(last) < from) return "all";
  return from >= length ? "none" : span(from, to);
}

const span = (from: number, to: number) => ({ from, to });
