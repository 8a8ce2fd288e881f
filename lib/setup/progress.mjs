/** Without a terminal a long step says now and then that it is still at work. */
const REMIND_SECONDS = 15;

/**
 * A line on stderr with the seconds that a long step has taken so far.
 * @param {string} text
 * @param {NodeJS.WriteStream} [out]
 */
export function progress(text, out = process.stderr) {
  const started = Date.now();
  const seconds = () => Math.round((Date.now() - started) / 1000);
  const show = () => {
    if (out.isTTY) out.write(`\r\x1b[2K${text} … ${seconds()} s`);
    else if (seconds() % REMIND_SECONDS === 0) out.write(`${text} …${seconds() ? ` ${seconds()} s` : ""}\n`);
  };
  show();
  const timer = setInterval(show, 1000);
  timer.unref();
  return {
    /** @param {string} [last] what to leave on the line; the seconds are added */
    done(last = text) {
      clearInterval(timer);
      out.write(`${out.isTTY ? "\r\x1b[2K" : ""}${last} (${seconds()} s)\n`);
    },
  };
}
