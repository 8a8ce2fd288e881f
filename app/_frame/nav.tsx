"use client";

import { usePathname, useSearchParams } from "next/navigation";
import { Link } from "#app/_ui/link.tsx";

const PAGES = [
  { path: "/", name: "Home" },
  { path: "/spend", name: "Spend" },
  { path: "/templates", name: "Templates" },
  { path: "/latency", name: "Latency" },
  { path: "/quality", name: "Quality" },
  { path: "/calls", name: "Calls" },
  { path: "/settings", name: "Settings" },
] as const;

/** What goes along from page to page: the range, the zone and the filters. */
const KEPT = ["r", "tz", "f"] as const;

export function Nav() {
  const path = usePathname();
  const query = useSearchParams();
  const kept = new URLSearchParams(
    KEPT.flatMap((name) => (query.has(name) ? [[name, query.get(name) as string]] : [])),
  );
  const isBelow = (page: string) => path === page || path.startsWith(`${page}/`);
  // Sessions are a list of their own below Calls.
  const isHere = (page: string) =>
    page === "/" ? path === "/" : isBelow(page) || (page === "/calls" && isBelow("/sessions"));
  return (
    <nav aria-label="Pages" className="flex flex-wrap items-center gap-1">
      {PAGES.map((page) => (
        <Link
          key={page.path}
          href={page.path !== "/" && kept.size ? `${page.path}?${kept}` : page.path}
          className="nav-link"
          aria-current={isHere(page.path) ? "page" : undefined}
        >
          {page.name}
        </Link>
      ))}
    </nav>
  );
}
