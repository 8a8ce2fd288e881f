import { hash } from "node:crypto";

export type CountTokens = (text: string) => number;

/** o200k_base is that of the gpt-4o family, cl100k_base that of the embedding models. 170 ms and 60 MB each, so they are loaded when first needed. */
export function loadTokenizer(encoding: keyof typeof ENCODINGS = "o200k_base"): Promise<CountTokens> {
  const known = loading.get(encoding);
  if (known) return known;
  const counting = ENCODINGS[encoding]().then(({ countTokens }): CountTokens => {
    return remembering((text) => countInSlices(text, (slice) => countTokens(slice, PLAIN)));
  });
  loading.set(encoding, counting);
  return counting;
}

const ENCODINGS = {
  o200k_base: () => import("gpt-tokenizer/encoding/o200k_base"),
  cl100k_base: () => import("gpt-tokenizer/encoding/cl100k_base"),
};

const loading = new Map<string, Promise<CountTokens>>();

/**
 * Counting is by far the longest part of reading a call that needs it (50 µs for a thousand characters), and the same instructions and the
 * same earlier turns come with call after call. They are known by their hash: what somebody said is not kept for it.
 */
function remembering(count: CountTokens): CountTokens {
  const known = new Map<string, number>();
  return (text) => {
    if (text.length < REMEMBERED_CHARS_MIN) return count(text);
    const key = hash("sha256", text, "base64");
    const before = known.get(key);
    if (before !== undefined) return before;
    const tokens = count(text);
    if (known.size >= REMEMBERED_MAX) known.clear();
    known.set(key, tokens);
    return tokens;
  };
}

/** Shorter ones are counted sooner than they are found. */
const REMEMBERED_CHARS_MIN = 100;
const REMEMBERED_MAX = 10_000;

/** Names of special tokens in somebody's text are text. */
const PLAIN = { disallowedSpecial: new Set<string>() };

/**
 * The encoder takes time quadratic in the length of a word, and a megabyte of one letter is one word (50,000 letters:
 * 1.2 s). So text goes in slices, cut before a space, where a token begins anyway, if there is one near; and beyond
 * CHARS_EXACT the rest is reckoned by the rate so far.
 */
function countInSlices(text: string, count: CountTokens): number {
  const exact = Math.min(text.length, CHARS_EXACT);
  let tokens = 0;
  for (let from = 0; from < exact; ) {
    const to = sliceEnd(text, from, exact);
    tokens += count(text.slice(from, to));
    from = to;
  }
  return text.length > exact ? Math.round((tokens * text.length) / exact) : tokens;
}

function sliceEnd(text: string, from: number, exact: number): number {
  const to = from + SLICE_CHARS;
  if (to >= exact) return exact;
  const space = text.slice(from, to + 1).lastIndexOf(" ");
  if (space > 0) return from + space;
  const isInsidePair = (text.charCodeAt(to) & 0xfc00) === 0xdc00;
  return isInsidePair ? to - 1 : to;
}

const SLICE_CHARS = 128;
const CHARS_EXACT = 200_000;
