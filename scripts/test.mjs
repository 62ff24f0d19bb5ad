// `npm test`: sets up what is missing, then every gate in turn; each says its name, time and outcome, and what it found
// when it fails. The last line counts tests and gates together.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { join } from "node:path"
import { build, checkEngine, ensureInstalled, root, runNpm, runProgram } from "./setup.mjs"

checkEngine()
ensureInstalled()

const tool = (...path) => join(root, "node_modules", ...path)
const runTool = (path, args, options = { capture: true }) =>
  runProgram(process.execPath, [tool(...path.split("/")), ...args], options)
const tarballFolder = join(root, ".cache", "pack")

/** The package as it would be published, made once for the gates that look into it. */
function packOnce() {
  rmSync(tarballFolder, { recursive: true, force: true })
  mkdirSync(tarballFolder, { recursive: true })
  return runNpm(["pack", "--ignore-scripts", "--loglevel=error", `--pack-destination=${tarballFolder}`], {
    capture: true,
  })
}
const tarball = () => join(tarballFolder, readdirSync(tarballFolder)[0] ?? "missing")

const gates = {
  lint: () => runTool("oxlint/bin/oxlint", ["--type-aware", "--deny-warnings"]),
  format: () => runTool("@biomejs/biome/bin/biome", ["check", "--colors=off"]),
  types: () => runTool("typescript/bin/tsc", ["-p", "."]),
  "types of the rooms, without Node": () => runTool("typescript/bin/tsc", ["-p", "tsconfig.rooms.json"]),
  build: () => ({ status: build(), output: "" }),
  "api.md is current": () =>
    runProgram(process.execPath, [join(root, "scripts", "api.mjs"), "--check"], { capture: true }),
  pack: packOnce,
  publint: () => runTool("publint/src/cli.js", [tarball(), "--strict"]),
  attw: () => runTool("@arethetypeswrong/cli/dist/index.js", [tarball(), "--profile=esm-only", "--no-color"]),
  knip: () => runTool("knip/bin/knip.js", ["--no-progress"]),
}

const totals = { passed: 0, failed: 0, skipped: 0 }

function report(name, passed, start, output) {
  if (!passed) console.log(output.trimEnd())
  console.log(`${passed ? "ok  " : "FAIL"} ${name} (${((performance.now() - start) / 1000).toFixed(1)} s)`)
  totals[passed ? "passed" : "failed"] += 1
}

for (const [name, gate] of Object.entries(gates)) {
  const start = performance.now()
  const { status, output } = gate()
  report(name, status === 0, start, output)
}

/** vitest prints its own report; its counts are read from the file it leaves. */
function runTests() {
  const start = performance.now()
  const summary = join(root, ".cache", "tests.json")
  rmSync(summary, { force: true })
  const { status } = runTool("vitest/vitest.mjs", ["run", ...process.argv.slice(2)], {
    env: { KINGLET_TEST_SUMMARY: summary },
  })
  const seconds = ((performance.now() - start) / 1000).toFixed(1)
  console.log(`${status === 0 ? "ok  " : "FAIL"} tests (${seconds} s)`)
  const counts = existsSync(summary) ? JSON.parse(readFileSync(summary, "utf8")) : undefined
  const brokenFiles = counts?.testResults.filter(
    (file) => file.status === "failed" && file.assertionResults.length === 0,
  )
  const failed = (counts?.numFailedTests ?? 0) + (brokenFiles?.length ?? 0)
  totals.passed += counts?.numPassedTests ?? 0
  totals.failed += status === 0 ? failed : Math.max(failed, 1)
  totals.skipped += (counts?.numPendingTests ?? 0) + (counts?.numTodoTests ?? 0)
}

runTests()
const skipped = totals.skipped === 0 ? "" : `, ${totals.skipped} skipped`
console.log(`${totals.passed} passed, ${totals.failed} failed${skipped}`)
process.exitCode = totals.failed === 0 ? 0 : 1
