import { setTimeout as sleep } from "node:timers/promises";
import type { Database } from "#tests/support/database.ts";
import { seeded } from "#tests/support/split.ts";
import type { StoredCall, System } from "#tests/support/system.ts";
import type { FakeRealtime } from "#tests/support/upstream/realtime.ts";
import { type Seen, startClients } from "./clients.ts";
import type { Fault } from "./faults.ts";
import { checkVoices, type VoiceCheck } from "./voice-check.ts";
import { type HeardSession, startVoices } from "./voices.ts";

/**
 * The proof of "nothing lost": under load, something is killed at a random moment and started again, or something else goes
 * wrong for a moment; once the spool has drained, the store is held against what the clients saw.
 */
export interface ChaosOptions {
  rounds: number;
  seed: number;
  blows: readonly Fault[];
  /** Where voice sessions go: see startVoiceUpstream. */
  voice: FakeRealtime;
  say?: (line: string) => void;
}

/** `proxy`: the main process alone, its workers stay behind. `proxies`: with its workers. */
export const VICTIMS = ["worker", "proxy", "proxies", "recorder", "all"] as const;
export type Victim = (typeof VICTIMS)[number];

/** Kills, each with what starts the victim again. */
export const killsOf = (system: System, database?: Database): Fault[] => [
  ...VICTIMS.map((victim) => ({
    name: `${victim} killed`,
    loses: null,
    disturbs: victim !== "recorder",
    strike: (random: () => number) => kill(system, victim, random),
  })),
  ...(database
    ? [{ name: "database killed", loses: null, disturbs: false, strike: () => database.restart("SIGKILL") }]
    : []),
];

export interface Round {
  round: number;
  blow: string;
  calls: number;
  ended: number;
  interrupted: number;
  /** Calls that were not recorded, and are counted as such. */
  dropped: number;
  voices: Omit<VoiceCheck, "broken">;
  /** Sentences; empty = every promise held. */
  broken: string[];
}

const CLIENTS = 12;
const VOICES = 4;

export async function chaosRounds(system: System, options: ChaosOptions): Promise<Round[]> {
  const { rounds, seed, blows, voice, say = () => {} } = options;
  const random = seeded(seed);
  const turns = inTurn(blows, random);
  const done: Round[] = [];
  say(`seed ${seed}`);
  for (let round = 1; round <= rounds; round++) {
    const blow = turns.next().value;
    const droppedBefore = await droppedIn(system);
    const clients = startClients(() => system.proxyUrl, CLIENTS, random);
    const voices = startVoices(() => system.proxyUrl, VOICES, random);
    try {
      await sleep(150 + random() * 350);
      // Half of the blows fall right behind an end: that is when a promise has just been made.
      if (random() < 0.5) await Promise.race([clients.nextEnd(), voices.nextDone(), sleep(500)]);
      await blow.strike(random);
      // What died is called interrupted once its successor has been heard of.
      await sleep(250 + random() * 150);
    } finally {
      await Promise.all([clients.stop(), voices.stop()]);
    }
    const heard = { seen: clients.seen, sessions: voices.heard, droppedBefore };
    done.push(await check(system, voice, round, blow, heard));
    voice.connections.length = 0;
    say(lineOf(done.at(-1) as Round));
  }
  return done;
}

/** Each blow as often as the others, in an order of the seed's. */
function* inTurn(blows: readonly Fault[], random: () => number): Generator<Fault, never> {
  for (;;) {
    const left = [...blows];
    while (left.length) yield left.splice(Math.floor(random() * left.length), 1)[0] as Fault;
  }
}

async function kill(system: System, victim: Victim, random: () => number) {
  const pause = () => sleep(random() * 150);
  switch (victim) {
    case "worker":
      await system.kill("worker");
      return answering(system);
    case "recorder":
      await system.kill("recorder");
      await pause();
      return system.start("recorder");
    case "proxy":
      await system.kill("proxy");
      await pause();
      return system.start("proxy");
    case "proxies":
      await Promise.all([system.kill("worker"), system.kill("proxy")]);
      await pause();
      return system.start("proxy");
    case "all":
      await Promise.all([system.kill("worker"), system.kill("proxy"), system.kill("recorder")]);
      await pause();
      await Promise.all([system.start("recorder"), system.start("proxy")]);
  }
}

/** The proxy replaces a dead worker by itself, and soon. */
async function answering(system: System) {
  const deadline = Date.now() + 10_000;
  while (Date.now() < deadline) {
    await sleep(50);
    const ready = await fetch(`${system.proxyUrl}/readyz`, { signal: AbortSignal.timeout(500) }).catch(() => null);
    if (ready?.ok) return;
  }
  throw new Error("no worker came back within 10 s");
}

interface Heard {
  seen: Seen[];
  sessions: HeardSession[];
  droppedBefore: number;
}

