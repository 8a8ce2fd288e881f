import type { ReactNode } from "react";
import type { View } from "#app/_frame/view.ts";
import { Shown } from "../shown.tsx";
import { Drops } from "./drops.tsx";
import { Equation } from "./equation.tsx";
import { HealthAnswer } from "./health-answer.tsx";
import { Jobs } from "./jobs.tsx";
import type { Health as Found } from "./read-health.ts";
import { SetAside } from "./set-aside.tsx";
import { SlowQueries } from "./slow-queries.tsx";
import { Spools } from "./spools.tsx";
import { Statements } from "./statements.tsx";
import { Tables } from "./tables.tsx";

/** Is every call accounted for, is the store keeping up, and what takes its time and space? */
export function Health({ health, said, view }: { health: Found; said: string | null; view: View }) {
  return (
    <section id="health" aria-labelledby="health-title" className="mt-10 border-t border-rule pt-6">
      <h2 id="health-title" className="text-lg font-semibold">
        Health
      </h2>
      <HealthAnswer said={said} />
      <Block title="Is every call accounted for?">
        <Shown part={health.equation}>{(equation) => <Equation equation={equation} />}</Shown>
      </Block>
      <Block title="How far behind is the store?">
        <Shown part={health.spools}>{(spools) => <Spools spools={spools} view={view} />}</Shown>
      </Block>
      <Block title="What went through unrecorded">
        <Shown part={health.drops}>{(drops) => <Drops drops={drops} view={view} />}</Shown>
      </Block>
      <Block title="Set aside" id="set-aside">
        <Shown part={health.setAside}>{(rows) => <SetAside rows={rows} view={view} />}</Shown>
      </Block>
      <Block title="What runs for more than a second now">
        <Shown part={health.slow}>{(queries) => <SlowQueries queries={queries} />}</Shown>
      </Block>
      <Block title="What took the database's time">
        <Shown part={health.statements}>{(statements) => <Statements statements={statements} />}</Shown>
      </Block>
      <Block title="Space">
        <Shown part={health.tables}>{(tables) => <Tables tables={tables} freed={health.freed} />}</Shown>
      </Block>
      <Block title="Jobs">
        <Shown part={health.jobs}>{(jobs) => <Jobs jobs={jobs} due={health.due} view={view} />}</Shown>
      </Block>
    </section>
  );
}

function Block({ title, id, children }: { title: string; id?: string; children: ReactNode }) {
  return (
    <div id={id} className="mt-6 min-w-0">
      <h3 className="font-semibold">{title}</h3>
      {children}
    </div>
  );
}
