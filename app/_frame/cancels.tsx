"use client";

import { useLayoutEffect } from "react";

/**
 * Ends a read in the database: when its form is sent (a real submission would end the page's own loading with it), and when the
 * visitor goes to another page while the figures are missing (the page's request goes on then). Stands beside what stands in for
 * the figures, because React gives that no life while the page is loading.
 */
export function Cancels({ token }: { token: string }) {
  useLayoutEffect(() => {
    const onSubmit = (event: SubmitEvent) => {
      const form = event.target;
      if (!(form instanceof HTMLFormElement) || form.dataset.cancels !== token) return;
      event.preventDefault();
      if (event.submitter instanceof HTMLButtonElement) event.submitter.disabled = true;
      cancel(token);
    };
    document.addEventListener("submit", onSubmit);
    return () => {
      document.removeEventListener("submit", onSubmit);
      // Runs before the old page is taken away: its form tells whether the figures had come.
      if (document.querySelector(`[data-cancels="${token}"]`)) cancel(token);
    };
  }, [token]);
  return null;
}

function cancel(token: string): void {
  const body = JSON.stringify({ read: token });
  const headers = { "content-type": "application/json" };
  fetch("/reads/cancel", { method: "POST", keepalive: true, headers, body }).catch(() => {});
}
