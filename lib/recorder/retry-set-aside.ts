import { type DecodedExchange, type DecodeOptions, decodeCalls } from "./decode-exchange.ts";
import { openKept } from "./kept-exchange.ts";

/** What somebody asked to be tried again. */
export interface TakenAside {
  id: string;
  spool: string;
  sealed: Buffer;
  askedSeconds: number;
}

/** What the retry asks of the store; `main` binds it to db/set-aside.ts. */
export interface AsideStore {
  next(skip: readonly string[]): Promise<TakenAside | null>;
  /** Says that a try has begun. False: somebody else was faster. */
  begin(id: string): Promise<boolean>;
  /** The call that was set aside, and those that came out of the same exchange. Returns why the database refuses them, or null. */
  store(id: string, decoded: DecodedExchange, derived: readonly DecodedExchange[]): Promise<string | null>;
  keep(id: string, reason: string): Promise<void>;
}

interface Options extends DecodeOptions {
  spoolKey: Buffer;
  isOurs: (spool: string) => boolean;
  store: AsideStore;
  stopping: () => boolean;
}

/** For so long another host's recorder has the time to come and use its key. */
const OTHERS_SECONDS = 60;

/** Tries what somebody asked for, one after the other. Returns how many of them are stored now. @throws the database's error */
export async function retrySetAside({ store, spoolKey, isOurs, stopping, ...options }: Options): Promise<number> {
  const left: string[] = [];
  let stored = 0;
  while (!stopping()) {
    const one = await store.next(left);
    if (!one) break;
    const kept = open(one);
    if (!kept && !isOurs(one.spool) && one.askedSeconds < OTHERS_SECONDS) {
      left.push(one.id);
      continue;
    }
    if (!(await store.begin(one.id))) continue;
    const reason = kept
      ? await tryAgain(one.id, kept)
      : `no recorder that runs has the key that sealed it: restore keys/spool.key of the host of spool ${one.spool}`;
    if (reason === null) stored++;
    else await store.keep(one.id, reason);
  }
  return stored;

  function open({ sealed }: TakenAside) {
    try {
      return openKept(spoolKey, sealed);
    } catch {
      return null;
    }
  }

  async function tryAgain(id: string, kept: ReturnType<typeof openKept>): Promise<string | null> {
    let decoded: DecodedExchange[];
    try {
      decoded =
        "exchange" in kept
          ? await decodeCalls(kept.exchange, options)
          : [{ call: kept.call, payload: null, words: null }];
    } catch (error) {
      return `cannot be decoded: ${(error as Error).message}`;
    }
    const [own, ...derived] = decoded as [DecodedExchange, ...DecodedExchange[]];
    return store.store(id, own, derived);
  }
}
