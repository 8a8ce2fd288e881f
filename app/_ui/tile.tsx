import type { ReactNode } from "react";
import { Link } from "./link.tsx";

interface Props {
  name: string;
  testId: string;
  /** The figure. */
  value: ReactNode;
  /** Where its calls are; left out: nowhere. */
  href?: string;
  /** For the start page: four at most. */
  large?: boolean;
  /** What the figure needs to be read rightly: of what, since when, how many. */
  children?: ReactNode;
}

/** One figure with its name. Stands in a `dl`. */
export function Tile({ name, testId, value, href, large = false, children }: Props) {
  const size = large ? "text-[30px] leading-9" : "text-num";
  return (
    <div className="min-w-0 rounded-md border border-rule p-4" data-testid={testId}>
      <dt className="text-xs text-muted">
        {href ? (
          <Link href={href} className="text-link inline-flex min-h-6 items-center">
            {name}
          </Link>
        ) : (
          <span className="inline-flex min-h-6 items-center">{name}</span>
        )}
      </dt>
      <dd>
        <p className={`${size} font-semibold`}>{value}</p>
        {children}
      </dd>
    </div>
  );
}
