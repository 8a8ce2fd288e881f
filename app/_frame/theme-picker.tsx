"use client";

import { useEffect, useState } from "react";
import { Popover } from "#app/_ui/popover.tsx";
import { readCookie, writeCookie } from "./cookie.ts";
import { KEYS_COOKIE, THEME_COOKIE, THEMES, type Theme, toTheme } from "./preferences.ts";

const NAMES: Record<Theme, string> = { system: "Like the system", light: "Light", dark: "Dark" };

/** Theme and keyboard shortcuts: what a person prefers, on any page. */
export function ThemePicker() {
  const [theme, setTheme] = useState<Theme>("system");
  const [keys, setKeys] = useState(true);
  useEffect(() => {
    setTheme(toTheme(readCookie(THEME_COOKIE)));
    setKeys(readCookie(KEYS_COOKIE) !== "off");
  }, []);

  const choose = (next: Theme) => {
    setTheme(next);
    document.documentElement.dataset.theme = next;
    writeCookie(THEME_COOKIE, next);
  };
  const switchKeys = (on: boolean) => {
    setKeys(on);
    writeCookie(KEYS_COOKIE, on ? "on" : "off");
  };
  return (
    <Popover label="View" name="View: theme and keyboard" testId="view-menu" align="right">
      <div className="w-56">
        <fieldset>
          <legend className="px-2 py-1 text-xs text-muted">Theme</legend>
          {THEMES.map((one) => (
            <label key={one} className="menu-item cursor-pointer">
              <input type="radio" name="theme" value={one} checked={theme === one} onChange={() => choose(one)} />
              {NAMES[one]}
            </label>
          ))}
        </fieldset>
        <fieldset className="mt-2 border-t border-rule pt-2">
          <legend className="sr-only">Keyboard</legend>
          <label className="menu-item cursor-pointer">
            <input type="checkbox" checked={keys} onChange={(event) => switchKeys(event.target.checked)} />
            <span>
              <kbd className="font-mono">J</kbd> <kbd className="font-mono">K</kbd> move through rows
            </span>
          </label>
        </fieldset>
      </div>
    </Popover>
  );
}
