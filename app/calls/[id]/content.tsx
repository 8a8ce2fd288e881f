import type { ReactNode } from "react";
import type { Said } from "#app/_data/content.ts";
import { formatBytes, plural } from "#app/_ui/format.ts";
import { ScrollBox } from "#app/_ui/scroll-box.tsx";
import type { KeptMedia } from "#db/queries/call-media.ts";
import type { Message, Part } from "#lib/call.ts";
import { Player } from "./audio.tsx";

/** Audio that can be played beside what was said. */
interface Kept {
  callId: string;
  media: readonly KeptMedia[];
}

/** What was said, as text only: nothing that came from a client or a model is ever interpreted. */
export function ContentSection({ said, callId, media }: { said: Said } & Kept) {
  if ("why" in said) return <p className="text-muted">{said.why}</p>;
  const { content, redactions } = said;
  const parameters = Object.entries(content.parameters);
  return (
    <>
      <Redactions redactions={redactions} />
      <div className="grid gap-6 lg:grid-cols-2">
        <Side title="Input" messages={content.input} none="No input was seen." kept={{ callId, media }} />
        <Side title="Output" messages={content.output} none="No output was seen." kept={{ callId, media }} />
      </div>
      {parameters.length > 0 && (
        <details className="mt-4">
          <summary>{plural(parameters.length, "parameter")}</summary>
          <Code text={JSON.stringify(content.parameters, null, 2)} name="Parameters" />
        </details>
      )}
      {content.tools.length > 0 && (
        <details className="mt-2">
          <summary>{plural(content.tools.length, "tool")} offered</summary>
          <Code text={JSON.stringify(content.tools, null, 2)} name="Tools offered" />
        </details>
      )}
    </>
  );
}

function Redactions({ redactions }: { redactions: Record<string, number> }) {
  const kinds = Object.entries(redactions);
  if (!kinds.length) return null;
  return (
    <p className="mb-3 text-muted">
      Redacted before storing: {kinds.map(([kind, count]) => `${count} × ${kind.replaceAll("_", " ")}`).join(", ")}.
    </p>
  );
}

interface SideProps {
  title: string;
  messages: readonly Message[];
  none: string;
  kept: Kept;
}

function Side({ title, messages, none, kept }: SideProps) {
  return (
    <section aria-label={title} className="min-w-0">
      <h3 className="mb-2 font-semibold">{title}</h3>
      {messages.length === 0 && <p className="text-muted">{none}</p>}
      <ol className="grid gap-3">
        {messages.map((message, i) => (
          <li key={i} className="rounded-md border border-rule">
            <p className="border-b border-rule bg-surface px-3 py-1 text-xs text-muted">
              {message.role}
              {message.choice !== undefined && messages.length > 1 && ` · choice ${message.choice}`}
            </p>
            <div className="grid gap-2 p-3">
              {message.parts.map((part, j) => (
                <PartView key={j} part={part} kept={kept} />
              ))}
              {message.parts.length === 0 && <p className="text-muted">Empty.</p>}
            </div>
          </li>
        ))}
      </ol>
    </section>
  );
}

function PartView({ part, kept }: { part: Part; kept: Kept }) {
  switch (part.type) {
    case "text":
      return <Text text={part.text} />;
    case "refusal":
      return <Text text={part.text} label="Refusal" />;
    case "reasoning":
      return <Text text={part.text} label="Reasoning" />;
    case "tool_call":
      return (
        <div>
          <p>
            <span className="text-muted">{part.kind === "function" ? "Calls" : `Calls (${part.kind})`}</span>{" "}
            <span className="font-mono font-semibold break-all">{part.name}</span>{" "}
            {part.id && <span className="font-mono text-xs text-muted break-all">{part.id}</span>}
          </p>
          <Code text={indented(part.arguments)} name={`Arguments of ${part.name}`} />
        </div>
      );
    case "tool_result":
      return (
        <div>
          <p className="text-muted">
            Result {part.id && <span className="font-mono text-xs break-all">of {part.id}</span>}
          </p>
          <Code text={indented(part.text)} name="Tool result" />
        </div>
      );
    case "image":
    case "audio":
    case "file":
      return <Media part={part} kept={kept} />;
    default:
      return (
        <div>
          <p className="text-muted">{part.kind}</p>
          <Code text={indented(part.json)} name={part.kind} />
        </div>
      );
  }
}

function Media({ part, kept }: { part: Extract<Part, { type: "image" | "audio" | "file" }>; kept: Kept }) {
  const playable = kept.media.find(({ index }) => index === part.media);
  const facts = [
    part.mediaType,
    part.bytes !== null && formatBytes(part.bytes),
    part.detail && `detail ${part.detail}`,
    part.name,
  ];
  return (
    <div>
      <p>
        <span className="capitalize">{part.type}</span>{" "}
        <span className="text-muted">
          {facts.filter(Boolean).join(" · ") || "size unknown"}
          {playable ? "" : ", not stored"}
        </span>
      </p>
      {playable && <Player id={kept.callId} index={playable.index} name={part.name ?? "Audio of this message"} />}
      {part.url && <p className="font-mono text-xs text-muted break-all">{part.url}</p>}
      {part.transcript && <Text text={part.transcript} label="Transcript" />}
    </div>
  );
}

function Text({ text, label }: { text: string; label?: string }) {
  return (
    <div>
      {label && <p className="text-xs text-muted">{label}</p>}
      {text === "" ? (
        <p className="text-muted">Empty text.</p>
      ) : (
        <Box
          text={text}
          name={label ?? "Text"}
          className="max-h-[480px] text-base whitespace-pre-wrap [overflow-wrap:anywhere]"
        >
          {text}
        </Box>
      )}
    </div>
  );
}

function Code({ text, name }: { text: string; name: string }) {
  return (
    <Box text={text} name={name} className="mt-1 max-h-[360px] rounded-md bg-surface p-2">
      <pre className="font-mono text-xs whitespace-pre-wrap [overflow-wrap:anywhere]">{text}</pre>
    </Box>
  );
}

/** Long text scrolls in a box of its own; a short one needs none. */
function Box({
  text,
  name,
  className,
  children,
}: {
  text: string;
  name: string;
  className: string;
  children: ReactNode;
}) {
  const long = text.length > 600 || text.split("\n", 15).length > 14;
  if (!long) return <div className={className}>{children}</div>;
  return (
    <ScrollBox name={name} className={`overflow-y-auto ${className}`}>
      {children}
    </ScrollBox>
  );
}

function indented(json: string): string {
  try {
    return JSON.stringify(JSON.parse(json), null, 2);
  } catch {
    // Cut off or not JSON: as it is.
    return json;
  }
}
