import { Link } from "#app/_ui/link.tsx";
import { hrefOf, type View } from "./view.ts";

const TABS = [
  { path: "/calls", name: "Calls" },
  { path: "/sessions", name: "Sessions" },
] as const;

/** The two lists of what was recorded: calls, and the connections that held many of them. */
export function CallsTabs({ here, view }: { here: (typeof TABS)[number]["path"]; view: View }) {
  return (
    <nav aria-label="Lists" className="flex items-center gap-1">
      {TABS.map(({ path, name }) => (
        <Link
          key={path}
          className="nav-link"
          aria-current={path === here ? "page" : undefined}
          href={hrefOf(path, { ...view, own: null })}
        >
          {name}
        </Link>
      ))}
    </nav>
  );
}
