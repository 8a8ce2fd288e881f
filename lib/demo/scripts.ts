import { TEMPLATES, type Template } from "./templates.ts";

/** What is said in a call: the question, and the answer or the tool that is called. */
export interface Script {
  /** Names it among all scripts. */
  readonly key: string;
  readonly template: Template;
  readonly ask: string;
  readonly say: string;
  readonly tool: { readonly name: string; readonly arguments: string } | null;
}

const SAID: Readonly<Record<string, readonly (readonly [ask: string, say: string])[]>> = {
  support_reply: [
    [
      "Hi, my parcel was due on Monday and I still have nothing. Where is it?",
      "I am sorry that you are still waiting. The carrier scanned your parcel in the depot this morning, so it should be with you tomorrow before noon. Shall I send you the tracking link?",
    ],
    [
      "The lamp came with a broken foot. What now?",
      "That is a pity, and easily put right. I have asked the warehouse for a new foot; it leaves today and you keep the lamp. Would you like to have it sent to your work instead?",
    ],
    [
      "Can I change the address of my order?",
      "Yes: the order has not left us yet. Please send me the new street and postcode, and I will change it at once. Is the name to stay the same?",
    ],
    [
      "Why was I charged twice?",
      "One of the two is only a reservation by your bank, and it falls away within three days. Your order was charged once. Shall I send you the receipt?",
    ],
  ],
  support_triage: [
    ["I was charged twice for the same kettle!", "payment"],
    ["Where can I print the return label?", "return"],
    ["When will the blue one be delivered?", "delivery"],
  ],
  search_answer: [
    [
      "Question: how do I export my data?\n\n[1] Exports are made under Settings, Data.\n[2] An export holds at most 90 days.",
      "Open Settings, then Data, and choose Export [1]. One export holds at most 90 days, so make several for a whole year [2].",
    ],
    [
      "Question: which plans have single sign-on?\n\n[1] Pro and Enterprise have SAML.\n[2] Free has passwords only.",
      "Single sign-on by SAML comes with the Pro and Enterprise plans [1]; the Free plan has passwords only [2].",
    ],
    [
      "Question: is there a desktop app for Linux?\n\n[1] The desktop app runs on macOS and Windows.",
      "The passages name macOS and Windows only [1]; they do not say whether there is an app for Linux.",
    ],
  ],
  search_rewrite_query: [
    ["how can i get all the invoices from last year as one pdf please", "download all invoices 2025 as one PDF"],
    ["it says error 4012 when i log in on the tablet", "error 4012 login tablet"],
  ],
  rewrite: [
    [
      "We hereby inform you that your request has been declined due to missing documents.",
      "Thank you for your request. Some documents are still missing, so we cannot say yes yet. Send them to us and we will look again at once.",
    ],
    [
      "The meeting is moved. Be on time. Bring numbers.",
      "We have moved the meeting. Please join on time and bring your latest figures, so that we can decide together.",
    ],
    [
      "Utilise the portal in order to effectuate the modification of your particulars.",
      "You can change your details in the portal whenever you like.",
    ],
  ],
  rewrite_tone: [
    [
      "Tone: formal.\n\nhey, can u send the contract asap",
      "Could you please send us the contract at your earliest convenience?",
    ],
    [
      "Tone: friendly.\n\nPayment is overdue.",
      "A small reminder: your last payment has not reached us yet. Could you have a look?",
    ],
  ],
  invoice_fields: [
    [
      "Invoice, page 1 of 1.",
      '{"number":"2026-10417","date":"2026-10-02","due":"2026-11-01","total":"1284.50","currency":"EUR"}',
    ],
    [
      "Invoice, page 1 of 2.",
      '{"number":"INV-88213","date":"2026-09-28","due":"2026-10-28","total":"96.00","currency":"USD"}',
    ],
  ],
  invoice_line_items: [
    [
      "Invoice, page 1 of 1.",
      '[{"text":"Filter cartridge","quantity":12,"unit":"38.00","amount":"456.00"},{"text":"Delivery","quantity":1,"unit":"14.50","amount":"14.50"}]',
    ],
    ["Invoice, page 2 of 2.", '[{"text":"Consulting, September","quantity":3,"unit":"920.00","amount":"2760.00"}]'],
  ],
  concierge: [
    [
      "Good evening, we land at eleven tonight.",
      "Welcome. Your room is ready, and the night desk will be there for you. May I book a taxi from the airport?",
    ],
    ["Is breakfast included?", "Yes, breakfast is included, from half past six until ten."],
    [
      "The air conditioning is too loud.",
      "I am sorry. I can send somebody up now, or move you to a quiet room. Which do you prefer?",
    ],
  ],
  concierge_booking: [
    ["A table for four at eight, please.", "A table for four tonight at eight, under your name. Shall I book it?"],
    [
      "A taxi to the station at a quarter to seven.",
      "A taxi to the station tomorrow at a quarter to seven. It is booked.",
    ],
  ],
  ticket_summary: [
    [
      "Ticket 48121: the customer wrote four times about a delayed sofa, was promised a call, and got none.",
      "The customer wants a firm date for a sofa that is three weeks late. A call was promised twice and did not happen. The carrier says Thursday; nobody has told the customer.",
    ],
    [
      "Ticket 48377: invoice with a wrong VAT number, corrected once, still wrong.",
      "The customer needs an invoice with the right VAT number. The first correction kept the old number. Accounting has the case since yesterday.",
    ],
  ],
  call_summary: [
    [
      "Agent: Hello. Caller: I would like to cancel. Agent: May I ask why? Caller: The price went up.",
      "A customer called to cancel because the price went up. The agent offered the old price for six months. The customer will decide by Friday; the agent calls back then.",
    ],
    [
      "Agent: Good morning. Caller: My new card does not work in the shop.",
      "A customer called because a new card was declined. It had not been activated. The agent activated it and the customer paid during the call.",
    ],
  ],
  menu_α: [
    [
      "Σπανακόπιτα, χωριάτικη σαλάτα, γαλακτομπούρεκο",
      "Spanakópita (a pie of spinach and feta), choriátiki saláta (tomatoes, cucumber, olives and feta), galaktoboúreko (semolina custard in filo). Allergens: gluten, milk, egg.",
    ],
    [
      "Crème brûlée à la lavande; tarte fine aux pommes",
      "Crème brûlée (vanilla custard under burnt sugar) with lavender; tarte fine (thin, crisp apple tart). Allergens: milk, egg, gluten.",
    ],
  ],
  classify_ticket: [
    ["The app logs me out every hour since the update.", '["login","mobile","regression"]'],
    ["Please delete my account.", '["privacy","account"]'],
    ["Thanks, all good now!", "[]"],
  ],
  extract_entities: [
    [
      "Anna from Lisbon wants the Tundra 40 backpack sent to Porto.",
      '[{"name":"Anna","type":"person"},{"name":"Lisbon","type":"place"},{"name":"Tundra 40","type":"product"},{"name":"Porto","type":"place"}]',
    ],
    [
      "The Kestrel van broke down near Graz.",
      '[{"name":"Kestrel van","type":"product"},{"name":"Graz","type":"place"}]',
    ],
  ],
};

