import { AxeBuilder } from "@axe-core/playwright";
import OpenAI from "openai";
import { expect, type Page } from "playwright/test";
import { type TestDatabase, testDatabase } from "#tests/support/postgres.ts";
import { type Running, run } from "#tests/support/process.ts";
import { type System, startSystem } from "#tests/support/system.ts";

/** Everything a user has in front of them: proxy, recorder, store and dashboard as real processes, the upstream played. */
export interface Dashboard {
  readonly url: string;
  readonly system: System;
  readonly database: TestDatabase;
  /** The unmodified client, its base URL pointed at the proxy. */
  readonly openai: OpenAI;
  stop(): Promise<void>;
}

/** `env`: settings of all parts. */
export async function startDashboard(env: Record<string, string> = {}): Promise<Dashboard> {
  const database = await testDatabase();
  const system = await startSystem({ database, env });
  const dashboard: Running = await run("lib/dashboard.ts", {
    ...env,
    DATABASE_URL: database.url,
    OMNIMETER_DATA_DIR: system.dataDir,
    OMNIMETER_DASHBOARD_PORT: "0",
    OMNIMETER_PROXY_PORT: new URL(system.proxyUrl).port,
  });
  return {
    url: `http://127.0.0.1:${dashboard.port}`,
    system,
    database,
    openai: new OpenAI({ baseURL: `${system.proxyUrl}/v1`, apiKey: "sk-test-not-a-key", maxRetries: 0 }),
    async stop() {
      await dashboard.stop();
      await system.stop();
      await database.drop();
    },
  };
}

/** No violation of WCAG A or AA that axe can see, in the theme asked for. */
export async function expectAccessible(page: Page, scheme: "light" | "dark"): Promise<void> {
  await page.emulateMedia({ colorScheme: scheme });
  await page.waitForTimeout(100);
  const { violations } = await new AxeBuilder({ page })
    .withTags(["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"])
    .analyze();
  expect(violations.map(({ id, nodes }) => `${scheme} ${id}: ${nodes.map((node) => node.target).join(", ")}`)).toEqual(
    [],
  );
}
