// The build: one entry a public door, the two sides of `#platform`, and the command line. Shared code lands in chunks.
// `#platform` is never bundled: package.json chooses its side when the package is imported, and so can a bundler.
import { existsSync } from "node:fs"
import { defineConfig } from "tsdown"
import { entries } from "./scripts/doors.mjs"

const found = Object.entries(entries).filter(([, source]) => existsSync(source))

export default defineConfig({
  entry: Object.fromEntries(found),
  format: "esm",
  platform: "neutral",
  target: "es2023",
  outDir: "dist",
  fixedExtension: false,
  hash: false,
  // Chunks in a folder of their own: one named `index` would take the root door's place.
  outputOptions: { chunkFileNames: "shared/[name].js" },
  clean: true,
  sourcemap: false,
  report: false,
  logLevel: "warn",
  deps: { neverBundle: ["#platform", /^node:/] },
  // Declarations name `AsyncDisposable`; the reference gives it to a consumer whose `lib` does not.
  dts: true,
  banner: { dts: '/// <reference lib="esnext.disposable" />' },
})
