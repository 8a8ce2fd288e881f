/** Where the forms of rules go. */
export const RULES_PATH = "/settings/alerts";
