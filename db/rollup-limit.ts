/** Values of one dimension kept apart in a bucket by one writer; the rest is '(other)'. */
const DISTINCT_VALUES_MAX = 500;
export const OTHER = "(other)";

/**
 * SQL: which values of a dimension have a name of their own in the bucket of `p` (a row with project_id, bucket, writer).
 * Values already seen in the bucket keep theirs; new ones of `summed` get one while there is room.
 */
export const keptValues = (rollup: string, dimension: string): string => `
  array(
    select value from (
      select ${dimension} as value, 0 as rank from ${rollup}
      where (project_id, bucket, writer) = (p.project_id, p.bucket, p.writer) and ${dimension} <> '${OTHER}'
      union all
      select ${dimension}, 1 from summed where (project_id, bucket, writer) = (p.project_id, p.bucket, p.writer)
    ) seen
    group by value order by min(rank), value limit ${DISTINCT_VALUES_MAX}
  )`;
