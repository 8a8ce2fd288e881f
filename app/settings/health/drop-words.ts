interface DropWords {
  what: string;
  todo: string;
}

/** Why calls were relayed and not recorded (lib/spool/writer.ts, lib/proxy/relay.ts, the recorder), and what helps. */
const DROPS: Readonly<Record<string, DropWords>> = {
  too_many_calls: {
    what: "more calls at once than a worker records",
    todo: "Raise OMNIMETER_MAX_CALLS or OMNIMETER_WORKERS.",
  },
  spool_full: {
    what: "the spool had reached its limit",
    todo: "See why the recorder is behind; raise OMNIMETER_SPOOL_BYTES where the disk has room.",
  },
  disk_slow: {
    what: "the disk took too long to write",
    todo: "Put OMNIMETER_DATA_DIR on a faster disk, or on one that nothing else keeps busy.",
  },
  disk_full: { what: "the disk was full", todo: "Free space on the disk of OMNIMETER_DATA_DIR." },
  disk_error: {
    what: "the disk failed to write",
    todo: "Look for the error in the proxy's log, and check the disk of OMNIMETER_DATA_DIR.",
  },
  closing: {
    what: "the worker was stopping",
    todo: "Nothing, if it was stopped on purpose; else look in the log for why it ended.",
  },
  torn: {
    what: "a batch of the spool was damaged, most often by a power cut",
    todo: "OMNIMETER_FSYNC=on survives power cuts, at a price.",
  },
  expired: {
    what: "they were older than what is kept, or from a clock that is wrong",
    todo: "Check the clocks of the proxies' hosts, and for how long their spools went unread.",
  },
  session_refused: {
    what: "the database refused what was known of a session",
    todo: "Check the clock of the proxy's host. Its calls are stored, or set aside, each by itself.",
  },
};

/** A reason of a newer recorder has no words here yet. */
export const dropWords = (reason: string): DropWords =>
  (Object.hasOwn(DROPS, reason) ? DROPS[reason] : undefined) ?? {
    what: reason.replaceAll("_", " "),
    todo: "docs/metrics.md says more.",
  };
