/** What a browser remembers: in cookies, so that the server renders it right the first time. */
export const THEME_COOKIE = "omnimeter-theme";
export const ZONE_COOKIE = "omnimeter-zone";
export const KEYS_COOKIE = "omnimeter-keys";

export const THEMES = ["system", "light", "dark"] as const;
export type Theme = (typeof THEMES)[number];

export const toTheme = (text: string | undefined): Theme => THEMES.find((theme) => theme === text) ?? "system";
