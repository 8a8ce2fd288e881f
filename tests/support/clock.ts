/** Loaded before a process under test: its clock stands elsewhere by as many milliseconds as the variable says. */
const offsetMs = Number(process.env.TEST_CLOCK_OFFSET_MS ?? 0);
const now = Date.now;
if (offsetMs) {
  Date.now = () => now() + offsetMs;
  globalThis.Date = new Proxy(Date, {
    construct: (real, given: [], target) => Reflect.construct(real, given.length ? given : [now() + offsetMs], target),
  });
}
