// Models compared and reported from the command line: what is measured once is stored, and what is not fair is said.
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { run } from "./support/cli.ts"

const folder = mkdtempSync(join(tmpdir(), "kinglet-compare-"))
const before = process.cwd()
const birds = ["wren", "kinglet", "finch", "robin", "sings", "over", "the", "small", "garden"]
const sentence = (line: number, words: readonly string[]) =>
  Array.from({ length: 9 }, (_, word) => words[(line * 7 + word * word * 3) % words.length]).join(" ")
/** Sixty documents; the second text has letters the first lacks. */
const jsonl = (words: readonly string[]) =>
  Array.from(
    { length: 60 },
    (_, line) => `${JSON.stringify({ id: `d${line}`, text: `${line} ${sentence(line, words)}` })}\n`,
  ).join("")
const TINY = ["hiddenSize=32", "numAttentionHeads=2", "numHiddenLayers=1", "batchSize=2", "sequenceLength=16"].flatMap(
  (setting) => ["--set", setting],
)
const train = (text: string, out: string, steps: number) =>
  run([
    ...["train", text, "--out", out, "--steps", String(steps), "--threads", "1", "--no-baselines", "--quiet"],
    ...["--set", "tokenizer.kind=characters", ...TINY],
  ])
const quick = ["--threads", "1", "--blas", "off"]

beforeAll(async () => {
  process.chdir(folder)
  writeFileSync("birds.jsonl", jsonl(birds))
  writeFileSync("fish.jsonl", jsonl(["ÉCREVISSE", ...birds.slice(1)]))
  for (const [text, out, steps] of [
    ["birds.jsonl", "runs/a", 30],
    ["birds.jsonl", "runs/b", 3],
    ["fish.jsonl", "runs/fish", 3],
  ] as const) {
    const { code, stderr } = await train(text, out, steps)
    if (code !== 0) throw new Error(stderr)
  }
})
afterAll(() => {
  process.chdir(before)
  rmSync(folder, { recursive: true, force: true })
})

describe("compare", () => {
  it("of two runs says who predicts what both held out better, and stores what it measured", async () => {
    const { code, stdout, stderr } = await run(["compare", "runs/a", "runs/b", ...quick])
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" })
    expect(stdout.replace(/\s+/g, " ")).toMatch(/a has \d\.\d+ bits per byte less than b|a predicts this text better/)
    expect(stdout).toMatch(/parameters +\S+ +\S+/)
    expect(readdirSync(join("runs", "b", "evaluations"))).toEqual([
      expect.stringMatching(/^text-[0-9a-f]{8}-step-3-the-held-out-part-of-birds\.json$/),
    ])
  })

  it("again reads what is stored: the same numbers and times to the last digit", async () => {
    const [first, second] = [
      await run(["compare", "runs/a", "runs/b", "--json", ...quick]),
      await run(["compare", "runs/a", "runs/b", "--json", ...quick]),
    ]
    expect(second.stdout).toBe(first.stdout)
    const { a, b, difference } = JSON.parse(first.stdout) as {
      a: { result: { bitsPerByte: number } }
      b: { result: { bitsPerByte: number } }
      difference: number
    }
    expect(difference).toBeCloseTo(a.result.bitsPerByte - b.result.bitsPerByte, 10)
  })

  it("of a run and its own stored findings finds no difference", async () => {
    const folder = join("runs", "a", "evaluations")
    const stored = join(folder, readdirSync(folder).find((name) => name.startsWith("text-"))!)
    const { code, stdout } = await run(["compare", "runs/a", stored, "--json", ...quick])
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({ difference: 0, b: { name: "a (stored)" } })
  })

  it("of runs that held out different texts asks for one, in two lines", async () => {
    const { code, stderr } = await run(["compare", "runs/a", "runs/fish", ...quick])
    expect(code).toBe(1)
    expect(stderr).toMatch(/^error: these runs held out different texts: .*\n {2}hint: .*--data.*\n$/)
  })

  it("on a text that one was trained on warns", async () => {
    const { code, stderr } = await run(["compare", "runs/a", "runs/b", "--data", "birds.jsonl", ...quick])
    expect(code).toBe(0)
    expect(stderr).toMatch(/warning: a was trained on \d+ % of this text: its bits per byte are too good/)
  })

  it("of a run with another's tokenizer says so, in two lines", async () => {
    cpSync(join("runs", "a"), "strange", { recursive: true })
    cpSync(join("runs", "fish", "tokenizer.json"), join("strange", "tokenizer.json"))
    const { code, stderr } = await run(["compare", "strange", "runs/b", ...quick])
    expect(code).toBe(1)
    expect(stderr).toMatch(
      /^error: .*is not the tokenizer of this model: expected \d+ tokens, got \d+\n {2}hint: .*\n$/,
    )
  })

  it.each<[string, string[], RegExp, number]>([
    ["one model", ["runs/a"], /compare needs two models/, 2],
    ["what is no run", ["runs/a", "absent"], /there is no model at absent/, 1],
    ["a text that is not there", ["runs/a", "runs/b", "--data", "absent.txt"], /absent\.txt/, 1],
    ["damaged findings", ["runs/a", "damaged.json"], /damaged\.json is damaged: kind must be/, 1],
    ["a matrix of one", ["runs/a", "--matrix"], /--matrix needs two runs/, 2],
  ])("of %s ends in two lines", async (_, argv, message, expected) => {
    writeFileSync("damaged.json", "{}")
    const { code, stderr } = await run(["compare", ...argv])
    expect(stderr).toMatch(message)
    expect(stderr).toMatch(/^error: .*\n {2}hint: .*\n$/)
    expect(code).toBe(expected)
  })
})

