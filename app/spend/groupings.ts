import type { CallFilter } from "#db/queries/call-filter.ts";
import { OTHER } from "#db/queries/call-filter.ts";
import type { SpendGroup, SpendGrouping } from "#db/queries/spend-page.ts";

interface Grouping {
  label: string;
  many: string;
  /** What a group of this kind is told apart by next. */
  next: SpendGrouping;
  /** Without a value nobody can be charged. */
  allocates: boolean;
}

export const GROUPINGS: Record<SpendGrouping, Grouping> = {
  feature: { label: "Feature", many: "features", next: "customer", allocates: true },
  customer: { label: "Customer", many: "customers", next: "feature", allocates: true },
  template: { label: "Template", many: "templates", next: "version", allocates: true },
  version: { label: "Version", many: "versions", next: "model", allocates: true },
  model: { label: "Model", many: "models", next: "feature", allocates: false },
  environment: { label: "Environment", many: "environments", next: "feature", allocates: false },
};

/** "search", "support@2", "none given" */
export function nameOfGroup(grouping: SpendGrouping, { name, version }: SpendGroup): string {
  if (name === "") return "none given";
  if (grouping !== "version" || name === OTHER) return name;
  return `${name}@${version || "none given"}`;
}

/** A view's filter narrowed to one group; null: what is folded into '(other)' cannot be filtered by. */
export function narrowed(
  filter: CallFilter,
  grouping: SpendGrouping,
  { name, version }: SpendGroup,
): CallFilter | null {
  if (name === OTHER || version === OTHER) return null;
  if (grouping === "version") return { ...filter, template: [name], templateVersion: [version] };
  return { ...filter, [grouping]: [name] };
}
