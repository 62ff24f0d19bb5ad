import { fileURLToPath } from "node:url"
import { defineConfig } from "vitest/config"

const source = (path: string) => fileURLToPath(new URL(`./src/${path}`, import.meta.url))

export default defineConfig({
  resolve: {
    alias: [
      { find: "#platform", replacement: source("platform/node.ts") },
      { find: /^kinglet$/, replacement: source("index.ts") },
      { find: /^kinglet\/([a-z]+)$/, replacement: source("$1/index.ts") },
    ],
  },
  test: {
    include: ["src/**/*.test.ts", "test/**/*.test.ts", "examples/**/*.test.ts", "bench/**/*.test.ts"],
    pool: "forks",
    testTimeout: 60_000,
    hookTimeout: 120_000,
    reporters: process.env["KINGLET_TEST_SUMMARY"]
      ? ["default", ["json", { outputFile: process.env["KINGLET_TEST_SUMMARY"] }]]
      : ["default"],
  },
})
