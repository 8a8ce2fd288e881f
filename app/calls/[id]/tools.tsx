import type { Said } from "#app/_data/content.ts";
import { formatBytes } from "#app/_ui/format.ts";
import { ScrollBox } from "#app/_ui/scroll-box.tsx";
import type { ToolRow } from "#db/queries/call-page.ts";

/** The tools that the model called. */
export function Tools({ tools, said }: { tools: readonly ToolRow[]; said: Said }) {
  return (
    <>
      <ScrollBox name="Tool calls">
        <table className="figures">
          <thead>
            <tr>
              <th scope="col">Tool</th>
              <th scope="col">Type</th>
              <th scope="col">Arguments</th>
              <th scope="col">Choice</th>
              <th scope="col">Id</th>
            </tr>
          </thead>
          <tbody>
            {tools.map((tool) => (
              <tr key={tool.index}>
                <th scope="row" className="font-mono">
                  {tool.name}
                </th>
                <td>{tool.type}</td>
                <td>{formatBytes(tool.argumentBytes)}</td>
                <td>{tool.choice + 1}</td>
                <td className="font-mono text-xs">{tool.toolCallId ?? "—"}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </ScrollBox>
      <p className="mt-2 text-muted">
        {"why" in said
          ? "Their arguments are content, which is not here."
          : "Their arguments stand in the output above."}
      </p>
    </>
  );
}
