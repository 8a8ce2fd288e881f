const SENTENCES: Record<string, string> = {
  attribution_dropped:
    "A value for attribution could not be used (too long, malformed, or not percent-encoded UTF-8) and was left out",
  background_unfinished: "The response runs in the background and had not ended when this request did",
  usage_of_another_call: "This repeats an answer that another call generated; its tokens are counted there",
  request_headers_cut: "The request's head was larger than what is kept of it; it was relayed whole",
  response_headers_cut: "The answer's head was larger than what is kept of it; it was relayed whole",
  cached_split_assumed: "The provider did not say which modality the cached tokens were; they were taken as text first",
  encoding_broken: "Its compression is damaged; what could be unpacked was read",
  encoding_unknown: "It is compressed in a way that cannot be read here",
  event_oversized: "An event of the stream was too large to read and was left out",
  event_unreadable: "An event of the stream is not JSON and was left out",
  oversized: "It unpacks to more than is read",
  reader_failed: "This version could not read the exchange; it was relayed and its timing recorded all the same",
  redaction_failed: "The content could not be redacted and was dropped",
  request_cut: "The request is larger than what is kept; it was relayed whole, and read in part",
  request_unreadable: "The request's body is not readable JSON",
  response_cut: "The response is larger than what is kept; it was relayed whole, and read in part",
  response_unreadable: "The response's body is not readable JSON",
  stream_without_terminal_event: "The stream stopped without the event that ends it",
  template_version_without_template: "A template version without a template was sent; it was left out",
  usage_all_zero: "The provider reported only zeros for a call that has output; its usage counts as unknown",
  usage_bad_number: "The provider reported a token count that is not a number",
  usage_detail_unknown: "The provider counts tokens of a kind that is not known here",
  usage_inconsistent: "The provider's token counts contradict each other or are not complete: nothing is priced",
  audio_split_assumed: "The provider did not divide the input between audio and text: all of it is counted as audio",
  audio_too_long_to_keep: "The audio was longer than what is kept of it; it was relayed whole",
  azure_filtered_prompt_charged:
    "Azure's filter refused the prompt, which is billed all the same: its tokens are estimated",
  batch_lines_left_out: "The batch has more lines than are read of one file: the rest is not counted",
  characters_unknown: "The text that was to be spoken could not be read, so its characters are not counted",
  container_size_assumed: "The container's memory was not stated; it was taken as the smallest",
  created_not_seen: "The event that begins this response was not seen: its times begin with the first that was",
  duration_unknown: "Nobody stated how long the audio is, and it could not be measured",
  estimate_failed: "No usage was reported, and it could not be estimated",
  event_cut: "An event was larger than what is kept of it, and was read in part",
  event_failed: "An event could not be read by this version; the session was read on without it",
  generated_estimated: "How much audio was generated is estimated from its tokens",
  heard_estimated: "How much of the audio was heard is estimated from the time it would have played",
  image_model_assumed: "The model of the image tool was not named; it was taken as gpt-image-1",
  image_split_estimated:
    "The provider gave one number for text and images: the division between them is estimated, the sum is exact",
  image_split_failed: "The input could not be divided between text and images",
  image_split_off: "The estimate for images and the provider's number are far apart",
  image_usage_inconsistent: "What the image tool used contradicts itself",
  image_usage_missing: "An image was made by a tool whose usage is not stated: its cost is not in here",
  input_end_estimated: "The end of the user's speech is estimated from when it was noticed",
  input_end_unknown: "The end of the user's speech is not known, so neither is the wait",
  media_too_large: "The audio was larger than what is kept of one call; the rest was left out",
  messages_missing: "Some of the session's messages could not be kept when they came; they were relayed",
  model_missing: "The request names no model",
  moment_unknown: "Neither the answer nor its file says when it was made: it counts from when the file was fetched",
  multipart_unfinished: "The form in the request stops before its end",
  multipart_unreadable: "The form in the request could not be read",
  response_repeated: "A response was told of twice; it was counted once",
  search_content_added:
    "What the search found is billed as a fixed number of input tokens for this model; they were added",
  search_count_assumed: "How often was searched is not stated: it was counted as once",
  search_tool_assumed: "Which kind of search it was is not clear, and their prices differ",
  seconds_rounded: "The duration was stated finer than milliseconds, and rounded to them",
  submitter_unknown: "Who asked for this is not known: the call that did is not recorded",
  svg_model_missing: "Which model made the drawing is not stated, so it has no price",
  transcription_repeated: "A transcription was told of twice; it was counted once",
  too_many_open_responses: "More responses were open at once than are followed; the oldest was closed",
  tool_cost_incomplete: "Two tools with models of their own were used: only the first is priced",
  truncated_too_late: "A truncation named an answer that was told of before",
  usage_repeated: "The stream stated usage more than once; the last was taken",
  usage_restated: "Its usage was told later, by an answer that repeats it",
  usage_unreadable: "The provider reported its usage in a form that is not known here",
  words_let_go: "All open sessions held too much at once: what was said up to then was given up, figures were not",
};

const SIDES = { request: "Request", response: "Response" } as const;

/** What a problem's code means. null: a code that this version does not know; it is shown as it is. */
export function problemSentence(code: string): string | null {
  const [name = code, detail] = code.split(":");
  const known = SENTENCES[name];
  if (known) return `${known}${detail ? ` (${detail})` : ""}.`;
  const [side = "", ...rest] = name.split("_");
  const about = SENTENCES[rest.join("_")];
  return about && side in SIDES ? `${SIDES[side as keyof typeof SIDES]}: ${about}.` : null;
}
