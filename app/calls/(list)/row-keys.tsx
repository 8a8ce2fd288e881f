"use client";

import { useRouter } from "next/navigation";
import { type MouseEvent, type ReactNode, useEffect, useRef } from "react";
import { readCookie } from "#app/_frame/cookie.ts";
import { KEYS_COOKIE } from "#app/_frame/preferences.ts";

/** J and K go through the rows' links (Enter follows the focused one, as everywhere); a click on a row follows its link. */
export function RowKeys({ children }: { children: ReactNode }) {
  const root = useRef<HTMLDivElement>(null);
  const router = useRouter();

  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      const step = event.key === "j" ? 1 : event.key === "k" ? -1 : 0;
      if (!step || event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
      if (readCookie(KEYS_COOKIE) === "off") return;
      const links = [...(root.current?.querySelectorAll<HTMLAnchorElement>("a[data-row]") ?? [])];
      const at = links.indexOf(document.activeElement as HTMLAnchorElement);
      const next = links[Math.min(links.length - 1, Math.max(0, at === -1 ? 0 : at + step))];
      next?.focus();
      next?.closest("tr")?.scrollIntoView({ block: "nearest" });
      event.preventDefault();
    };
    document.addEventListener("keydown", onKey);
    return () => document.removeEventListener("keydown", onKey);
  }, []);

  const onClick = (event: MouseEvent) => {
    const target = event.target as HTMLElement;
    if (event.button !== 0 || target.closest("a, button")) return;
    // Somebody is marking text, not choosing a row.
    if (getSelection()?.type === "Range") return;
    const link = target.closest("tr")?.querySelector<HTMLAnchorElement>("a[data-row]");
    if (!link) return;
    if (event.metaKey || event.ctrlKey) window.open(link.href, "_blank", "noopener");
    else router.push(link.pathname + link.search);
  };
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions lint/a11y/useKeyWithClickEvents: a larger target for the mouse; the keyboard has the links.
    <div ref={root} onClick={onClick}>
      {children}
    </div>
  );
}

const isTyping = (target: EventTarget | null) =>
  target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));
