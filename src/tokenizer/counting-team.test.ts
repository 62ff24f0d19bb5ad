// The worker's module is bundled here as the build does it, so that the sources count on real workers.
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { pathToFileURL } from "node:url"
import { build } from "esbuild"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { DeviceError } from "../core/index.ts"
import { CountingTeam } from "./counting-team.ts"
import type { WordList } from "./word-counts.ts"

const folder = mkdtempSync(join(tmpdir(), "kinglet-counting-"))
const outfile = join(folder, "counting-worker.mjs")
const workerUrl = pathToFileURL(outfile).href
beforeAll(() =>
  build({
    entryPoints: [join(import.meta.dirname, "counting-worker.ts")],
    outfile,
    bundle: true,
    format: "esm",
    logLevel: "error",
  }),
)
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** A module that a worker imports, as its source. */
const moduleUrl = (source: string): string => `data:text/javascript,${encodeURIComponent(source)}`

const BATCHES = Array.from({ length: 60 }, (_, i) => [`the cat ${i % 7} sat; it's — ça va`, "漢字 ".repeat(i)])

/** Words with their counts, sorted. */
function sorted({ bytes, starts, counts }: WordList): (readonly [string, number])[] {
  const word = (i: number) => new TextDecoder().decode(bytes.subarray(starts[i], starts[i + 1]))
  return counts.map((count, i) => [word(i), count] as const).sort(([a], [b]) => (a < b ? -1 : 1))
}

/** A team that has all its threads. */
async function fullTeam(threads: number, url = workerUrl): Promise<CountingTeam> {
  const team = new CountingTeam({ threads, workerUrl: url })
  const deadline = performance.now() + 30_000
  while (team.threads < threads && performance.now() < deadline) await team.count([], true)
  return team
}

async function countWith(threads: number) {
  const team = await fullTeam(threads)
  for (const batch of BATCHES) await team.count(batch, true)
  const words = sorted(await team.words())
  await team.close()
  return { threads: team.threads, words }
}

describe("counting words", () => {
  it.each([2, 3])("on %i threads gives the counts of one", async (threads) => {
    const { words } = await countWith(1)
    expect(words.find(([word]) => word === "the")).toEqual(["the", 60])
    expect(await countWith(threads)).toEqual({ threads, words })
  })

  it.each([
    ["is missing", pathToFileURL(join(folder, "nowhere.js")).href],
    ["does not load", moduleUrl("throw new Error('no')")],
    ["ends before it listens", moduleUrl("process.exit(1)")],
  ])("is done by the calling thread alone where the worker's module %s", async (_, url) => {
    const { words } = await countWith(1)
    const team = new CountingTeam({ threads: 3, workerUrl: url })
    for (const batch of BATCHES) await team.count(batch, true)
    await new Promise((resolve) => setTimeout(resolve, 200)) // the news of the failure may come now
    expect(team.threads).toBe(1)
    expect(sorted(await team.words())).toEqual(words)
    await team.close()
  })

  it("fails, and does not lose words in silence, when a worker dies with its counts", async () => {
    const dies = "globalThis.onmessage = ({ data }) => { if (data.texts.length > 0) throw new RangeError('full') }"
    const team = await fullTeam(2, moduleUrl(`${dies}; postMessage({ kind: "ready" })`))
    expect(team.threads).toBe(2)
    await team.count(["the cat"], true)
    const failure = team.words()
    await expect(failure).rejects.toThrow(DeviceError)
    await expect(failure).rejects.toThrow(/full/)
    await team.close()
  })
})
