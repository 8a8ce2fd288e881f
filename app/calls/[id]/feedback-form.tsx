"use client";

import { useRouter } from "next/navigation";
import { type SubmitEvent, useState, useTransition } from "react";
import { Thumb } from "#app/_ui/thumb.tsx";

interface Props {
  callId: string;
  /** What was said on the dashboard last. */
  rating: "up" | "down" | null;
  comment: string;
}

const COMMENT_CHARACTERS_MAX = 16_384;

/**
 * Thumbs and a comment. A plain form: it works before any script has loaded; with one the page stays where it is. Every
 * button sends both, because a word replaces the one before it.
 */
export function FeedbackForm({ callId, rating, comment }: Props) {
  const router = useRouter();
  const [said, setSaid] = useState<{ text: string; failed: boolean } | null>(null);
  const [sending, startSending] = useTransition();
  const submit = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    if (sending) return;
    const form = event.currentTarget;
    const fields = new FormData(form, event.nativeEvent.submitter);
    startSending(async () => {
      const failure = await send(form.action, fields);
      setSaid(failure === null ? { text: "Stored.", failed: false } : { text: failure, failed: true });
      if (failure === null) router.refresh();
    });
  };
  return (
    <form action="/feedback" method="post" onSubmit={submit} className="max-w-2xl">
      <input type="hidden" name="call" value={callId} />
      <div className="flex flex-wrap items-center gap-2">
        {(["up", "down"] as const).map((thumb) => (
          <button
            key={thumb}
            type="submit"
            name="rating"
            value={rating === thumb ? "none" : thumb}
            aria-pressed={rating === thumb}
            className="control"
            data-testid={`thumb-${thumb}`}
          >
            <Thumb rating={thumb} />
            Thumbs {thumb}
          </button>
        ))}
        <span role="status" className="text-muted">
          {said && !said.failed && !sending ? said.text : ""}
        </span>
      </div>
      <label className="mt-3 block">
        <span className="text-xs text-muted">Comment</span>
        <textarea
          // What another tab stored shows up after a refresh.
          key={comment}
          name="comment"
          defaultValue={comment}
          rows={2}
          maxLength={COMMENT_CHARACTERS_MAX}
          className="mt-1 block w-full rounded-md border border-control bg-bg px-2.5 py-1.5"
        />
      </label>
      <button type="submit" name="rating" value={rating ?? "none"} className="control mt-2">
        Save comment
      </button>
      <p role="alert" className="mt-2 text-bad empty:hidden">
        {said?.failed && !sending ? said.text : ""}
      </p>
    </form>
  );
}

/** null: it is stored. Otherwise why not, in a sentence. */
async function send(address: string, fields: FormData): Promise<string | null> {
  try {
    const response = await fetch(address, {
      method: "POST",
      headers: { accept: "application/json" },
      body: new URLSearchParams([...fields].map(([name, value]) => [name, String(value)])),
    });
    if (response.ok) return null;
    const { error } = (await response.json()) as { error: { message: string } };
    return error.message;
  } catch {
    return "The dashboard does not answer: nothing was stored. Try again.";
  }
}
