// A program that uses Kinglet ends when it is done, and stays as small as it was.
import { describe, expect, it } from "vitest"
import { runProgram } from "./program.ts"

const IMPORTS = `
import { openDevice } from "./src/backends/index.ts"
import { generate } from "./src/generate/index.ts"
import { train } from "./src/train/index.ts"
import { smallRecipe, TEXTS } from "./test/laws/support.ts"
`
const TRAIN = `
const run = train(smallRecipe({ steps: 5 }), { device, data: TEXTS })
for await (const event of run) if (event.type === "step-end") console.log("step", event.step)
const { model } = await run.result
`
const GENERATE = `
let text = ""
for await (const piece of generate(model, "the", { maxTokens: 20 })) text += piece.text
console.log("text", text.length)
`
const said = ["step 1", "step 2", "step 3", "step 4", "step 5", "text 20", ""].join("\n")

describe("a program that trains, generates and closes nothing exits by itself", () => {
  it.each(["{ lanes: 2 }", "{ lanes: 1 }", "{ local: true }", '"reference"'])("openDevice(%s)", async (options) => {
    const source = `${IMPORTS}const device = await openDevice(${options})${TRAIN}${GENERATE}`
    expect(await runProgram(source, 60_000)).toEqual({ code: 0, stdout: said, stderr: "" })
  })

  it("even when it has lost interest in the middle of a run and of a text", async () => {
    const source = `${IMPORTS}
const device = await openDevice({ lanes: 2 })${TRAIN}
const stream = generate(model, "the", { maxTokens: 1000 })
await stream.next()
const other = train(smallRecipe(), { device, data: TEXTS })[Symbol.asyncIterator]()
await other.next()
await other.next()
console.log("text 20")`
    expect(await runProgram(source, 60_000)).toEqual({ code: 0, stdout: said, stderr: "" })
  })
})

/** Generations between two looks at the memory; the first ten make what is made once. */
const MEMORY = `${IMPORTS}
const device = await openDevice({ lanes: 2 })
const { model } = await train(smallRecipe({ steps: 5 }), { device, data: TEXTS }).result
async function generations(count) {
  for (let index = 0; index < count; index++)
    for await (const _ of generate(model, "the", { maxTokens: 8, seed: index, stop: ["\\n\\n"] }));
}
/** V8 gives optimized code and old pages back over several collections. */
async function usedBytes() {
  for (let round = 0; round < 5; round++) {
    globalThis.gc()
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  const { heapUsed, external, arrayBuffers } = process.memoryUsage()
  return heapUsed + external + arrayBuffers
}
await generations(10)
const afterTen = await usedBytes()
await generations(990)
console.log(JSON.stringify({ afterTen, afterThousand: await usedBytes() }))
`

/** Compiled code, counters and caches of V8; a leak of 1 kB a generation would be 1 MB. */
const ALLOWED_BYTES = 500_000

it("memory after 1,000 generations is what it was after ten", async () => {
  const { code, stdout, stderr } = await runProgram(MEMORY, 110_000, ["--expose-gc"])
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" })
  const { afterTen, afterThousand } = JSON.parse(stdout) as { afterTen: number; afterThousand: number }
  console.info(`${afterTen} bytes after ten generations, ${afterThousand - afterTen} more after 1,000`)
  expect(afterThousand - afterTen).toBeLessThan(ALLOWED_BYTES)
}, 120_000)

/** Workspaces come and go: a run's memory goes away whole. */
const RUNS = MEMORY.replace(
  /async function generations[\s\S]*?\n}\n/,
  `
async function generations(count) {
  for (let index = 0; index < count / 10; index++) {
    const { model } = await train(smallRecipe({ steps: 1 }), { device, data: TEXTS }).result
    await model.close()
  }
}
`,
)

it("memory after 100 runs is what it was after one", async () => {
  const { code, stdout, stderr } = await runProgram(RUNS, 110_000, ["--expose-gc"])
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" })
  const { afterTen, afterThousand } = JSON.parse(stdout) as { afterTen: number; afterThousand: number }
  console.info(`${afterTen} bytes after one run, ${afterThousand - afterTen} more after 100`)
  expect(afterThousand - afterTen).toBeLessThan(ALLOWED_BYTES)
}, 120_000)
