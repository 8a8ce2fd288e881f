import type { NextConfig } from "next";

const config: NextConfig = {
  // One copy of the driver, with real stack traces.
  serverExternalPackages: ["postgres"],
  poweredByHeader: false,
  // `next dev` would otherwise write files of its own into the project.
  agentRules: false,
  // `npm test` checks types. Somebody's unfinished file must not keep everybody's `npm start` from building.
  typescript: { ignoreBuildErrors: true },
  turbopack: {
    // The data folder is named by a setting: the bundler cannot know it, and nothing of it belongs into the build.
    ignoreIssue: [{ path: "**/lib/config.ts", description: /traced/ }],
  },
};

export default config;
