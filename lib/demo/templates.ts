/** Prompt templates, and the instructions of those who name none. */
export interface Template {
  /** null: unlabelled, told apart by the hash of its instructions. */
  readonly name: string | null;
  readonly feature: string | null;
  readonly weight: number;
  readonly kind: "text" | "vision" | "audio";
  readonly streamed: boolean;
  readonly versions: readonly Version[];
  readonly tokens: Tokens;
  /** Tools offered; some answers call one. */
  readonly tool?: string;
  readonly feedback?: FeedbackHabit;
}

export interface Version {
  readonly version: string | null;
  /** Days before the end on which it came; the first one was there before. */
  readonly from: number;
  readonly instructions: string;
  /** Thumbs up: exactly `up` of every `of` ratings. */
  readonly rating?: { readonly up: number; readonly of: number; readonly most?: number };
}

export interface Tokens {
  /** Medians. */
  readonly input: number;
  readonly output: number;
  readonly sigma: number;
  /** Share of the input that comes from the cache, on the first day and on the last. */
  readonly cached: readonly [first: number, last: number];
}

/** How people judge, and how many of them do. */
export interface FeedbackHabit {
  readonly share: number;
  readonly kind: "thumbs" | "score" | "correction";
}

const ALWAYS = 1000;
const lasting = (version: string | null, instructions: string): Version[] => [{ version, from: ALWAYS, instructions }];

const SUPPORT =
  "You answer customers of an online shop. Be warm and brief, state order facts only from tools, and never promise refunds.";
const SEARCH =
  "Answer the question from the passages below and cite each one you used as [n]. Say so when the passages do not hold the answer.";
const CONCIERGE = "You are the voice of a hotel desk. Speak in short sentences and confirm dates and names.";

