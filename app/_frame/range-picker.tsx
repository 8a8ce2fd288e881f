"use client";

import { useRouter } from "next/navigation";
import { useState } from "react";
import { Link } from "#app/_ui/link.tsx";
import { Popover } from "#app/_ui/popover.tsx";
import { parseRange, resolveRange } from "#lib/range.ts";

interface Props {
  name: string;
  choices: readonly { text: string; name: string; href: string; chosen: boolean }[];
  zone: string;
  /** Wall-clock bounds of the shown range, for the two fields. */
  from: string;
  to: string;
  /** Address of an own range: `{range}` stands where its text goes. */
  hrefTemplate: string;
}

export function RangePicker({ name, choices, zone, from, to, hrefTemplate }: Props) {
  return (
    <Popover label={name} name={`Time range: ${name}`} testId="range-picker" align="right">
      {(close) => (
        <div className="w-64">
          <ul>
            {choices.map((choice) => (
              <li key={choice.text}>
                <Link
                  href={choice.href}
                  className="menu-item"
                  aria-current={choice.chosen ? "true" : undefined}
                  onClick={close}
                >
                  {choice.name}
                </Link>
              </li>
            ))}
          </ul>
          <OwnRange {...{ zone, from, to, hrefTemplate, close }} />
        </div>
      )}
    </Popover>
  );
}

function OwnRange({ zone, from, to, hrefTemplate, close }: Omit<Props, "name" | "choices"> & { close: () => void }) {
  const router = useRouter();
  const [wrong, setWrong] = useState(false);
  const submit = (form: FormData) => {
    const text = `${form.get("from")}..${form.get("to")}`;
    const range = parseRange(text);
    if (!range || !resolveRange(range, zone, 0)) return setWrong(true);
    router.push(hrefTemplate.replace("{range}", encodeURIComponent(text)));
    close();
  };
  return (
    <form
      className="mt-2 grid gap-2 border-t border-rule p-2"
      onSubmit={(event) => {
        event.preventDefault();
        submit(new FormData(event.currentTarget));
      }}
    >
      <p className="text-xs text-muted">From, and until just before, in {zone}</p>
      <label>
        <span className="sr-only">From</span>
        <input className="control w-full" type="datetime-local" name="from" defaultValue={from} required />
      </label>
      <label>
        <span className="sr-only">Until</span>
        <input className="control w-full" type="datetime-local" name="to" defaultValue={to} required />
      </label>
      {wrong && (
        <p role="alert" className="text-bad">
          The end must be after the start.
        </p>
      )}
      <button type="submit" className="control justify-center">
        Show
      </button>
    </form>
  );
}
