/** Who speaks on the dashboard: until people sign in, all of them together. */
export const DASHBOARD_RATER = "dashboard";