describe("the cross-domain matrix", () => {
  it("has a number where a model can read a text, the reason where it cannot, and is stored for the report", async () => {
    const { code, stdout } = await run(["compare", "--matrix", "runs/a", "runs/fish", "--json", ...quick])
    expect(code).toBe(0)
    const { matrix, stored } = JSON.parse(stdout) as {
      matrix: { cells: { bitsPerByte?: number; unreadable?: string }[][] }
      stored: string[]
    }
    expect(matrix.cells[0]![0]!.bitsPerByte).toBeGreaterThan(0)
    expect(matrix.cells[0]![1]!.unreadable).toMatch(/is not in the vocabulary/)
    expect(stored).toEqual(
      ["a", "fish"].map((name) => expect.stringContaining(join("runs", name, "evaluations", "cross-domain-"))),
    )
  })
})

describe("report", () => {
  it("writes one page into the first run and says where it is", async () => {
    const { code, stdout } = await run(["report", "runs/a", "runs/b", ...quick])
    expect(code).toBe(0)
    expect(stdout).toContain(join("runs", "a", "report.html"))
    const page = readFileSync(join("runs", "a", "report.html"), "utf8")
    expect(page).toMatch(/^<!doctype html>/i)
    expect(page).toContain("bits per byte")
  })

  it("--json gives the facts, with the matrix that was stored", async () => {
    const { stdout } = await run(["report", "runs/a", "--json", "--out", "page.html", ...quick])
    expect(JSON.parse(stdout)).toMatchObject({
      version: 1,
      out: "page.html",
      runs: [{ name: "a", seed: 1, result: { documents: 7 } }],
      crossDomain: { rows: [{ name: "a" }, { name: "fish" }], columns: ["a", "fish"] },
    })
  })

  it("of an unfinished run tells which step it is of", async () => {
    const recipe = join("runs", "b", "recipe.json")
    writeFileSync(recipe, readFileSync(recipe, "utf8").replace('"steps": 3', '"steps": 9'))
    const { code, stdout, stderr } = await run(["report", "runs/b", "--json", "--out", "page.html", ...quick])
    expect(code).toBe(0)
    const note = "runs/b is not finished: its last checkpoint is measured, step 3 of 9"
    expect(stderr).toBe(`${note}\n`)
    expect(JSON.parse(stdout)).toMatchObject({ notes: [note] })
  })

  it("of a file ends in two lines", async () => {
    const { code, stderr } = await run(["report", join("runs", "a", "checkpoints")])
    expect(code).toBe(1)
    expect(stderr).toMatch(/^error: .*\n {2}hint: .*\n$/)
  })
})
