"use client";

import { useRouter } from "next/navigation";
import { useEffect, useState } from "react";
import { Popover } from "#app/_ui/popover.tsx";
import { readCookie, writeCookie } from "./cookie.ts";
import { ZONE_COOKIE } from "./preferences.ts";

interface Props {
  zone: string;
  /** The address names the zone. */
  pinned: boolean;
  /** Address with another zone: `{zone}` stands where its name goes. */
  hrefTemplate: string;
  /** Address that leaves the zone to the browser. */
  hrefOwn: string;
}

/** The zone that every time on the page is written in. The browser's own is remembered, so that the server knows it next time. */
export function ZonePicker({ zone, pinned, hrefTemplate, hrefOwn }: Props) {
  const router = useRouter();
  const [own, setOwn] = useState("UTC");
  useEffect(() => {
    const found = Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";
    setOwn(found);
    if (readCookie(ZONE_COOKIE) === found) return;
    writeCookie(ZONE_COOKIE, found);
    if (!pinned && found !== zone) router.refresh();
  }, [pinned, zone, router]);

  return (
    <Popover label={zone.replaceAll("_", " ")} name={`Time zone: ${zone}`} testId="zone-picker" align="right">
      {(close) => <Zones {...{ zone, own, close, hrefTemplate, hrefOwn }} />}
    </Popover>
  );
}

function Zones({
  zone,
  own,
  close,
  hrefTemplate,
  hrefOwn,
}: Omit<Props, "pinned"> & { own: string; close: () => void }) {
  const router = useRouter();
  const [search, setSearch] = useState("");
  const [all] = useState(() => ["UTC", ...Intl.supportedValuesOf("timeZone").filter((name) => name !== "UTC")]);
  const wanted = search.trim().toLowerCase().replaceAll(" ", "_");
  const found = wanted ? all.filter((name) => name.toLowerCase().includes(wanted)) : [...new Set([own, "UTC", zone])];
  const choose = (name: string) => {
    router.push(name === own ? hrefOwn : hrefTemplate.replace("{zone}", encodeURIComponent(name)));
    close();
  };
  return (
    <div className="w-64">
      <label>
        <span className="sr-only">Find a time zone</span>
        <input
          className="control w-full"
          type="search"
          placeholder="Find a time zone"
          value={search}
          onChange={(event) => setSearch(event.target.value)}
        />
      </label>
      <ul className="mt-2 max-h-72 overflow-auto" aria-label="Time zones">
        {found.slice(0, 60).map((name) => (
          <li key={name}>
            <button
              type="button"
              className="menu-item"
              aria-current={name === zone ? "true" : undefined}
              onClick={() => choose(name)}
            >
              {name.replaceAll("_", " ")}
              {name === own && <span className="text-xs text-muted">this browser</span>}
            </button>
          </li>
        ))}
        {found.length === 0 && <li className="px-2 text-muted">None by this name</li>}
      </ul>
    </div>
  );
}
