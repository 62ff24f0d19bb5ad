// Laws of the unigram and bigram count models, on hand-sized cases and on the known figures of names.txt.
import { existsSync, readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { describe, expect, it } from "vitest"
import { ConfigError, DataError } from "../../core/index.ts"
import { bigramCounts } from "./bigram.ts"
import { trainUnigram } from "./unigram.ts"

const DATA = process.env["KINGLET_DATA"] ?? fileURLToPath(new URL("../../../../shared/data", import.meta.url))
const NAMES = `${DATA}/names.txt`
const missing = !existsSync(NAMES)
if (missing) console.warn(`skipped: no ${NAMES}`)

describe("trainUnigram", () => {
  it("adds one to every count", () => {
    const model = trainUnigram([0, 0, 1], 3)
    expect([...model.logProbabilities].map(Math.exp)).toEqual([3 / 6, 2 / 6, 1 / 6].map((p) => expect.closeTo(p, 12)))
    expect(model.scoreNats([2, 0])).toBeCloseTo(-Math.log(1 / 6) - Math.log(1 / 2), 12)
  })

  it("refuses ids outside the vocabulary, also while scoring", () => {
    expect(() => trainUnigram([3], 3)).toThrow(DataError)
    expect(() => trainUnigram([0], 3).scoreNats([-1])).toThrow(DataError)
  })
})

describe("bigramCounts", () => {
  it("is the relative frequency, and finite everywhere with one added", () => {
    const plain = bigramCounts([0, 1, 0, 1, 0, 0], 2, { addOne: false })
    expect(plain.numBigrams).toBe(5)
    expect([plain.probability(0, 1), plain.probability(1, 1)]).toEqual([2 / 3, 0])
    const smooth = bigramCounts([0, 1, 0, 1, 0, 0], 2, { addOne: true })
    expect([smooth.probability(0, 1), smooth.probability(1, 1)]).toEqual([3 / 5, 1 / 4])
    expect(plain.averageNats).toBeCloseTo(-(2 * Math.log(2 / 3) + 2 * Math.log(1) + Math.log(1 / 3)) / 5, 12)
  })

  it("refuses a table that would not fit", () => {
    expect(() => bigramCounts([0], 65536, { addOne: false })).toThrow(ConfigError)
  })

  it.skipIf(missing)("gives 2.4540145 nats on names.txt, with one added 2.4545768", () => {
    const text = `.${readFileSync(NAMES, "utf8").trim().split("\n").join(".")}.`
    const ids = Uint8Array.from(text, (character) => (character === "." ? 0 : character.charCodeAt(0) - 96))
    const [plain, smooth] = [bigramCounts(ids, 27, { addOne: false }), bigramCounts(ids, 27, { addOne: true })]
    expect(plain.numBigrams).toBe(228146)
    expect(Math.abs(plain.averageNats - 2.4540145)).toBeLessThan(1e-6)
    expect(Math.abs(smooth.averageNats - 2.4545768)).toBeLessThan(1e-6)
  })
})
