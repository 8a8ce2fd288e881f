/** What somebody thought of an answer, as accepted by the proxy. */
export interface Feedback {
  /** UUIDv7 made when it was accepted. */
  id: string;
  receivedAtMs: number;
  target: { kind: "call" | "response" | "session"; id: string };
  /** A part of the target, e.g. one choice. */
  item: string | null;
  /** null withdraws an earlier thumb. */
  rating: "up" | "down" | null;
  score: number | null;
  comment: string | null;
  correction: string | null;
  labels: string[];
  /** Who says it: the last word of a rater on a target counts. */
  rater: string;
}

/** A stable code for programs and a sentence that says what to send instead. */
export interface FeedbackRefusal {
  code: string;
  message: string;
}

const ID_CHARACTERS_MAX = 512;
const TEXT_CHARACTERS_MAX = 16_384;
const LABELS_MAX = 32;

/** Reads a feedback as posted. Everything that does not fit is refused with a reason; nothing is guessed. */
export function parseFeedback(json: unknown, id: string, receivedAtMs: number): Feedback | FeedbackRefusal {
  if (!isObject(json)) return refuse("body", "Send a JSON object with a target and a rating.");
  const target = readTarget(json.target);
  if ("code" in target) return target;
  const rating = json.rating ?? null;
  if (rating !== null && rating !== "up" && rating !== "down")
    return refuse("rating", 'rating is "up", "down" or null.');
  const score = json.score ?? null;
  if (score !== null && !Number.isFinite(score)) return refuse("score", "score is a number.");
  const texts: Record<string, string | null> = {};
  for (const name of ["item", "comment", "correction", "rater"] as const) {
    const value = json[name] ?? null;
    if (value !== null && (typeof value !== "string" || value.length > TEXT_CHARACTERS_MAX))
      return refuse(name, `${name} is a string of at most ${TEXT_CHARACTERS_MAX} characters.`);
    texts[name] = value;
  }
  const labels = json.labels ?? [];
  if (!Array.isArray(labels) || labels.length > LABELS_MAX || !labels.every((one) => isShort(one)))
    return refuse("labels", `labels is a list of at most ${LABELS_MAX} short strings.`);
  const { item = null, comment = null, correction = null, rater } = texts;
  if (!("rating" in json) && score === null && !comment && !correction && labels.length === 0)
    return refuse("empty", "Send at least one of rating, score, comment, correction or labels.");
  return {
    id,
    receivedAtMs,
    target,
    item,
    rating,
    score: score as number | null,
    comment,
    correction,
    labels,
    rater: rater ?? "",
  };
}

function readTarget(target: unknown): Feedback["target"] | FeedbackRefusal {
  const kinds = ["call", "response", "session"] as const;
  const given = isObject(target) ? kinds.filter((kind) => target[kind] != null) : [];
  const kind = given[0];
  const wrong = 'target is one of {"call": id}, {"response": id} or {"session": id}.';
  if (!kind || given.length > 1) return refuse("target", wrong);
  const id = (target as Record<string, unknown>)[kind];
  if (!isShort(id)) return refuse("target", wrong);
  if (kind === "call" && !/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(id))
    return refuse("target", "target.call is the value of an x-omnimeter-call-id response header.");
  return { kind, id };
}

const refuse = (what: string, message: string): FeedbackRefusal => ({ code: `feedback_bad_${what}`, message });
const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const isShort = (value: unknown): value is string =>
  typeof value === "string" && value.length > 0 && value.length <= ID_CHARACTERS_MAX;
