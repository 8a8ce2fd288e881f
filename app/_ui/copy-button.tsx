"use client";

import { useEffect, useState } from "react";

/** Copies a text and says so. */
export function CopyButton({ text, what }: { text: string; what: string }) {
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return;
    const timer = setTimeout(() => setCopied(false), 2000);
    return () => clearTimeout(timer);
  }, [copied]);
  return (
    <button
      type="button"
      className="control !min-h-6 !px-2 text-xs"
      onClick={() => copy(text).then(setCopied)}
      aria-label={`Copy ${what}`}
    >
      <span aria-hidden="true">{copied ? "Copied" : "Copy"}</span>
      <span role="status" className="sr-only">
        {copied ? `${what} copied` : ""}
      </span>
    </button>
  );
}

async function copy(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // Plain http on a network address has no clipboard.
    window.prompt("Copy this:", text);
    return false;
  }
}
