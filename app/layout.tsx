import type { Metadata, Viewport } from "next";
import { cookies } from "next/headers";
import type { ReactNode } from "react";
import { THEME_COOKIE, toTheme } from "./_frame/preferences.ts";
import "./globals.css";

export const metadata: Metadata = {
  title: { default: "Omnimeter", template: "%s · Omnimeter" },
  description: "Flight recorder and cost ledger for OpenAI traffic",
};

export const viewport: Viewport = { colorScheme: "light dark" };

/** The theme comes from a cookie, so that the first byte already has the right one. */
export default async function Layout({ children }: { children: ReactNode }) {
  const theme = toTheme((await cookies()).get(THEME_COOKIE)?.value);
  return (
    <html lang="en" data-theme={theme}>
      <body className="min-h-dvh antialiased">{children}</body>
    </html>
  );
}
