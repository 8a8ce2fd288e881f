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
  usage_inconsistent: "The provider's token counts contradict each other or are not complete: nothing is priced",
  usage_unreadable: "The provider reported its usage in a form that is not known here",
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