const UNLABELLED: readonly (readonly [string, string])[] = [
  [
    "Orders per week and country since September.",
    "select date_trunc('week', ordered_at) as week, country, count(*) from orders where ordered_at >= '2026-09-01' group by 1, 2 order by 1, 2;",
  ],
  [
    "See below: item 14, and what we said about it last time.",
    "Yes. It keeps to what was agreed, apart from the date in the second line, which is not settled yet.",
  ],
];

const TOOL = { name: "lookup_order", arguments: '{"order":"A-20817","fields":["status","carrier","eta"]}' };

/** Of a template, in the order in which they are written. Never empty. */
export const scriptsOf: (template: Template) => readonly Script[] = (() => {
  const all = new Map(TEMPLATES.map((template, at) => [template, write(template, at)]));
  return (template: Template) => all.get(template) ?? [];
})();

function write(template: Template, at: number): Script[] {
  const said = (template.name && SAID[template.name]) || UNLABELLED;
  const scripts = said.map(([ask, say], n) => ({ key: `${at}.${n}`, template, ask, say, tool: null }));
  if (template.tool !== TOOL.name) return scripts;
  // Every other answer first looks something up.
  return scripts.flatMap((script) => [script, { ...script, key: `${script.key}t`, say: "", tool: TOOL }]);
}
