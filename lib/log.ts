type Fields = Record<string, string | number | boolean | null>;

export interface Log {
  info(sentence: string, fields?: Fields): void;
  warn(sentence: string, fields?: Fields): void;
  error(sentence: string, fields?: Fields): void;
  /** Warns the first time it is called with this key; whoever calls keeps the count. */
  warnOnce(key: string, sentence: string, fields?: Fields): void;
}

/** One line per event on stderr: time, level, part, a sentence, then the figures as name=value. Never content. */
export function createLog(part: string, write: (line: string) => void = (line) => process.stderr.write(line)): Log {
  const warned = new Set<string>();
  const say =
    (level: string) =>
    (sentence: string, fields: Fields = {}) => {
      const figures = Object.entries(fields).map(([name, value]) => ` ${name}=${JSON.stringify(value)}`);
      // A log that cannot be written must not take the process down.
      try {
        write(`${new Date().toISOString()} ${level} ${part}: ${sentence}${figures.join("")}\n`);
      } catch {}
    };
  const warn = say("warn");
  return {
    info: say("info"),
    warn,
    error: say("error"),
    warnOnce(key, sentence, fields) {
      if (warned.has(key)) return;
      warned.add(key);
      warn(sentence, fields);
    },
  };
}
