import { formatCount } from "#app/_ui/format.ts";
import { type CallFilter, OTHER } from "#db/queries/call-filter.ts";
import type { TemplateRow } from "#db/queries/templates-page.ts";

export interface RowName {
  text: string;
  /** Given by somebody, or first words of instructions, or our own words for what has neither. */
  kind: "declared" | "words" | "ours";
  /** The calls of the row and no others; null: no filter can say them. */
  filter: CallFilter | null;
}

/** What a row is called, and which calls it stands for. */
export function nameOf({ template, unitHash }: TemplateRow, words: ReadonlyMap<string, string>): RowName {
  if (template === OTHER) return { text: "templates that were too many to keep apart", kind: "ours", filter: null };
  if (template !== "") return { text: template, kind: "declared", filter: { template: [template] } };
  if (unitHash === OTHER) return { text: "instructions that were too many to keep apart", kind: "ours", filter: null };
  if (unitHash === "") return { text: "no instructions", kind: "ours", filter: { template: [""], unitHash: [""] } };
  const filter = { unitHash: [unitHash] };
  const said = words.get(unitHash);
  return said
    ? { text: said, kind: "words", filter }
    : { text: `instructions ${unitHash.slice(0, 4)}… (words not kept)`, kind: "ours", filter };
}

export function nameOfVersion({ template, version, members }: TemplateRow): RowName {
  if (members > 1) return { text: `${formatCount(members)} more versions`, kind: "ours", filter: null };
  const filter = { template: [template], templateVersion: [version] };
  if (version === OTHER) return { text: "versions that were too many to keep apart", kind: "ours", filter: null };
  return version === ""
    ? { text: "no version given", kind: "ours", filter }
    : { text: `${template}@${version}`, kind: "declared", filter };
}
