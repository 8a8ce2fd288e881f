import type { StoredCall, System } from "#tests/support/system.ts";
import type { FakeRealtime } from "#tests/support/upstream/realtime.ts";
import { type HeardResponse, type HeardSession, wasCut } from "./voices.ts";

export interface VoiceCheck {
  sessions: number;
  responses: number;
  /** Sessions whose connection was cut by what happened. */
  cut: number;
  /** Responses and sessions that ended as their proxy died, and are stored as interrupted. */
  atEdge: number;
  broken: string[];
}

export interface VoiceFault {
  /** The spool may have lost some of it, which its sessions then say. */
  loses: boolean;
  /** A torn batch cannot say what was in it. */
  tears: boolean;
  disturbs: boolean;
}

interface StoredSession {
  id: string;
  providerId: string | null;
  endReason: string | null;
  turns: number;
  problems: string[];
}

interface StoredResponse {
  sessionId: string;
  responseId: string;
  outcome: string;
  /** How many turns it is the last answer of. */
  turns: number;
  usage: string[];
  problems: string[];
}

/** What those who spoke, and the upstream, may hold against the store. */
export async function checkVoices(
  system: System,
  upstream: FakeRealtime,
  calls: readonly StoredCall[],
  heard: readonly HeardSession[],
  fault: VoiceFault,
): Promise<VoiceCheck> {
  const known = heard.filter(({ id }) => id !== null);
  const ids = known.map(({ id }) => id as string);
  const stored = new Map((await sessionsOf(system, ids)).map((one) => [one.id, one]));
  const responses = Map.groupBy(await responsesOf(system, ids), ({ sessionId }) => sessionId);
  const told = new Map(upstream.connections.map(({ said }) => [idOf(said[0]), said]));
  const broken: string[] = [];
  let atEdge = 0;
  for (const session of known) {
    const row = stored.get(session.id as string);
    const made = responses.get(session.id as string) ?? [];
    const upgrade = calls.find(({ id }) => id === session.id);
    const wasToldExpired = hasExpired(told.get(session.providerId ?? "") ?? []);
    const said = complaints(session, row, upgrade, made, { ...fault, wasToldExpired });
    atEdge += made.filter(
      ({ responseId, outcome }) => outcome === "interrupted" && isAtEdge(session, responseId),
    ).length;
    if (session.closeCode === 1000 && row?.endReason === "interrupted") atEdge++;
    broken.push(...said.map((what) => `session ${session.id} (${session.kind}, ${session.closeCode}) ${what}`));
  }
  broken.push(...bytesThatDiffer(upstream, known, fault), ...(await turnsThatDiffer(system, ids)));
  return {
    sessions: known.length,
    responses: known.reduce((sum, { done }) => sum + done.length, 0),
    cut: known.filter(wasCut).length,
    atEdge,
    broken,
  };
}

function complaints(
  session: HeardSession,
  row: StoredSession | undefined,
  /** As a call: its worker died before it had written that the socket was opened. */
  upgrade: StoredCall | undefined,
  made: readonly StoredResponse[],
  fault: VoiceFault & Told,
): string[] {
  if (session.hung) return ["did not end"];
  // Of the beginning of one that was not kept nothing is known, but that it was dropped.
  if (!row) {
    const isOpening = fault.disturbs && session.closeCode === 1006 && upgrade?.outcome === "interrupted";
    return fault.loses || isOpening ? [] : ["is missing"];
  }
  const said: string[] = [];
  const hasHoles = fault.loses && row.problems.includes("messages_missing");
  // The message that says why the provider closes may be one of those.
  const ends = [...expectedEnds(session, fault), ...(hasHoles && session.closeCode === 1001 ? ["server_closed"] : [])];
  if (!ends.includes(row.endReason ?? "")) said.push(`ended as ${row.endReason}, not ${ends.join(" or ")}`);
  if (row.providerId !== null && session.providerId !== null && row.providerId !== session.providerId)
    said.push(`is stored as ${row.providerId}, not ${session.providerId}`);
  const ids = made.map(({ responseId }) => responseId);
  if (new Set(ids).size !== ids.length) said.push("has a response twice");
  if (!hasHoles && !(fault.tears && wasCut(session)))
    said.push(...session.done.flatMap((one) => responseComplaint(session, one, made, fault.disturbs)));
  return said;
}

interface Told {
  /** The upstream has said that it is over, whoever was still there to hear that. */
  wasToldExpired: boolean;
}

const hasExpired = (said: readonly string[]): boolean => said.some((text) => text.includes('"session_expired"'));

function expectedEnds({ kind, closeCode, got }: HeardSession, { disturbs, wasToldExpired }: VoiceFault & Told) {
  const expired = hasExpired(got);
  if (closeCode === 1001 && !expired) return ["stopped"];
  const cut = disturbs ? ["interrupted", "stopped", "reset"] : [];
  if (expired) return ["expired", ...cut];
  // Both have said goodbye, and then the proxy died: before the end of the connection, or before that of a torn batch.
  if (kind !== "drop") return closeCode === 1006 ? cut : ["client_closed", ...cut];
  // Who hangs up as the session expires may be gone before it hears so.
  return ["client_closed", ...(wasToldExpired ? ["expired"] : []), ...cut];
}

