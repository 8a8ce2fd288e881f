/** Something to take out of a text. */
export interface Span {
  start: number;
  end: number;
  /** What stands in its place, in brackets: `card`, `secret:openai_key`. */
  label: string;
}
