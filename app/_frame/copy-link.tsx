"use client";

import { useEffect, useState } from "react";

/** Copies the address of exactly what is on screen: the same stretch of time tomorrow. */
export function CopyLink({ path }: { path: string }) {
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return;
    const timer = setTimeout(() => setCopied(false), 2000);
    return () => clearTimeout(timer);
  }, [copied]);
  const copy = async () => {
    const address = new URL(path, location.href).href;
    try {
      await navigator.clipboard.writeText(address);
      setCopied(true);
    } catch {
      window.prompt("Copy this address:", address);
    }
  };
  return (
    <button type="button" className="control" onClick={copy} data-testid="copy-link">
      <span aria-live="polite">{copied ? "Copied" : "Copy link"}</span>
    </button>
  );
}
