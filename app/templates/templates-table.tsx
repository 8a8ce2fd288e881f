import type { View } from "#app/_frame/view.ts";
import { plural, UNKNOWN } from "#app/_ui/format.ts";
import { Link } from "#app/_ui/link.tsx";
import { ScrollBox } from "#app/_ui/scroll-box.tsx";
import { formatEdge, formatMomentFully } from "#app/_ui/time.ts";
import {
  TEMPLATE_SORTS,
  type TemplateRow,
  type TemplateSort,
  type TemplatesOfPage,
} from "#db/queries/templates-page.ts";
import { Expandable } from "./expandable.tsx";
import { Figures } from "./figures.tsx";
import { nameOf, nameOfVersion, type RowName } from "./names.ts";
import { templatesHref } from "./query.ts";

type Change = { version: string; at: Date };

interface Props {
  view: View;
  sort: TemplateSort;
  templates: TemplatesOfPage;
  words: ReadonlyMap<string, string>;
  changes: ReadonlyMap<string, Change>;
}

const SORT_NAMES: Record<TemplateSort, string> = { cost: "Cost", tokens: "Tokens", calls: "Calls" };

/** One row per template, the largest first; the rows and the last one but the total add up to the total. */
export function TemplatesTable({ view, sort, templates, words, changes }: Props) {
  const { rows, rest, total, versions } = templates;
  return (
    <section aria-labelledby="templates-title" className="mt-8">
      <div className="flex flex-wrap items-center gap-x-4 gap-y-2">
        <h2 id="templates-title" className="text-lg font-semibold">
          Templates by {SORT_NAMES[sort].toLowerCase()}
        </h2>
        <nav aria-label="Sort by" className="flex flex-wrap gap-2">
          {TEMPLATE_SORTS.map((one) => (
            <Link
              key={one}
              className="control aria-[current=true]:border-fg aria-[current=true]:bg-surface aria-[current=true]:font-semibold"
              href={templatesHref(view, one)}
              aria-current={one === sort ? "true" : undefined}
              scroll={false}
            >
              {SORT_NAMES[one]}
            </Link>
          ))}
        </nav>
      </div>
      <ScrollBox name="Templates" className="mt-2 md:max-h-[78vh] md:overflow-y-auto">
        <table
          className="figures w-full [&_tbody_th]:sticky [&_tbody_th]:left-0 [&_tbody_th]:bg-bg [&_thead_th]:sticky [&_thead_th]:top-0 [&_thead_th]:z-1 [&_thead_th]:bg-bg"
          data-testid="table-templates"
        >
          <Head sort={sort} />
          {rows.map((row) => (
            <Template
              key={`${row.template}\n${row.unitHash}`}
              row={row}
              versions={versions.filter(({ template }) => row.template !== "" && template === row.template)}
              name={nameOf(row, words)}
              change={changes.get(row.template)}
              view={view}
            />
          ))}
          {rest && (
            <tbody>
              <tr data-testid="row-more">
                <th scope="row" className="text-muted">
                  <span className="ml-7">{plural(rest.members, "more template")}</span>
                </th>
                <Figures sums={rest} />
                <td />
              </tr>
            </tbody>
          )}
          <tfoot>
            <tr data-testid="row-total">
              <th scope="row">
                <span className="ml-7">Total</span>
              </th>
              <Figures sums={total} />
              <td />
            </tr>
          </tfoot>
        </table>
      </ScrollBox>
      <p className="py-2 text-xs text-muted">
        A sign ~ before a cost: a part of it is estimated. Words in quotation marks are the beginning of the
        instructions of calls that declare no template.
      </p>
    </section>
  );
}

function Head({ sort }: { sort: TemplateSort }) {
  const sorted = (by: TemplateSort) => (by === sort ? "descending" : undefined);
  return (
    <thead>
      <tr>
        <th scope="col">
          <span className="ml-7">Template</span>
        </th>
        <th scope="col" aria-sort={sorted("calls")}>
          Calls
        </th>
        <th scope="col" aria-sort={sorted("cost")}>
          Cost
        </th>
        <th scope="col">
          <span title="Of the cost of all calls in view">Share</span>
        </th>
        <th scope="col">
          <span title="Cost of 1,000 calls">Per 1,000</span>
        </th>
        <th scope="col" aria-sort={sorted("tokens")}>
          <span title="Without what was read from the cache">Input</span>
        </th>
        <th scope="col">Cached</th>
        <th scope="col">Output</th>
        <th scope="col">
          <span title="Of the input tokens, those read from the cache">Cache share</span>
        </th>
        <th scope="col">Unpriced</th>
        <th scope="col">
          <span title="Failed, cut off, or given up by the client">Not completed</span>
        </th>
        <th scope="col">
          <span title="When a version that is not the first was seen for the first time">Newest version</span>
        </th>
      </tr>
    </thead>
  );
}

function Template(props: {
  row: TemplateRow;
  versions: readonly TemplateRow[];
  name: RowName;
  change: Change | undefined;
  view: View;
}) {
  const { row, versions, name, change, view } = props;
  // One version without a name says nothing that the row does not.
  const expands = versions.length > 1 || versions.some(({ version }) => version !== "");
  return (
    <Expandable
      name={name.text}
      testId={`row-${row.template || row.unitHash || "none"}`}
      head={<Name name={name} />}
      cells={
        <>
          <Figures sums={row} name={name} view={view} />
          <td>{change ? <Seen change={change} view={view} /> : <span className="text-muted">{UNKNOWN}</span>}</td>
        </>
      }
    >
      {expands
        ? versions.map((version) => (
            <Version key={`${version.version}\n${version.members}`} row={version} view={view} />
          ))
        : null}
    </Expandable>
  );
}

function Version({ row, view }: { row: TemplateRow; view: View }) {
  const name = nameOfVersion(row);
  return (
    <tr className="bg-surface" data-testid={`row-${row.template}@${row.version}`}>
      <th scope="row" className="!bg-surface">
        <span className="ml-7 block pl-3">
          <Name name={name} />
        </span>
      </th>
      <Figures sums={row} name={name} view={view} />
      <td />
    </tr>
  );
}

/** What people named stands as it is; first words of instructions are a quotation. */
function Name({ name: { text, kind } }: { name: RowName }) {
  const look = kind === "ours" ? "text-muted" : kind === "words" ? "italic" : "font-medium";
  return (
    <span className={`block max-w-36 truncate sm:max-w-72 ${look}`} title={text}>
      {kind === "words" ? `“${text}”` : text}
    </span>
  );
}

function Seen({ change: { version, at }, view }: { change: Change; view: View }) {
  const ms = at.getTime();
  return (
    <span title={`${version}, first seen ${formatMomentFully(ms, view.zone)}`}>
      <span className="inline-block max-w-24 truncate align-bottom">{version}</span>{" "}
      <span className="text-muted">{formatEdge(ms, view.zone)}</span>
    </span>
  );
}
