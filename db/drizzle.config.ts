import { defineConfig } from "drizzle-kit";

export default defineConfig({
  dialect: "postgresql",
  schema: [
    "./db/schema.ts",
    "./db/schema-rollups.ts",
    "./db/schema-alerts.ts",
    "./db/schema-spool.ts",
    "./db/schema-sessions.ts",
    "./db/schema-prices.ts",
  ],
  out: "./drizzle",
  casing: "snake_case",
});
