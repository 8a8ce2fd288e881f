import { entropy, isStandIn, looksRandom } from "./looks-random.ts";
import { findPrivateKeys } from "./private-keys.ts";
import type { Span } from "./span.ts";
import { TOKEN_FORMATS } from "./token-formats.ts";
import { type Run, tokenRuns } from "./token-runs.ts";

/**
 * Credentials in a text. Two cheap gates look at every character (runs of token characters, and words such as
 * "password"); only around their hits do the dearer expressions run. Every expression is linear: single character
 * classes, bounded gaps, no nested repetition.
 */
export function findSecrets(text: string): Span[] {
  const found = findPrivateKeys(text);
  findTokens(text, found);
  findAssignments(text, found);
  for (const { gate, kind, expression, check } of SHAPES) {
    if (!gate.some((word) => text.includes(word))) continue;
    for (const match of text.matchAll(expression)) take(found, match, kind, check);
  }
  return found;
}

// ---- tokens that their form or a service's name beside them gives away

/** After anything that is not part of a word, or after an escaped line end inside JSON. */
const FORMATS = new RegExp(
  `(?:(?<![A-Za-z0-9])|(?<=\\\\[nrt]))(?:${Object.entries(TOKEN_FORMATS)
    .map(([kind, expressions]) => `(?<${kind}>${expressions.join("|")})`)
    .join("|")})(?![A-Za-z0-9])`,
  "g",
);
/** Room before a run for a prefix that holds other characters. */
const BEFORE = 2;

function findTokens(text: string, found: Span[]) {
  for (const run of tokenRuns(text)) {
    const from = Math.max(0, run.start - BEFORE);
    for (const match of text.slice(from, run.end).matchAll(FORMATS)) {
      const [token] = match;
      if (isStandInToken(token)) continue;
      const kind = Object.entries(match.groups ?? {}).find(([, value]) => value !== undefined)?.[0] ?? "api_key";
      found.push({ start: from + match.index, end: from + match.index + token.length, label: `secret:${kind}` });
    }
    findBesideName(text, run, found);
  }
}

/** "AKIAIOSFODNN7EXAMPLE", "xoxb-xxxxxxxxxx": documentation shows the form with stand-ins. */
const isStandInToken = (token: string) =>
  !token.includes("*") && (/EXAMPLE|x{6,}|X{6,}/.test(token) || entropy(token) < 2.5);

/** Services whose keys have no form of their own: the name, an operator, and a random value. */
const SERVICES =
  "adafruit|adobe|airtable|algolia|alibaba|asana|atlassian|confluence|jira|beamer|bitbucket|bittrex|meraki|cloudant|cloudflare|codecov|cohere|co_api|coinbase|confluent|contentful|datadog|digitalocean|discord|droneci|dropbox|etsy|facebook|fastly|finicity|finnhub|flickr|freshbooks|gitter|gocardless|heroku|hubspot|ibm|intercom|jfrog|artifactory|bintray|xray|kraken|kucoin|launchdarkly|linear|linkedin|lob|looker|mailchimp|mailgun|mapbox|mattermost|messagebird|netlify|new-?_?relic|nytimes|newyorktimes|okta|plaid|privateai|rapidapi|sendbird|sentry|snyk|softlayer|sonar|sourcegraph|square|squarespace|sumo|telegram|telegr|travis|trello|twilio|twitch|twitter|typeform|vault|yandex|zendesk|algolia|octopus|azure|aws|gcp|slack|stripe|openai";
const WORDS =
  "key|token|secret|auth|api|passw|pwd|cred|bearer|signature|session|cookie|salt|access|private|client|license|webhook|nonce|pat";
