/** Where the forms of the Health section go. */
export const HEALTH_PATH = "/settings/health";
