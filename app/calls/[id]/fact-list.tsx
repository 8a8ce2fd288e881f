import type { ReactNode } from "react";
import { CopyButton } from "#app/_ui/copy-button.tsx";

export interface Fact {
  name: string;
  value: ReactNode;
  /** An id: in monospace, with a button that copies it. */
  id?: string;
  /** What to know beside it. */
  note?: string;
}

/** Names and values. Absent ones are left out by the caller: a column of dashes says nothing. */
export function FactList({ facts }: { facts: readonly (Fact | null)[] }) {
  return (
    <table className="facts w-full">
      <tbody>
        {facts.map(
          (fact) =>
            fact && (
              <tr key={fact.name}>
                <th scope="row" className="w-40">
                  {fact.name}
                </th>
                <td className="[overflow-wrap:anywhere]">
                  {fact.id === undefined ? (
                    fact.value
                  ) : (
                    <span className="flex flex-wrap items-center gap-2">
                      <span className="font-mono text-xs">{fact.value}</span>
                      <CopyButton text={fact.id} what={fact.name.toLowerCase()} />
                    </span>
                  )}
                  {fact.note && <p className="text-xs text-muted">{fact.note}</p>}
                </td>
              </tr>
            ),
        )}
      </tbody>
    </table>
  );
}
