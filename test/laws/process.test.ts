// A program that uses Kinglet ends when it is done, and stays as small as it was.
import { describe, expect, it } from "vitest"
import { platform } from "#platform"
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
console.log(text.length > 0 ? "text" : "no text")
`
const said = ["step 1", "step 2", "step 3", "step 4", "step 5", "text", ""].join("\n")

describe("a program that trains, generates and closes nothing exits by itself", () => {
  const viaBlas = platform.findBlas().blas ? ['{ lanes: 2, blas: "always" }', '{ local: true, blas: "always" }'] : []
  it.each(["{ lanes: 2 }", "{ lanes: 1 }", "{ local: true }", '"reference"', ...viaBlas])(
    "openDevice(%s)",
    async (options) => {
      const source = `${IMPORTS}const device = await openDevice(${options})${TRAIN}${GENERATE}`
      expect(await runProgram(source, 60_000)).toEqual({ code: 0, stdout: said, stderr: "" })
    },
  )

  it("even when it has lost interest in the middle of a run and of a text", async () => {
    const source = `${IMPORTS}
const device = await openDevice({ lanes: 2 })${TRAIN}
const stream = generate(model, "the", { maxTokens: 1000 })
await stream.next()
const other = train(smallRecipe(), { device, data: TEXTS })[Symbol.asyncIterator]()
await other.next()
await other.next()
console.log("text")`
    expect(await runProgram(source, 60_000)).toEqual({ code: 0, stdout: said, stderr: "" })
  })
})

it("a program that waits for nothing but a compilation lives until it is done", async () => {
  const source = `
import { openDevice } from "./src/backends/index.ts"
import { input, matmul, program, tanh } from "./src/tensor/index.ts"
const device = await openDevice({ lanes: 2, allowV8Flags: true })
let y = input("x", [64, 64])
for (let i = 0; i < 30; i++) y = tanh(matmul(y, y))
const { run } = await device.createWorkspace().compile({ run: program({ outputs: { y } }) })
console.log((await run.run({ x: new Float32Array(4096) })).y.length)`
  // Node 24 ends with code 13 where only V8's own threads are at work.
  expect(await runProgram(source, 60_000)).toEqual({ code: 0, stdout: "4096\n", stderr: "" })
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

/** Memories of 20 MB that come and go beside one that stays, on lanes and on the calling thread. */
const WORKSPACES = `
import { openDevice } from "./src/backends/index.ts"
import { add, program, state } from "./src/tensor/index.ts"
const device = await openDevice(JSON.parse(process.env.OPTIONS))
async function open(size) {
  const [workspace, x] = [device.createWorkspace(), state("x", [size])]
  const { step } = await workspace.compile({ step: program({ updates: [{ state: x, value: add(x, 1) }] }) })
  return { workspace, x, step }
}
const stays = await open(7)
let steps = 0
async function comeAndGo(count) {
  for (let index = 0; index < count; index++) {
    const { workspace, x, step } = await open(5_000_000)
    await Promise.all([step.run(), stays.step.run()])
    steps++
    if (workspace.read(x)[4_999_999] !== 1 || stays.workspace.read(stays.x)[6] !== steps) throw new Error("a step was lost")
    workspace.close()
  }
  // Whatever the collector's mood: the law is that closed memories can be collected.
  for (let turn = 0; turn < 3; turn++) gc(), await new Promise((resolve) => setTimeout(resolve, 50))
  return process.memoryUsage.rss()
}
const before = await comeAndGo(12)
console.log(JSON.stringify({ before, after: await comeAndGo(40) }))
`

it.each(['{ "lanes": 2 }', '{ "local": true }'])(
  "closed workspaces give their memory back, openDevice(%s)",
  async (options) => {
    const source = WORKSPACES.replace("process.env.OPTIONS", JSON.stringify(options))
    const { code, stdout, stderr } = await runProgram(source, 60_000, ["--expose-gc"])
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" })
    const { before, after } = JSON.parse(stdout) as { before: number; after: number }
    console.info(
      `${Math.round(before / 1e6)} MB with 12 workspaces of 20 MB gone, ${Math.round(after / 1e6)} MB with 52`,
    )
    expect(after - before).toBeLessThan(200e6) // kept, they would be 800 MB
  },
)
