export type CountTokens = (text: string) => number;

/** o200k_base, the encoding of the gpt-4o family. 170 ms and 60 MB, so it is loaded when first needed. */
export function loadTokenizer(): Promise<CountTokens> {
  loading ??= import("gpt-tokenizer/encoding/o200k_base").then(({ countTokens }) => {
    return (text) => countInSlices(text, (slice) => countTokens(slice, PLAIN));
  });
  return loading;
}

let loading: Promise<CountTokens> | null = null;

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
