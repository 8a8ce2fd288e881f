/** Newest calls on the start page. */
export const LIVE_ROWS = 10;
