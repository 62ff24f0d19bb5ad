import { describe, expect, it } from "vitest"
import { type Contestant, compareTwo, rank } from "../evaluate/index.ts"
import { comparisonJson, rankingJson, rankingLines, twoLines } from "./comparison-lines.ts"
import { matrixLines } from "./cross-domain-lines.ts"
import { colorsFor } from "./output.ts"
import { widthOf } from "./text.ts"

const text = { name: "the held-out part of a book", sha256: "ab", documents: 30, bytes: 30_000 }

/** Thirty documents of 1,000 bytes; every one costs a little more than the last. */
function contestant(name: string, more: number, changes: Partial<Contestant> = {}): Contestant {
  const documents = Array.from({ length: 30 }, (_, at) => {
    const nats = 1500 + 10 * at + more * (1 + (at % 3) / 10)
    const sha256 = String(at).padStart(16, "0").padEnd(64, "0")
    return { id: sha256, sha256, nats, tokens: 300, bytes: 1000, characters: 1000, blockNats: [nats] }
  })
  const nats = documents.reduce((sum, one) => sum + one.nats, 0)
  const sums = { nats, tokens: 9000, bytes: 30_000, characters: 30_000, seconds: 1, protocol: "windows" }
  const bits = nats / Math.LN2
  const ratios = {
    bitsPerByte: bits / 30_000,
    bitsPerCharacter: bits / 30_000,
    bitsPerToken: bits / 9000,
    natsPerToken: nats / 9000,
  }
  return { name, parameters: 300_000, bytes: 1_200_000, result: { ...sums, ...ratios, documents }, ...changes }
}

const small = contestant("a-run-with-quite-a-long-name", 60, { seed: 1, group: "g", trainingFlops: 4e11 })
const twin = contestant("another-run-with-a-long-name", 61, { seed: 2, group: "g", trainingFlops: 4e11 })
const costs = { trainingSeconds: 5593, tokensPerSecond: 46_400, memoryBytes: 34_100_000, contextLength: 1024 }
const large = contestant("large", 0, { parameters: 3_000_000, bytes: 12_000_000, trainingFlops: 5.11e12, ...costs })
const dear = { ...small, ...costs, parameters: 3_000_001, trainingFlops: 4.15e12 }

const look = (width: number) => ({ width, colors: colorsFor(false) })

describe("at any width", () => {
  const matrix = {
    rows: [
      { name: "english", sha256: "a", own: 0 },
      { name: "french", sha256: "b", own: 1 },
    ],
    columns: [
      { ...text, name: "english" },
      { ...text, name: "french" },
    ],
    cells: [
      [{ bitsPerByte: 2.1 }, { unreadable: "the character é is not in the vocabulary" }],
      [{ bitsPerByte: 3.1, note: "trained on 1 document of this text" }, { bitsPerByte: 2.2 }],
    ],
  }
  it.each([50, 80, 120])("no line is wider than %i cells", (width) => {
    const lines = [
      ...twoLines(compareTwo(small, large), text, look(width)),
      ...twoLines(compareTwo(dear, large), text, look(width)),
      ...twoLines(compareTwo(large, small), text, look(width)),
      ...rankingLines(rank([small, twin, large]), text, look(width)),
      ...matrixLines(matrix, look(width)),
    ]
    for (const line of lines) expect(widthOf(line)).toBeLessThanOrEqual(width)
  })

  it("a matrix marks the best of a column, the model's own text, and says what cannot be read and why", () => {
    const shown = matrixLines(matrix, look(80)).join("\n")
    expect(shown).toMatch(/english +2\.100 ✓° +cannot read/)
    expect(shown).toMatch(/french +3\.100 {2}! +2\.200 ✓°/)
    expect(shown).toContain("english cannot read french: the character é")
  })
})

describe("two models", () => {
  it("have their winners marked by a sign, not by color only", () => {
    const lines = twoLines(compareTwo(small, large), text, look(80))
    const row = (name: string) => lines.find((line) => line.trimStart().startsWith(name))!
    expect(row("bits per byte")).toMatch(/2\.\d+ +2\.\d+ ✓$/)
    expect(row("parameters")).toMatch(/300k ✓ +3M$/)
    expect(row("training memory")).toMatch(/\? +34\.1 MB$/)
  })

  it("are plain numbers in JSON, with null for what is not known, and no scores by document", () => {
    const json = JSON.parse(JSON.stringify(comparisonJson(compareTwo(small, large)))) as ReturnType<
      typeof comparisonJson
    >
    expect(json.difference).toBeGreaterThan(0)
    expect(json.interval!.low).toBeLessThan(json.interval!.high)
    expect(json.axes.find(({ key }) => key === "memoryBytes")).toMatchObject({
      a: null,
      b: 34_100_000,
      winner: "neither",
    })
    expect(json.a.result.documents).toBe(30)
  })
})

describe("a ranking", () => {
  const ranking = rank([small, twin, large])

  it("shows small letters in the plot for what is not on the front, and seeds as a group", () => {
    const lines = rankingLines(ranking, text, look(80))
    expect(lines.join(" ").replace(/\s+/g, " ")).toMatch(/differ in their seed only \(1 and 2\): mean/)
    const plot = lines.filter((line) => line.includes("│")).join("")
    expect(plot).toContain("A")
    expect(plot).toContain("B")
    expect(plot).toContain("c")
  })

  it("in JSON has the front's axes of each", () => {
    expect(rankingJson(ranking).ranked.map(({ fronts }) => fronts)).toEqual([
      ["parameters", "bytes", "trainingFlops"],
      ["parameters", "bytes", "trainingFlops"],
      [],
    ])
  })
})