function responseComplaint(
  session: HeardSession,
  one: HeardResponse,
  made: readonly StoredResponse[],
  disturbs: boolean,
): string[] {
  const call = made.find(({ responseId }) => responseId === one.id);
  if (!call) return [`has no call for ${one.id}`];
  if (call.outcome === "interrupted" && disturbs && isAtEdge(session, one.id)) return [];
  if (call.outcome === "interrupted") return [`has ${one.id} as interrupted, which was done`];
  const usage = linesOf(one.usage).join();
  if (call.usage.toSorted().join() !== usage)
    return [`has ${one.id} (${[call.outcome, ...call.problems]}) with ${call.usage}, not ${usage}`];
  return call.turns === 1 ? [] : [`has ${one.id} in ${call.turns} turns`];
}

/** Bytes go on before they are written down (P2), and the end of a response is not the end of its socket: the last one may just have missed it. */
const isAtEdge = ({ closeCode, done }: HeardSession, responseId: string): boolean =>
  closeCode === 1006 && done.at(-1)?.id === responseId;

/** What the upstream states, as lines: modality, cache and quantity, sorted. */
function linesOf(usage: Record<string, unknown>): string[] {
  const { text_tokens, audio_tokens, cached_tokens_details } = usage.input_token_details as Numbers & {
    cached_tokens_details: Numbers;
  };
  const cached = cached_tokens_details;
  const out = usage.output_token_details as Numbers;
  const lines: [string, number][] = [
    ["input text none", (text_tokens as number) - (cached.text_tokens as number)],
    ["input text read", cached.text_tokens as number],
    ["input audio none", (audio_tokens as number) - (cached.audio_tokens as number)],
    ["input audio read", cached.audio_tokens as number],
    ["output text none", out.text_tokens as number],
    ["output audio none", out.audio_tokens as number],
  ];
  return lines
    .filter(([, quantity]) => quantity > 0)
    .map(([name, quantity]) => `${name} ${quantity}`)
    .sort();
}

type Numbers = Record<string, number>;

/** Both sides saw what the other said, from its beginning and in order; all of it where nobody was cut. */
function bytesThatDiffer(upstream: FakeRealtime, heard: readonly HeardSession[], fault: VoiceFault): string[] {
  const byId = new Map(upstream.connections.map((one) => [idOf(one.said[0]), one]));
  return heard.flatMap((session) => {
    const other = session.providerId && byId.get(session.providerId);
    if (!other) return [];
    const told = other.received.map((event) => JSON.stringify(event));
    const differs = !isBeginning(told, session.sent) || !isBeginning(session.got, other.said);
    const lost = !fault.disturbs && session.closeCode === 1000 && told.length !== session.sent.length;
    return differs || lost ? [`session ${session.id}: client and upstream saw different messages`] : [];
  });
}

const idOf = (created: string | undefined): string | undefined => created && JSON.parse(created).session?.id;

const isBeginning = (some: readonly string[], all: readonly string[]): boolean =>
  some.length <= all.length && some.every((text, i) => text === all[i]);

const sessionsOf = (system: System, ids: string[]) => system.sql<StoredSession[]>`
  select id, provider_id as "providerId", end_reason as "endReason", turns, problems from sessions where id = any(${ids}::uuid[])`;

const responsesOf = (system: System, ids: string[]) => system.sql<StoredResponse[]>`
  select
    c.parent_id as "sessionId", c.response_id as "responseId", c.outcome, c.problems,
    (select count(*)::int from turns t where t.session_id = c.parent_id and t.call_id = c.id) as turns,
    (
      select coalesce(array_agg(direction || ' ' || modality || ' ' || cache || ' ' || trim_scale(quantity)), '{}')
      from usage_lines l where l.call_id = c.id and quantity > 0
    ) as usage
  from calls c where c.parent_id = any(${ids}::uuid[])`;

/** Each turn once, and as many as their session says. */
async function turnsThatDiffer(system: System, ids: string[]): Promise<string[]> {
  const rows = await system.sql<{ id: string; turns: number; stored: number; last: number | null }[]>`
    select s.id, s.turns, count(t.index)::int as stored, max(t.index) as last
    from sessions s left join turns t on t.session_id = s.id
    where s.id = any(${ids}::uuid[]) group by s.id, s.turns`;
  return rows
    .filter(({ turns, stored, last }) => stored !== turns || (last ?? -1) + 1 !== turns)
    .map(
      ({ id, turns, stored, last }) => `session ${id} has ${turns} turns, of which ${stored} are stored, up to ${last}`,
    );
}