export const TEMPLATES: readonly Template[] = [
  {
    name: "support_reply",
    feature: "support-chat",
    weight: 8,
    kind: "text",
    streamed: true,
    tool: "lookup_order",
    versions: [
      { version: "12", from: ALWAYS, instructions: SUPPORT, rating: { up: 17, of: 20 } },
      {
        version: "13",
        from: 17.6,
        instructions: `${SUPPORT} Offer at most one next step, and close with a question.`,
        rating: { up: 79, of: 100 },
      },
    ],
    tokens: { input: 1850, output: 170, sigma: 0.35, cached: [0.35, 0.62] },
    feedback: { share: 0.5, kind: "thumbs" },
  },
  {
    name: "support_triage",
    feature: "support-chat",
    weight: 2,
    kind: "text",
    streamed: false,
    versions: lasting(
      "4",
      "Sort the message into one of: order, payment, delivery, return, other. Answer with the word alone.",
    ),
    tokens: { input: 620, output: 4, sigma: 0.3, cached: [0, 0] },
  },
  {
    name: "search_answer",
    feature: "search-answers",
    weight: 7,
    kind: "text",
    streamed: true,
    versions: [
      { version: "4", from: ALWAYS, instructions: SEARCH, rating: { up: 44, of: 50 } },
      {
        version: "5",
        from: 38.4,
        instructions: `${SEARCH} Answer in the language of the question.`,
        rating: { up: 45, of: 50 },
      },
    ],
    tokens: { input: 4200, output: 210, sigma: 0.4, cached: [0.12, 0.55] },
    feedback: { share: 0.06, kind: "thumbs" },
  },
  {
    name: "search_rewrite_query",
    feature: "search-answers",
    weight: 3,
    kind: "text",
    streamed: false,
    versions: lasting("2", "Rewrite the question as a search query of at most eight words. Keep names and numbers."),
    tokens: { input: 240, output: 14, sigma: 0.3, cached: [0, 0] },
  },
  {
    name: "rewrite",
    feature: "rewrite",
    weight: 7,
    kind: "text",
    streamed: true,
    versions: [
      {
        version: "2",
        from: ALWAYS,
        instructions: "Rewrite the text so that it is clear and friendly. Keep its meaning and its length.",
        rating: { up: 45, of: 50, most: 50 },
      },
      {
        version: "3",
        from: 12.5,
        instructions: "Rewrite the text so that it is clear and friendly. Keep its meaning. Shorten it by a third.",
        rating: { up: 40, of: 50, most: 50 },
      },
    ],
    tokens: { input: 480, output: 300, sigma: 0.6, cached: [0, 0] },
    feedback: { share: 0.07, kind: "thumbs" },
  },
  {
    name: "rewrite_tone",
    feature: "rewrite",
    weight: 3,
    kind: "text",
    streamed: false,
    versions: lasting("1", "Change the tone of the text to the one that is asked for. Change nothing else."),
    tokens: { input: 390, output: 280, sigma: 0.5, cached: [0, 0] },
  },
  {
    name: "invoice_fields",
    feature: "invoice-reader",
    weight: 7,
    kind: "vision",
    streamed: false,
    versions: [
      {
        version: "7",
        from: ALWAYS,
        instructions: "Read the invoice and answer with its number, date, total and currency as JSON.",
      },
      {
        version: "8",
        from: 26.3,
        instructions: "Read the invoice and answer with its number, date, due date, total and currency as JSON.",
      },
    ],
    tokens: { input: 1480, output: 85, sigma: 0.2, cached: [0, 0.1] },
    feedback: { share: 0.05, kind: "correction" },
  },
  {
    name: "invoice_line_items",
    feature: "invoice-reader",
    weight: 3,
    kind: "vision",
    streamed: false,
    versions: lasting(
      "3",
      "List the line items of the invoice as JSON: text, quantity, unit price and amount of each.",
    ),
    tokens: { input: 1720, output: 420, sigma: 0.35, cached: [0, 0] },
  },
  {
    name: "concierge",
    feature: "voice-concierge",
    weight: 7,
    kind: "audio",
    streamed: true,
    versions: [
      { version: "3", from: ALWAYS, instructions: CONCIERGE },
      { version: "4", from: 21.5, instructions: `${CONCIERGE} Offer the restaurant when the guest arrives late.` },
    ],
    tokens: { input: 420, output: 190, sigma: 0.4, cached: [0, 0] },
    feedback: { share: 0.12, kind: "score" },
  },
  {
    name: "concierge_booking",
    feature: "voice-concierge",
    weight: 3,
    kind: "audio",
    streamed: true,
    versions: lasting("1", "You book tables and taxis for hotel guests by voice. Repeat the time before you book."),
    tokens: { input: 510, output: 150, sigma: 0.4, cached: [0, 0] },
  },
  {
    name: "ticket_summary",
    feature: "summaries",
    weight: 6,
    kind: "text",
    streamed: false,
    versions: [
      {
        version: "9",
        from: ALWAYS,
        instructions: "Summarise the ticket for the next agent in three sentences.",
        rating: { up: 18, of: 20 },
      },
      {
        version: "10",
        from: 33.4,
        instructions: "Summarise the ticket for the next agent in three sentences. Begin with what the customer wants.",
        rating: { up: 46, of: 50 },
      },
    ],
    tokens: { input: 2900, output: 120, sigma: 0.5, cached: [0.04, 0.2] },
    feedback: { share: 0.1, kind: "thumbs" },
  },
  {
    name: "call_summary",
    feature: "summaries",
    weight: 4,
    kind: "text",
    streamed: false,
    versions: lasting("2", "Summarise the phone call: who called, why, what was agreed, what happens next."),
    tokens: { input: 6100, output: 230, sigma: 0.4, cached: [0, 0.05] },
  },
  {
    name: "menu_α",
    feature: "Café — «α»",
    weight: 1,
    kind: "text",
    streamed: true,
    versions: [
      {
        version: "1",
        from: ALWAYS,
        instructions: "Translate the menu. Leave the names of dishes as they are and explain them in brackets.",
      },
      {
        version: "2",
        from: 45.5,
        instructions: "Translate the menu. Leave the names of dishes as they are, explain them, and list allergens.",
      },
    ],
    tokens: { input: 760, output: 520, sigma: 0.4, cached: [0, 0] },
    feedback: { share: 0.04, kind: "thumbs" },
  },
  {
    name: "classify_ticket",
    feature: "nightly-batch",
    weight: 7,
    kind: "text",
    streamed: false,
    versions: lasting(
      "5",
      "Give the ticket up to three labels of the list below, as a JSON array. Use [] when none fits.",
    ),
    tokens: { input: 1350, output: 12, sigma: 0.3, cached: [0.6, 0.8] },
  },
  {
    name: "extract_entities",
    feature: "nightly-batch",
    weight: 3,
    kind: "text",
    streamed: false,
    versions: lasting("3", "List the products, places and people that the text names, as JSON with their type."),
    tokens: { input: 1900, output: 160, sigma: 0.5, cached: [0.3, 0.4] },
  },
  ...unlabelled(null, [
    "You are a careful assistant of the data team. Write one SQL query for PostgreSQL and nothing else.",
    "You review pull requests. Name at most three problems, the gravest first, with file and line.",
    "Turn the notes into an email to a customer. Use plain words and no exclamation marks.",
  ]),
  ...unlabelled("support-chat", ["Check whether the reply below keeps to our policy. Answer yes or no, and why."]),
  ...unlabelled("nightly-batch", ["Find duplicates among the records below and answer with pairs of their numbers."]),
];

function unlabelled(feature: string | null, instructions: readonly string[]): Template[] {
  return instructions.map((text) => ({
    name: null,
    feature,
    weight: 1,
    kind: "text",
    streamed: false,
    versions: lasting(null, text),
    tokens: { input: 900, output: 180, sigma: 0.6, cached: [0, 0] },
  }));
}
