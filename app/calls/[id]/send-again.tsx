import type { Said } from "#app/_data/content.ts";
import { CopyButton } from "#app/_ui/copy-button.tsx";
import { formatBytes, plural } from "#app/_ui/format.ts";
import { ScrollBox } from "#app/_ui/scroll-box.tsx";
import type { CallFacts } from "#db/queries/call-page.ts";
import { toRequest } from "#lib/openai/export/to-request.ts";

/** A longer request would make the page several times as large: it is not written out. */
const CHARACTERS_MAX = 256 << 10;

/** The request as text to run, or why there is none. */
export function SendAgain({ call, said, proxyPort }: { call: CallFacts; said: Said; proxyPort: number }) {
  const origin = `http://127.0.0.1:${proxyPort}`;
  if ("why" in said) return <p className="text-muted">The request cannot be written out. {said.why}</p>;
  const request = toRequest(call, said.content, origin);
  if (request === null)
    return (
      <p className="text-muted">
        <code className="font-mono text-xs">{`${call.method} ${call.path}`}</code>: this request is not stored in a form
        that can be sent again.
      </p>
    );
  if (request.curl.length > CHARACTERS_MAX)
    return (
      <p className="text-muted">
        The request is not written out: with {formatBytes(request.curl.length)} it is too long for this page.
      </p>
    );
  const redacted = Object.values(said.redactions).reduce((sum, count) => sum + count, 0);
  const notes = [
    ...(redacted > 0
      ? [`What was redacted (${redacted} in the request or the answer) stands in square brackets.`]
      : []),
    ...(call.cut ? ["The request or its answer was larger than what is kept: some of it may be missing."] : []),
    ...request.notes,
  ];
  return (
    <>
      <p className="max-w-4xl text-muted">
        Written anew from what is stored. It goes through this proxy ({origin}), so it is recorded like any call, and
        costs what a call costs; the key is yours. Metadata, user and the call's own headers are left out.{" "}
        {notes.join(" ")}
      </p>
      <div className="mt-3 grid items-start gap-x-6 gap-y-3 lg:grid-cols-2">
        <Text name="curl" text={request.curl} />
        {request.typescript === null ? (
          <p className="text-muted">OpenAI's client needs another set-up for this path: use the curl text.</p>
        ) : (
          <Text name="TypeScript" text={request.typescript} />
        )}
      </div>
    </>
  );
}

function Text({ name, text }: { name: string; text: string }) {
  return (
    <div className="min-w-0">
      <p className="flex items-center gap-3">
        <span className="font-semibold">{name}</span>
        <CopyButton text={text} what={`as ${name}`} />
      </p>
      <details className="mt-1">
        <summary className="text-muted">{plural(text.trimEnd().split("\n").length, "line")}</summary>
        <ScrollBox
          name={`Request as ${name}`}
          className="mt-1 max-h-96 overflow-y-auto rounded-md border border-rule bg-surface"
        >
          <pre className="p-3 font-mono text-xs">{text}</pre>
        </ScrollBox>
      </details>
    </div>
  );
}
