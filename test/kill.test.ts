// `kill -9` at any moment leaves a folder whose last checkpoint loads and resumes: one run is killed again and again, and must
// in the end stand where it would have stood without.
import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { build } from "esbuild"
import { afterAll, beforeAll, expect, it } from "vitest"
import { platform } from "#platform"
import { randomStream } from "../src/core/index.ts"
import { type Checkpoint, latestCheckpoint, type Recipe, readEvents, train } from "../src/train/index.ts"
import { device, TINY_TEXT, tinyRecipe } from "../src/train/testing.ts"

const KILLS = 20
const files = platform.files!
const repository = fileURLToPath(new URL("..", import.meta.url))
const root = mkdtempSync(join(tmpdir(), "kinglet-kill-"))
afterAll(() => rmSync(root, { recursive: true, force: true }))

/** Saves after every step, so that most moments lie within a checkpoint. */
const recipe: Recipe = tinyRecipe({
  steps: 100_000,
  checkpoint: { everySteps: 1 },
  evaluation: { everySteps: 3, maxTokens: 16 },
})

/** Trains or resumes in the folder it is told until it is killed, with a word for each step. */
const CHILD = `
import { platform } from "#platform"
import { inspectRun, resume, train } from "./src/train/index.ts"
import { device, TINY_TEXT } from "./src/train/testing.ts"
const [dir, recipe] = [process.argv[2], JSON.parse(process.argv[3])]
const run = (await inspectRun(platform.files, dir)) ? resume(dir, { device }) : train(recipe, { device, data: TINY_TEXT, dir })
for await (const event of run) if (event.type === "step-end") process.stdout.write(".")
`

const script = join(root, "child.mjs")
beforeAll(async () => {
  await build({
    stdin: { contents: CHILD, resolveDir: repository, loader: "ts" },
    bundle: true,
    platform: "node",
    format: "esm",
    outfile: script,
    logLevel: "error",
    alias: { "#platform": join(repository, "src/platform/node.ts") },
  })
})

function startChild(dir: string): { child: ChildProcess; said: () => string } {
  const child = spawn(process.execPath, [script, dir, JSON.stringify(recipe)], { stdio: ["ignore", "ignore", "pipe"] })
  let said = ""
  child.stderr!.on("data", (chunk: Uint8Array) => (said += String(chunk)))
  return { child, said: () => said }
}

/** Kills a child after `milliseconds`; it must not have ended by itself. */
async function runAndKill(dir: string, milliseconds: number): Promise<void> {
  const { child, said } = startChild(dir)
  const exit = once(child, "exit") as Promise<[number | null, string | null]>
  await Promise.race([exit, new Promise((resolve) => setTimeout(resolve, milliseconds))])
  child.kill("SIGKILL")
  const [code, signal] = await exit
  expect({ code, signal, said: said() }).toEqual({ code: null, signal: "SIGKILL", said: "" })
}

/** The parameters of a run that was never stopped before `step`. */
async function parametersAt(step: number): Promise<Checkpoint["parameters"]> {
  const run = train(recipe, { device, data: TINY_TEXT })
  for await (const event of run) if (event.type === "step-end" && event.step === step) break
  return (await run.result).parameters
}

it(`a run killed at ${KILLS} random moments loads each time, goes on, and ends as if it had never been killed`, async () => {
  const dir = join(root, "run")
  const random = randomStream(Date.now(), "kills")
  const reached: number[] = []
  for (let kill = 0; kill < KILLS; kill++) {
    await runAndKill(dir, 50 + random.below(1200)) // from before the first line to many steps in
    const latest = await latestCheckpoint(files, dir)
    expect(latest?.damaged ?? []).toEqual([])
    reached.push(latest?.checkpoint.state.step ?? 0)
  }
  expect(reached).toEqual(reached.toSorted((a, b) => a - b))
  expect(reached.at(-1)).toBeGreaterThan(5)
  const { checkpoint } = (await latestCheckpoint(files, dir))!
  expect(checkpoint.parameters).toEqual(await parametersAt(checkpoint.state.step))
  const steps = (await readEvents(files, join(dir, "events.jsonl"))).filter((event) => event.type === "step-end")
  expect(steps.length).toBeGreaterThan(0)
}, 180_000)
