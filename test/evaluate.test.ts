// kinglet evaluate as a stranger uses it: text, suites, generalization, the vanilla control; stored, told, or refused in two lines.
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { run } from "./support/cli.ts"

const folder = mkdtempSync(join(tmpdir(), "kinglet-evaluate-"))
const before = process.cwd()
const birds = ["wren", "kinglet", "finch", "robin", "sings", "over", "the", "small", "garden"]
const sentence = (line: number) =>
  Array.from({ length: 30 }, (_, word) => birds[(line * 7 + word * word * 3 + line * word) % birds.length]).join(" ")
const jsonl = Array.from(
  { length: 300 },
  (_, line) => `${JSON.stringify({ text: `${line} ${sentence(line)}` })}\n`,
).join("")
const TINY = ["hiddenSize=32", "numAttentionHeads=2", "numHiddenLayers=1", "batchSize=2", "sequenceLength=32"].flatMap(
  (setting) => ["--set", setting],
)
const quick = ["--threads", "1", "--blas", "off"]
const task = {
  kinglet: "task",
  version: 1,
  name: "birds",
  kind: "minimal-pairs",
  items: [
    { good: "the small wren sings", bad: "sings small wren the" },
    { good: "the robin sings", bad: "robin the sings" },
  ],
}

beforeAll(async () => {
  process.chdir(folder)
  writeFileSync("birds.jsonl", jsonl)
  writeFileSync("task.json", JSON.stringify(task))
  const { code, stderr } = await run([
    ...["train", "birds.jsonl", "--out", "runs/birds", "--steps", "8", "--no-baselines", "--quiet"],
    ...["--threads", "1", "--set", "tokenizer.kind=characters", ...TINY],
  ])
  if (code !== 0) throw new Error(stderr)
})
afterAll(() => {
  process.chdir(before)
  rmSync(folder, { recursive: true, force: true })
})

const stored = (kind: string) =>
  readdirSync(join("runs", "birds", "evaluations")).filter((name) => name.startsWith(kind))
const evaluate = (...options: string[]) => run(["evaluate", "runs/birds", ...quick, ...options])

describe("evaluate", () => {
  it("gives bits per byte with an interval over documents, and stores them", async () => {
    const { code, stdout, stderr } = await evaluate("--no-baselines")
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" })
    expect(stdout).toMatch(/\d\.\d{4} bits per byte[\s\S]*95 % interval \d\.\d+ to \d\.\d+, from \d+ documents/)
    expect(stored("text")).toHaveLength(1)
  })

  it("takes a stride and stores it apart", async () => {
    const { stdout } = await evaluate("--stride", "8", "--no-baselines")
    expect(stdout).toContain("windows of 64 tokens that move on by 8")
    expect(stored("text").some((name) => name.includes("-stride-8-"))).toBe(true)
    expect(stored("text")).toHaveLength(2)
  })

  it("examines by a task file", async () => {
    const { code, stdout } = await evaluate("--suite", "task.json", "--json")
    const { kind, result } = JSON.parse(stdout) as { kind: string; result: { items: number; baselines: unknown[] } }
    expect({ code, kind, items: result.items }).toEqual({ code: 0, kind: "suite", items: 2 })
    expect(result.baselines.length).toBeGreaterThan(1)
    expect(stored("suite")).toHaveLength(1)
  })

  it("says in one sentence whether the model generalizes", async () => {
    const { code, stdout } = await evaluate("--generalization", "--quick", "--quiet")
    expect(code).toBe(0)
    expect(stdout.trim().split("\n")).toHaveLength(1)
    expect(stdout).toMatch(/^It .*\.$/m)
  })

  it("puts the equal-FLOP control among the baselines, once it was trained", async () => {
    const trained = await run(["train", "--vanilla", "runs/birds", "--threads", "1", "--no-baselines", "--quiet"])
    expect(trained.code).toBe(0)
    const { stdout } = await evaluate()
    expect(stdout).toMatch(/birds-vanilla +\d\.\d+/)
    expect(stdout.replace(/\s+/g, " ")).toContain("as many as this model")
  })

  it("warns of a text that the model was trained on", async () => {
    const { stderr } = await evaluate("--data", "birds.jsonl", "--no-baselines")
    expect(stderr).toMatch(/warning: this model was trained on \d+ % of this text/)
  })

  it.skipIf(process.getuid?.() === 0)("tells what it found though it cannot store it", async () => {
    mkdirSync(join("runs", "birds", "evaluations"), { recursive: true })
    chmodSync(join("runs", "birds", "evaluations"), 0o500)
    const { code, stdout, stderr } = await evaluate("--no-baselines")
    chmodSync(join("runs", "birds", "evaluations"), 0o700)
    expect({ code, told: /bits per byte/.test(stdout) }).toEqual({ code: 0, told: true })
    expect(stderr).toMatch(/^not stored: /)
  })

  it("tells what it found though a file stands where the findings go", async () => {
    rmSync(join("runs", "birds", "evaluations"), { recursive: true })
    writeFileSync(join("runs", "birds", "evaluations"), "")
    const { code, stdout, stderr } = await evaluate("--no-baselines")
    rmSync(join("runs", "birds", "evaluations"))
    expect({ code, told: /bits per byte/.test(stdout) }).toEqual({ code: 0, told: true })
    expect(stderr).toMatch(/^not stored: /)
  })

  it("of the last checkpoint of a run that is not finished says so", async () => {
    const path = join("runs", "birds", "recipe.json")
    const recipe = readFileSync(path, "utf8")
    writeFileSync(path, recipe.replace(/"steps": 8/, '"steps": 80'))
    const { code, stderr } = await evaluate("--no-baselines")
    writeFileSync(path, recipe)
    expect(code).toBe(0)
    expect(stderr).toMatch(/runs\/birds is not finished: its last checkpoint is measured, step 8 of 80/)
  })
})

describe("wrong usage ends in two lines:", () => {
  it.each<[string, string[], RegExp, number]>([
    ["a suite that is nowhere", ["--suite", "blmp"], /cannot read the task blmp: no such file/, 1],
    ["a task with a missing field", ["--suite", "damaged.json"], /damaged\.json: item 2 has no field "bad"/, 1],
    ["a text shorter than a context", ["--data", "short.txt"], /shorter than one context: expected at least 65/, 1],
    ["a run that is not there", ["--against", "absent"], /there is no model at absent/, 1],
    ["an option that would do nothing", ["--quick"], /--quick is for --generalization/, 2],
    ["a text beside a suite", ["--suite", "task.json", "--data", "x"], /--data is for bits per byte/, 2],
    [
      "a stride beyond the context",
      ["--stride", "4096"],
      /the stride must be a whole number from 1 to the context of 64/,
      1,
    ],
  ])("%s", async (_, options, message, expected) => {
    writeFileSync("short.txt", "the wren")
    writeFileSync("damaged.json", JSON.stringify({ ...task, items: [task.items[0], { good: "the wren" }] }))
    const { code, stderr } = await evaluate(...options)
    expect(stderr).toMatch(message)
    expect(stderr).toMatch(/^error: .*\n {2}hint: .*\n$/)
    expect(code).toBe(expected)
  })
})
