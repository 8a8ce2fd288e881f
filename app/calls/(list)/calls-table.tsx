import NextLink from "next/link";
import { hrefOf, type View } from "#app/_frame/view.ts";
import { Cost } from "#app/_ui/cost.tsx";
import { DurationBar } from "#app/_ui/duration-bar.tsx";
import { endpointName } from "#app/_ui/endpoint-name.ts";
import { formatDuration, plural } from "#app/_ui/format.ts";
import { Glyph } from "#app/_ui/glyph.tsx";
import { Modalities } from "#app/_ui/modalities.tsx";
import { ScrollBox } from "#app/_ui/scroll-box.tsx";
import { Status } from "#app/_ui/status.tsx";
import { formatMomentFully, formatOffset, timeParts } from "#app/_ui/time.ts";
import { Tokens } from "#app/_ui/tokens.tsx";
import type { CallRow } from "#db/queries/calls-page.ts";
import { RowKeys } from "./row-keys.tsx";

/** One row per call, newest first. The time is the link; J, K and a click anywhere on a row work too. */
export function CallsTable({ rows, view }: { rows: readonly CallRow[]; view: View }) {
  return (
    <RowKeys>
      <ScrollBox name="Calls, newest first" className="md:max-h-[78vh] md:overflow-y-auto">
        <table className="calls" data-testid="table-calls" aria-live="off">
          <thead>
            <tr>
              <th scope="col">Time, {formatOffset(view.nowMs, view.zone)}</th>
              <th scope="col">Feature</th>
              <th scope="col">Customer</th>
              <th scope="col">Template</th>
              <th scope="col">Model</th>
              <th scope="col">Endpoint</th>
              <th scope="col">
                <span title="Modalities in → out">In → out</span>
              </th>
              <th scope="col" className="number">
                Tokens in
              </th>
              <th scope="col" className="number">
                Cached
              </th>
              <th scope="col" className="number">
                Out
              </th>
              <th scope="col" className="number">
                Cost
              </th>
              <th scope="col" className="number">
                First token
              </th>
              <th scope="col" className="number">
                <span title="From request to last byte; the bar is on a log scale from 10 ms to 2 minutes">
                  Duration
                </span>
              </th>
              <th scope="col">Status</th>
              <th scope="col" className="number">
                Tools
              </th>
              <th scope="col" className="number">
                Problems
              </th>
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <Row key={row.id} row={row} view={view} />
            ))}
          </tbody>
        </table>
      </ScrollBox>
    </RowKeys>
  );
}

function Row({ row, view }: { row: CallRow; view: View }) {
  const at = row.startedAt.getTime();
  const { day, second } = timeParts(at, view.zone);
  const { usageSource: source } = row;
  return (
    <tr data-testid={`row-${row.id}`}>
      <td>
        <NextLink
          href={hrefOf(`/calls/${row.id}`, view)}
          prefetch={false}
          className="inline-flex min-h-6 items-center gap-1.5 rounded-sm"
          title={formatMomentFully(at, view.zone)}
          data-row
        >
          <span className="text-muted">{day}</span> <span className="font-medium">{second}</span>
          {row.parentId !== null && <Child />}
        </NextLink>
      </td>
      <Name text={row.feature} />
      <Name text={row.customer} />
      <Name text={templateName(row)} />
      <ModelName row={row} />
      <td className="name !max-w-[104px]" title={endpointName(row.endpoint)}>
        {endpointName(row.endpoint)}
      </td>
      <td>
        <Modalities input={row.inputModalities} output={row.outputModalities} />
      </td>
      <td className="number">
        <Tokens count={row.inputTokens} source={source} low={row.inputTokensLow} high={row.inputTokensHigh} />
      </td>
      <td className="number">
        <Tokens count={row.cachedTokens} source={source} />
      </td>
      <td className="number">
        <Tokens count={row.outputTokens} source={source} low={row.outputTokensLow} high={row.outputTokensHigh} />
      </td>
      <td className="number">
        <Cost {...row} />
      </td>
      <td className={`number ${row.firstTokenMs === null ? "text-muted" : ""}`}>{formatDuration(row.firstTokenMs)}</td>
      <td className="number">
        <DurationBar ms={row.durationMs} />
      </td>
      <td title={row.errorCode ?? undefined}>
        <Status outcome={row.outcome} status={row.status} />
      </td>
      <td className="number">{row.toolCallCount || ""}</td>
      <td className="number">{row.problems.length > 0 && <ProblemCount codes={row.problems} />}</td>
    </tr>
  );
}

/** No exchange of its own. */
function Child() {
  return (
    <span className="text-muted" title="Came out of another exchange: a session, or the answers of a batch">
      <Glyph name="child" />
      <span className="sr-only">part of a session or batch</span>
    </span>
  );
}

function Name({ text }: { text: string | null }) {
  return text === null ? (
    <td className="text-muted">—</td>
  ) : (
    <td className="name" title={text}>
      {text}
    </td>
  );
}

const templateName = ({ template, templateVersion }: CallRow) =>
  template === null ? null : templateVersion === null ? template : `${template}@${templateVersion}`;

/** The model that answered; before an answer named one, the model that was asked for, in italics. */
function ModelName({ row: { model, requestModel } }: { row: CallRow }) {
  if (model === null && requestModel === null) return <Name text={null} />;
  if (model === null)
    return (
      <td className="name model text-muted italic" title={`Asked for ${requestModel}; no answer named a model`}>
        {requestModel}
      </td>
    );
  const title = requestModel !== null && requestModel !== model ? `${model}, asked for as ${requestModel}` : model;
  return (
    <td className="name model" title={title}>
      {model}
    </td>
  );
}

function ProblemCount({ codes }: { codes: readonly string[] }) {
  return (
    <span className="inline-flex items-center gap-1 text-warn" title={codes.join(", ")}>
      <Glyph name="warn" />
      <span aria-hidden="true">{codes.length}</span>
      <span className="sr-only">{plural(codes.length, "problem")}</span>
    </span>
  );
}
