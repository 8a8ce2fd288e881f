import type { ExchangeStart, RecordedMessage } from "#lib/exchange.ts";
import { addMoney } from "#lib/money.ts";
import type { ChildFacts } from "#lib/openai/facts.ts";
import { socketFacts } from "#lib/openai/sessions/other-socket.ts";
import type { SessionFacts, SessionOutput, SessionReader } from "#lib/openai/sessions/session-reader.ts";
import { sessionReaderOf } from "#lib/openai/sessions/sessions.ts";
import { newSocketLog } from "#lib/openai/sessions/socket-log.ts";
import type { Session, Turn } from "#lib/session.ts";
import type { SocketReader, SocketSource } from "#lib/spool/socket-reader.ts";
import type { Caution } from "./caution.ts";
import type { DecodeOptions } from "./decode-exchange.ts";
import { type Deployments, deployedModel } from "./deployed-model.ts";
import { type SessionSoFar, toSession, toTurn } from "./to-session.ts";

/** What a message, or the end, completed in a session. */
export interface SessionStretch {
  calls: ChildFacts[];
  turns: Turn[];
}

export interface SocketReading extends SocketReader<SessionStretch> {
  /** The session as it stands. */
  sessionOf(source: SocketSource, state: unknown): Session;
  /** Something of it could not be made a call: nothing more of it is read. */
  fail(state: unknown): void;
  hasFailed(state: unknown): boolean;
}

export interface SocketReadingOptions {
  projectId: string;
  deployments?: Deployments | undefined;
  book?: DecodeOptions["book"];
  caution: Pick<Caution, "isDeadly" | "begins">;
  /** Test seam: who reads a socket. */
  readerOf?: ((start: ExchangeStart) => SessionReader | null) | undefined;
}

/** All that is known of a session between two messages: a JSON value. */
interface OpenSession extends SessionSoFar {
  /** Its reader's own. */
  state: unknown;
  /** Its reader stumbled: what follows is only counted. */
  failed: boolean;
  unread: Pick<SessionFacts, "clientBytes" | "serverBytes" | "clientMessages" | "serverMessages">;
}

const FAILED = "reader_failed";

/** Reads sessions with the readers of lib/openai. One that fails costs what it would have read of its session, and nothing else. */
export function createSocketReading(options: SocketReadingOptions): SocketReading {
  const { projectId, deployments, book, caution, readerOf = sessionReaderOf } = options;
  const readers = new WeakMap<object, SessionReader>();

  return {
    open(source) {
      const reader = readerOf(source.start);
      if (!reader) return null;
      const session = newSession();
      readers.set(session, reader);
      attempt(session, () => {
        session.state = reader.open(source.id, source.start);
      });
      return session;
    },
    take(source, state, message, replayed) {
      const session = state as OpenSession;
      if (session.failed) {
        countUnread(session, message);
        return null;
      }
      const completed = attempt(session, () => {
        if (!replayed) beware(source);
        return keep(source, session, readerFor(source, session).take(session.state, message));
      });
      if (!session.failed) return completed;
      countUnread(session, message);
      // That it failed is something that came of it.
      return { calls: [], turns: [] };
    },
    letGo(source, state) {
      const session = state as OpenSession;
      if (!session.failed) attempt(session, () => readerFor(source, session).letGo(session.state));
    },
    close(source, state, end, atMs) {
      const session = state as OpenSession;
      session.over = { end, atMs };
      if (session.failed) return null;
      return attempt(session, () => keep(source, session, readerFor(source, session).close(session.state, end, atMs)));
    },
    sessionOf(source, state) {
      const session = state as OpenSession;
      // Where its reader cannot say anything any more, nothing is known.
      const facts =
        attempt(session, () => readerFor(source, session).facts(session.state)) ?? socketFacts(newSocketLog());
      const model = modelOf(source, facts.model);
      return toSession(source, { ...withUnread(facts, session), model }, session, projectId);
    },
    fail: (state) => fail(state as OpenSession),
    hasFailed: (state) => (state as OpenSession).failed,
  };

  /** What was read once and stored is not what this process dies of: only what is new is looked at. */
  function beware(source: SocketSource) {
    if (caution.isDeadly(source)) throw new Error("the recorder died each time that it read this");
    caution.begins(source);
  }

  function modelOf({ start }: SocketSource, model: string | null) {
    return deployedModel(start, { model, requestModel: null }, deployments);
  }

  /** null: nothing was completed. */
  function keep(
    source: SocketSource,
    session: OpenSession,
    { calls, turns: read }: SessionOutput,
  ): SessionStretch | null {
    if (calls.length === 0 && read.length === 0) return null;
    const turns = read.map((turn) =>
      toTurn(source, { ...turn, model: modelOf(source, turn.model) }, projectId, book?.()),
    );
    for (const { wastedMs, wastedUsd } of turns)
      if (wastedMs) session.wastedUsd = wastedUsd && session.wastedUsd && addMoney(session.wastedUsd, wastedUsd);
    return { calls, turns };
  }

  function readerFor({ start }: SocketSource, session: OpenSession): SessionReader {
    const reader = readers.get(session) ?? readerOf(start);
    if (!reader) throw new Error("nobody reads this socket any more");
    readers.set(session, reader);
    return reader;
  }
}

function attempt<T>(session: OpenSession, work: () => T): T | null {
  try {
    return work();
  } catch {
    fail(session);
    return null;
  }
}

function fail(session: OpenSession): void {
  session.failed = true;
  if (!session.problems.includes(FAILED)) session.problems = [...session.problems, FAILED];
}

const newSession = (): OpenSession => ({
  state: null,
  failed: false,
  wastedUsd: "0",
  problems: [],
  over: null,
  unread: { clientBytes: 0, serverBytes: 0, clientMessages: 0, serverMessages: 0 },
});

function countUnread({ unread }: OpenSession, { from, bytes }: RecordedMessage): void {
  unread[`${from}Messages`]++;
  unread[`${from}Bytes`] += bytes;
}

const withUnread = (facts: SessionFacts, { unread }: OpenSession): SessionFacts => ({
  ...facts,
  clientBytes: facts.clientBytes + unread.clientBytes,
  serverBytes: facts.serverBytes + unread.serverBytes,
  clientMessages: facts.clientMessages + unread.clientMessages,
  serverMessages: facts.serverMessages + unread.serverMessages,
});