async function check(
  system: System,
  voice: FakeRealtime,
  round: number,
  blow: Fault,
  { seen, sessions, droppedBefore }: Heard,
): Promise<Round> {
  const broken: string[] = [];
  try {
    await system.drained(60_000);
  } catch (error) {
    broken.push((error as Error).message);
  }
  const stored = await system.calls();
  const byId = new Map(stored.map((call) => [call.id, call]));
  const complaints = seen.flatMap((one) => complaint(one, one.callId ? byId.get(one.callId) : undefined));
  const dropped = (await droppedIn(system)) - droppedBefore;
  // A batch that the disk has lost takes at most what was written in one turn of the worker's loop.
  const mayMiss = blow.loses === null ? 0 : dropped + CLIENTS + VOICES;
  if (complaints.length > mayMiss) broken.push(...complaints);
  if (!blow.disturbs) broken.push(...seen.flatMap(disturbance));
  if (blow.loses === null && dropped > 0) broken.push(`${dropped} calls were dropped`);
  broken.push(...(await sequenceGaps(system, stored)));
  const { broken: unheard, ...voices } = await checkVoices(system, voice, stored, sessions, {
    loses: blow.loses !== null,
    tears: blow.loses === "torn",
    disturbs: blow.disturbs,
  });
  broken.push(...unheard);
  const interrupted = seen.filter((one) => one.callId && byId.get(one.callId)?.outcome === "interrupted").length;
  const ended = seen.filter((one) => one.ended).length;
  return { round, blow: blow.name, calls: seen.length, ended, interrupted, dropped, voices, broken };
}

/** What a client notices, other than what it did itself or the upstream did to it. */
function disturbance({ kind, status, ended }: Seen): string[] {
  const isWhole = kind === "abort" || kind === "reset" || ended;
  return status === 200 && isWhole
    ? []
    : [`a ${kind} call got ${status ?? "no answer"} and ${ended ? "an" : "no"} end`];
}

const droppedIn = async (system: System): Promise<number> =>
  (await system.equation()).reduce((sum, one) => sum + one.dropped, 0);

/** What a client may hold against the store. */
function complaint(seen: Seen, call: StoredCall | undefined): string[] {
  const name = `${seen.kind} ${seen.callId}`;
  if (seen.hung) return [`${name} got neither an answer nor an end of its connection`];
  if (!seen.callId) return [];
  if (!call) return [`${name} is missing (${seen.ended ? "the client has its end" : "the client has its head"})`];
  if (seen.status !== call.status && call.status !== null)
    return [`${name} is stored with status ${call.status}, not ${seen.status}`];
  if (seen.ended && seen.status === 200 && call.outcome !== "completed")
    return [`${name} has ended, but is stored as ${call.outcome}`];
  if (seen.kind === "reset" && call.outcome === "completed") return [`${name} broke off, but is stored as completed`];
  return [];
}

/** Numbers 1…accepted of each run are stored or set aside once each; as many as were dropped, or are sessions without calls, may be missing. */
async function sequenceGaps(system: System, stored: StoredCall[]): Promise<string[]> {
  const aside = await system.sql<{ run: string; seq: number }[]>`select run, seq::int as seq from set_aside`;
  const taken = new Map<string, number[]>();
  const sessions = new Set<string>();
  for (const { run, seq, parentId } of [...stored, ...aside.map((one) => ({ ...one, parentId: null }))]) {
    // All that came of a session has its number.
    if (parentId !== null && sessions.has(parentId)) continue;
    if (parentId !== null) sessions.add(parentId);
    taken.set(run, [...(taken.get(run) ?? []), seq]);
  }
  const broken: string[] = [];
  let silent = 0;
  for (const { run, accepted, dropped } of await system.equation()) {
    const numbers = taken.get(run) ?? [];
    const distinct = new Set(numbers);
    if (distinct.size !== numbers.length) broken.push(`run ${run} has a number twice`);
    if (distinct.size > accepted - dropped)
      broken.push(`run ${run} accepted ${accepted}, dropped ${dropped}, has ${distinct.size}`);
    silent += accepted - dropped - distinct.size;
    if (Math.max(0, ...numbers) > accepted) broken.push(`run ${run} has a number beyond ${accepted}`);
    taken.delete(run);
  }
  for (const run of taken.keys()) broken.push(`run ${run} has calls, but is not counted`);
  // A session of which no call came has a row, and its number stands nowhere.
  const [row] = await system.sql<{ n: number }[]>`
    select count(*)::int as n from sessions s where not exists (select from calls c where c.parent_id = s.id)`;
  if (silent !== row?.n) broken.push(`${silent} numbers are missing, for ${row?.n} sessions without calls`);
  return broken;
}

export const lineOf = ({ round, blow, calls, ended, interrupted, dropped, voices, broken }: Round): string =>
  `round ${round}: ${blow}, ${calls} calls, ${ended} ended, ${interrupted} interrupted, ${dropped} dropped, ${voices.sessions} sessions (${voices.cut} cut), ${voices.responses} responses (${voices.atEdge} at the edge)${broken.length ? `, BROKEN: ${broken.slice(0, 5).join("; ")}` : ""}`;
