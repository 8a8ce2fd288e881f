import { OUTPUT_AUDIO_MS_PER_TOKEN } from "#lib/session.ts";
import { usage } from "./events.ts";

/** People's speech is ten tokens a second. */
const INPUT_AUDIO_MS_PER_TOKEN = 100;
const CACHE_STEP_TOKENS = 64;

/** The conversation so far, in tokens: every answer is billed for all of it, the part before the last answer from the cache. */
export interface Meter {
  heard(ms: number): void;
  told(text: string): void;
  /** Of an answer that was cut, so much was never heard and leaves the conversation. */
  forget(ms: number): void;
  /** The usage of a response that ends now. */
  respond(text: string, audioMs: number): object;
}

export function createMeter(instructions: string): Meter {
  let text = tokensOf(instructions);
  let audio = 0;
  let cached = { text: 0, audio: 0 };
  return {
    heard(ms) {
      audio += Math.round(ms / INPUT_AUDIO_MS_PER_TOKEN);
    },
    told(words) {
      text += tokensOf(words);
    },
    forget(ms) {
      audio -= Math.min(audio, Math.floor(ms / OUTPUT_AUDIO_MS_PER_TOKEN));
    },
    respond(words, audioMs) {
      const [textOut, audioOut] = [tokensOf(words), Math.round(audioMs / OUTPUT_AUDIO_MS_PER_TOKEN)];
      const used = usage(
        [text, Math.min(stepped(text), cached.text)],
        [audio, Math.min(stepped(audio), cached.audio)],
        textOut,
        audioOut,
      );
      cached = { text: stepped(text), audio: stepped(audio) };
      text += textOut;
      audio += audioOut;
      return used;
    },
  };
}

const stepped = (tokens: number): number => Math.floor(tokens / CACHE_STEP_TOKENS) * CACHE_STEP_TOKENS;
/** About what a tokenizer says of English. */
const tokensOf = (words: string): number => Math.ceil(words.length / 4);
