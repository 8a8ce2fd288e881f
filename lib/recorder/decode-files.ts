import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import type { ExchangeEnd } from "#lib/exchange.ts";
import { decode } from "#lib/openai/decode.ts";
import type { ChildFacts } from "#lib/openai/facts.ts";
import { decodeSession } from "#lib/openai/sessions/sessions.ts";
import { type DecodedLine, decodedLine, sumOf } from "./decoded-line.ts";
import { parseRecording, type Recording, toExchange, toSession } from "./from-recording.ts";
import { type CallSource, toCall, toChildCall } from "./to-call.ts";

const USAGE = `Prints what calls used and cost, one JSON object per line.

  npm run -s decode -- FILE|DIR …

Files hold one exchange each ("format": "openai-recording/1"): a recording, or a call exported from its page. Folders are read with all that
is below them; index.json is left out.
`;

const PROJECT = "default";

/** A line per file: what the recorder makes of it. */
export async function decodeRecording(recording: Recording): Promise<object> {
  return recording.kind === "http" ? decodeHttp(recording) : decodeSocket(recording);
}

async function decodeHttp(recording: Recording): Promise<object> {
  const exchange = toExchange(recording);
  const facts = await decode(exchange);
  const own = decodedLine(recording.id, toCall(exchange, facts, PROJECT), facts.usage);
  const [fees, others] = split(facts.children, ({ endpoint }) => endpoint === "containers");
  const line = fees.map((child) => lineOfChild(exchange, child)).reduce(together, own);
  const children = others.map((child) => lineOfChild(exchange, child));
  const [only] = children;
  // A batch that states what it used as a whole: that is what its object cost.
  if (only && children.length === 1 && own.usage_source === "none")
    return { ...line, ...pick(only), problems: [...line.problems, ...only.problems] };
  if (children.length === 0) return line;
  return {
    ...line,
    cost_usd: sumOf([line.cost_usd, ...children.map(({ cost_usd }) => cost_usd)]),
    responses: children,
  };
}

/** A container's session is a call of its own, since many answers can share it; who asks what an answer cost is told of it there. */
function together(own: DecodedLine, fee: DecodedLine): DecodedLine {
  return {
    ...own,
    lines: [...own.lines, ...fee.lines],
    cost_usd: sumOf([own.cost_usd, fee.cost_usd]),
    problems: [...own.problems, ...fee.problems],
  };
}

function split<T>(list: readonly T[], isFirst: (one: T) => boolean): [T[], T[]] {
  return [list.filter(isFirst), list.filter((one) => !isFirst(one))];
}

const pick = ({ model, usage, usage_source, lines, cost_usd }: DecodedLine) => ({
  model,
  usage,
  usage_source,
  lines,
  cost_usd,
});

function decodeSocket(recording: Recording): object {
  const { id, start, messages, timed } = toSession(recording);
  const source: CallSource = { id, origin: { spool: "file", run: "file", seq: 1 }, start };
  const { calls, turns, session } = decodeSession(start, messages, endOf(messages.at(-1)?.atMs ?? 0, recording), id);
  const lines = calls.map((child) => ({ child, line: lineOfChild(source, child) }));
  const isTranscription = ({ child }: (typeof lines)[number]) => child.endpoint === "realtime_transcription";
  return {
    id: recording.id,
    endpoint: "realtime",
    model: session.model,
    status: 101,
    outcome: "completed",
    responses: lines.filter((one) => !isTranscription(one)).map(({ line }) => line),
    transcriptions: lines.filter(isTranscription).map(({ line }) => line),
    // Without times nothing can be said of how long anything took.
    ...(timed && { turns }),
    cost_usd: sumOf(lines.map(({ line }) => line.cost_usd)),
    problems: session.problems,
  };
}

function lineOfChild(parent: CallSource, child: ChildFacts): DecodedLine {
  const call = toChildCall(parent, child, PROJECT);
  return decodedLine(child.facts.responseId ?? (child.key.at(-1) as string), call, child.facts.usage);
}

const endOf = (atMs: number, { close }: Recording): ExchangeEnd => ({
  ending: "completed",
  requestEndAtMs: null,
  sentAtMs: null,
  connectMs: null,
  responseEndAtMs: atMs,
  endAtMs: atMs,
  requestBytes: 0,
  responseBytes: 0,
  socket: { closeCode: close?.code ?? null, clientBytes: 0, upstreamBytes: 0 },
});

/** Every file named, and every .json file below a folder that is, in order. */
function filesOf(path: string): string[] {
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path, { withFileTypes: true })
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      if (entry.isDirectory()) return filesOf(join(path, entry.name));
      return entry.name.endsWith(".json") && entry.name !== "index.json" ? [join(path, entry.name)] : [];
    });
}

/** Exit codes: 0 all was read; 1 some files were not, each with a sentence; 2 nothing was asked for. */
async function main(paths: readonly string[]): Promise<number> {
  if (paths.length === 0 || paths.includes("--help")) {
    process.stderr.write(USAGE);
    return paths.length === 0 ? 2 : 0;
  }
  let bad = 0;
  for (const path of paths) {
    let files: string[] = [];
    try {
      files = filesOf(path);
    } catch (error) {
      bad++;
      process.stderr.write(`${path}: cannot be read (${(error as NodeJS.ErrnoException).code ?? error})\n`);
    }
    for (const file of files)
      try {
        const line = JSON.stringify(await decodeRecording(parseRecording(readFileSync(file, "utf8"))));
        if (!process.stdout.write(`${line}\n`)) await new Promise((drained) => process.stdout.once("drain", drained));
      } catch (error) {
        bad++;
        process.stderr.write(`${file}: ${(error as Error).message}\n`);
      }
  }
  return bad > 0 ? 1 : 0;
}

if (import.meta.main) process.exitCode = await main(process.argv.slice(2));
