"use client";

import { useEffect, useState } from "react";
import { formatCount } from "#app/_ui/format.ts";
import { Link } from "#app/_ui/link.tsx";
import { Popover } from "#app/_ui/popover.tsx";

interface Props {
  attribute: string;
  label: string;
  /** The page's present query. */
  query: string;
  path: string;
}

export interface MenuOption {
  value: string;
  name: string;
  calls: number;
  href: string;
  chosen: boolean;
}

export interface MenuOptions {
  options: MenuOption[];
  /** Calls with values beyond the listed ones. */
  restCalls: number;
}

/** Values of one attribute with their calls in range. Asked for when opened: counting them on every view would be waste. */
export function FilterMenu({ attribute, label, query, path }: Props) {
  return (
    <Popover label={label} name={`Filter by ${label.toLowerCase()}`} testId={`filter-menu-${attribute}`}>
      {(close) => <Options {...{ attribute, label, query, path, close }} />}
    </Popover>
  );
}

function Options({ attribute, label, query, path, close }: Props & { close: () => void }) {
  const [answer, setAnswer] = useState<MenuOptions | "waiting" | "failed">("waiting");
  const [search, setSearch] = useState("");
  useEffect(() => {
    const gone = new AbortController();
    fetch(`${path}/options?by=${attribute}${query ? `&${query}` : ""}`, { signal: gone.signal, cache: "no-store" })
      .then((response) => (response.ok ? response.json() : Promise.reject(new Error(String(response.status)))))
      .then(setAnswer)
      .catch(() => !gone.signal.aborted && setAnswer("failed"));
    return () => gone.abort();
  }, [attribute, query, path]);

  if (answer === "waiting") return <p className="late w-64 p-2 text-muted">Counting…</p>;
  if (answer === "failed") return <p className="w-64 p-2 text-bad">The values cannot be counted just now.</p>;
  const wanted = search.trim().toLowerCase();
  const shown = answer.options.filter(({ name }) => name.toLowerCase().includes(wanted));
  return (
    <div className="w-72">
      {answer.options.length > 8 && (
        <label>
          <span className="sr-only">Find among the values</span>
          <input
            className="control mb-2 w-full"
            type="search"
            placeholder={`Find a ${label.toLowerCase()}`}
            value={search}
            onChange={(event) => setSearch(event.target.value)}
          />
        </label>
      )}
      <ul aria-label={`${label}, with how many are in range`} className="max-h-80 overflow-auto">
        {shown.map((option) => (
          <li key={option.value}>
            <Link
              href={option.href}
              className="menu-item"
              aria-current={option.chosen ? "true" : undefined}
              onClick={close}
            >
              <span aria-hidden="true" className="w-3 text-accent">
                {option.chosen ? "✓" : ""}
              </span>
              <span
                className={`min-w-0 flex-1 truncate ${option.value === "" ? "text-muted" : ""}`}
                title={option.name}
              >
                {option.name}
              </span>
              <span className="text-muted">{formatCount(option.calls)}</span>
            </Link>
          </li>
        ))}
        {shown.length === 0 && (
          <li className="px-2 py-1 text-muted">{wanted ? "None by this name" : "No calls in range"}</li>
        )}
      </ul>
      {answer.restCalls > 0 && (
        <p className="border-t border-rule px-2 pt-2 text-xs text-muted">
          {formatCount(answer.restCalls)} more calls have other values.
        </p>
      )}
    </div>
  );
}