const NAME_BEFORE = new RegExp(
  `(?:${SERVICES}|${WORDS})[\\w \\t.-]{0,24}["'\\]\\s\\\\)]{0,4}(?:=>|:{1,3}=|\\|\\||\\?=|=|>|:|,|\\(|\\bis\\b)[=>]?[\\s"'\`\\\\=([]{0,6}$`,
  "i",
);
/** Names of what is public: identifiers, versions, names of keys. */
const PUBLIC =
  /(?:id|ids|name|version|public_?key|public_?token|digest|checksum|sha\d*|etag|accessor|hash)["'\\\])]{0,3}\s{0,3}[=:>]+[\s"'`\\]{0,4}$/i;
const OPERATOR_END = /(?:[=>:,|(]|\bis)[\s"'`\\=([]{0,6}$/;
const UUID = /^[a-f0-9]{8}-(?:[a-f0-9]{4}-){3}[a-f0-9]{12}$/i;
const SERVICES_OF_UUIDS =
  /heroku|hubspot|snyk|sendbird|squarespace|messagebird|kucoin|plaid|secret|passw|api.?key|token/i;

function findBesideName(text: string, { start: runStart, end }: Run, found: Span[]) {
  // Longer ones are encoded data; a key of that length has a form of its own.
  if (end - runStart > LONGEST_KEY) return;
  const run = text.slice(runStart, end);
  const start = runStart + Math.max(run.lastIndexOf("=", run.length - 4), run.lastIndexOf(":")) + 1;
  const value = text.slice(start, end).replace(/[.:]+$/, "");
  if (value.length < 14 || !/\d/.test(value)) return;
  const before = text.slice(Math.max(0, start - 72), start);
  if (!OPERATOR_END.test(before)) return;
  const name = NAME_BEFORE.exec(before);
  if (!name || PUBLIC.test(before)) return;
  if (UUID.test(value) ? !SERVICES_OF_UUIDS.test(name[0]) : !looksRandom(value) || isLocation(value)) return;
  found.push({ start, end: start + value.length, label: "secret:api_key" });
}

const LONGEST_KEY = 512;
const isLocation = (value: string) =>
  /^[./~]|^\w+(?:\.\w+)+$|\/\w+\/\w+\/|\.(?:js|ts|py|json|html|png|com|org|net|io)\b/.test(value);

// ---- "password: …" and its like

const ASSIGNMENT =
  /(pass(?:w(?:or)?d|phrase|code|wd)?|pwd|secret|token|credentials?|auth|api_?-?key|access_?-?key|private_?-?key|(?<=[_-])key|(?<=[a-z])Key)([\w-]{0,20})["'\\\])]{0,3}[ \t]{0,3}(?::=|=>|==?|:| is |,(?= ?["']))[ \t]{0,3}(?:(\\?["'`])([^"'`\\\n]{4,200})|([^\s"'`,;&<>(){}[\]]{4,200}))/gi;

function findAssignments(text: string, found: Span[]) {
  for (const match of text.matchAll(ASSIGNMENT)) {
    const [whole, word = "", , , quoted, bare] = match;
    const value = quoted ?? bare ?? "";
    const isPassword = /^(?:pass|pwd)/i.test(word);
    if (!(isPassword ? isPasswordValue(value, quoted !== undefined) : isKeyValue(value))) continue;
    const start = match.index + whole.length - value.length;
    if (PUBLIC.test(text.slice(Math.max(0, start - 48), start))) continue;
    found.push({ start, end: start + value.length, label: isPassword ? "secret:password" : "secret:api_key" });
  }
}

/** Quoted, anything goes; bare, prose and code must be told apart, so it must not be a plain word. */
function isPasswordValue(value: string, quoted: boolean): boolean {
  if (isStandIn(value) || /\s/.test(value)) return false;
  if (
    /^[a-z]+$|^[A-Z]?[a-z]+$|^[A-Z_]+$|^\w+(?:\.\w+)+\(?$|^[a-z]+(?:[A-Z][a-z]+)+$|^[a-z]+(?:[_-][a-z]+)+$|^0x/.test(
      value,
    )
  )
    return false;
  return quoted ? value.length >= 5 : /\d|[^\w.]/.test(value.slice(0, -1)) && value.length >= 5;
}

const isKeyValue = (value: string) =>
  !/\s/.test(value) && looksRandom(value, 10) && !UUID.test(value) && !isLocation(value);

// ---- shapes with punctuation of their own, each behind a literal

interface Shape {
  kind: string;
  gate: string[];
  expression: RegExp;
  check: (value: string) => boolean;
}

const isReal = (value: string) => !isStandIn(value);
const SHAPES: Shape[] = [
  {
    kind: "url_password",
    gate: ["://"],
    expression: /\b[a-z][a-z0-9+.-]{1,20}:\/\/[^\s:/?#@"'<>]{0,80}:(?<value>[^\s/?#@"'<>]{3,200})@/gi,
    check: (value) => isReal(value) && !/^(?:pass(?:word|wd)?|pwd|pw|secret)$/i.test(value),
  },
  {
    kind: "bearer_token",
    gate: ["earer", "asic", "uthorization", "UTHORIZATION", "EARER"],
    expression:
      /(?:\bbearer|authorization["'\\]{0,2}\s{0,3}[:=]\s{0,3}["'\\]{0,2}(?:basic|token|ntlm|negotiate|digest|apikey)|\bbasic)\s{1,3}["'\\]{0,2}(?<value>[\w+/.~=%:-]{14,4096})/gi,
    check: (value) => isReal(value) && (/\d/.test(value) || looksRandom(value)),
  },
  {
    kind: "password",
    gate: ["curl"],
    expression:
      /\bcurl\b(?:[^\n|]|\\\n){0,500}?\s(?:-u|--user|--proxy-user)[ =]{0,2}["']?(?<value>[^\s:"'<$]{0,80}["']?:["']?[^\s"':<>[\]]{0,100})/g,
    check: (value) =>
      value.length > 6 && isReal(value) && !/:["']?(?:test|token|secret|pass(?:word)?)?$|^["']?:$/i.test(value),
  },
  {
    kind: "password",
    gate: ["dentified", "DENTIFIED", "assword", "ASSWORD"],
    expression:
      /(?:identified\s{1,3}(?:with\s{1,3}[\w'"]{1,40}\s{1,3})?(?:by|as)(?:\s{1,3}password)?|(?:with|encrypted|set)\s{1,3}password|password)["',]{0,2}\s{0,3}[=(]?\s{0,3}\\{0,2}(?<quote>["'`])(?<value>[^\s"'`\\]{4,100})/gi,
    check: (value) => isReal(value) && /[^a-z]/.test(value),
  },
  {
    kind: "password",
    gate: ["dentified", "DENTIFIED"],
    expression:
      /identified\s{1,3}(?:with\s{1,3}[\w'"]{1,40}\s{1,3})?by\s{1,3}(?:values\s{1,3})?(?<value>[^\s"'`;\\]{4,100})/gi,
    check: (value) => isReal(value) && /[^a-zA-Z_]/.test(value),
  },
  {
    kind: "api_key",
    gate: ["****"],
    expression: /(?<value>[\w-]{2,16}\*{4,}[\w-]{2,8})/g,
    check: () => true,
  },
];

function take(found: Span[], match: RegExpExecArray, kind: string, check: (value: string) => boolean) {
  const value = match.groups?.value ?? match[0];
  if (!check(value)) return;
  const start = match.index + match[0].lastIndexOf(value);
  found.push({ start, end: start + value.length, label: `secret:${kind}` });
}
