import type { ReactNode } from "react";
import { formatBytes, formatDuration } from "#app/_ui/format.ts";
import type { KeptMedia } from "#db/queries/call-media.ts";
import type { CallFacts } from "#db/queries/call-page.ts";

interface Props {
  call: CallFacts;
  media: readonly KeptMedia[];
  /** As it is set now. */
  keepsAudio: boolean;
}

/** How much was spoken, and to hear it where it is kept. */
export function Audio({ call, media, keepsAudio }: Props) {
  return (
    <>
      <dl className="flex flex-wrap gap-x-8 gap-y-2">
        <Length name="In" ms={call.inputAudioMs} isThere={call.inputModalities.includes("audio")} />
        <Length name="Out" ms={call.outputAudioMs} isThere={call.outputModalities.includes("audio")} />
      </dl>
      {media.length === 0 ? (
        <p className="mt-2 text-muted">
          Counted, not kept.{" "}
          {keepsAudio ? (
            "Audio is kept now, but of this call none was seen whole, or it was recorded before, or its retention is over."
          ) : (
            <>
              With <code className="font-mono">OMNIMETER_KEEP_AUDIO=on</code> the audio of later calls is sealed like
              their messages, and can be played here.
            </>
          )}
        </p>
      ) : (
        <ul className="mt-3 grid gap-3">
          {media.map((one) => (
            <li key={one.index} className="flex flex-wrap items-center gap-x-4 gap-y-1">
              <span className="w-28">
                Audio {one.direction === "input" ? "in" : "out"}{" "}
                <span className="text-xs text-muted">{formatBytes(one.bytes)}</span>
              </span>
              <Player id={call.id} index={one.index} name={`Audio ${one.direction === "input" ? "in" : "out"}`} />
            </li>
          ))}
        </ul>
      )}
    </>
  );
}

/** Nothing is fetched before somebody wants to hear it. */
export function Player({ id, index, name }: { id: string; index: number; name: string }) {
  return (
    // biome-ignore lint/a11y/useMediaCaption: what was said stands beside it as text, as far as anybody transcribed it.
    <audio controls preload="none" className="h-8 max-w-full" aria-label={name} src={`/calls/${id}/media/${index}`} />
  );
}

function Length({ name, ms, isThere }: { name: string; ms: number | null; isThere: boolean }) {
  const value: ReactNode =
    ms !== null && (ms > 0 || isThere) ? (
      formatDuration(ms)
    ) : isThere ? (
      <span title="Nobody stated its length, and it could not be counted">length unknown</span>
    ) : (
      <span className="text-muted">none</span>
    );
  return (
    <div>
      <dt className="text-xs text-muted">{name}</dt>
      <dd className="font-semibold">{value}</dd>
    </div>
  );
}
