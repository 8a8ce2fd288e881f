/** Rows of one page of the list. */
export const PAGE_ROWS = 50;
