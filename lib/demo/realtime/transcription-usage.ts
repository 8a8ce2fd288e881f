/** What it costs to write down so much speech, by a model that bills tokens. */
export function transcriptionUsage(ms: number, words: string): object {
  const [input, output] = [Math.max(1, Math.round(ms / 100)), Math.ceil(words.length / 4)];
  return {
    type: "tokens",
    total_tokens: input + output,
    input_tokens: input,
    input_token_details: { text_tokens: 0, audio_tokens: input },
    output_tokens: output,
  };
}
