import { formatDuration, formatShare } from "#app/_ui/format.ts";
import { type Moments, type Whose, whoseTime } from "./stages.ts";

export const WHOSE: Record<Whose, { fill: string; name: string }> = {
  client: { fill: "bg-[var(--bar)]", name: "client" },
  omnimeter: { fill: "bg-[var(--warn)]", name: "Omnimeter" },
  upstream: { fill: "bg-[color:var(--text)]", name: "upstream" },
};

/** The call's duration in three parts: the client's, Omnimeter's and the upstream's. */
export function WhoseTime({ moments }: { moments: Moments }) {
  const time = whoseTime(moments);
  if (time === null)
    return <p className="mb-3 text-muted">Whose time it was is not known: not all of the call was seen.</p>;
  const all = time.client + time.omnimeter + time.upstream;
  return (
    <dl className="mb-3 flex flex-wrap gap-x-6 gap-y-1" data-testid="whose-time">
      {WHOSES.map((whose) => (
        <div key={whose} className="flex items-center gap-2">
          <dt className="flex items-center gap-1.5">
            <span aria-hidden="true" className={`stage size-2.5 rounded-sm ${WHOSE[whose].fill}`} />
            <span className="first-letter:uppercase">{WHOSE[whose].name}</span>
          </dt>
          <dd>
            <span className="font-semibold">{formatDuration(time[whose])}</span>{" "}
            <span className="text-muted">{formatShare(time[whose], all)}</span>
          </dd>
        </div>
      ))}
    </dl>
  );
}

const WHOSES = ["client", "omnimeter", "upstream"] as const;
