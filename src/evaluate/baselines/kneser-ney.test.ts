// Laws of the Kneser-Ney model: it is a probability distribution, it is the formula, and it reaches the known figures.
import { existsSync, readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { ConfigError, DataError, randomStream } from "../../core/index.ts"
import { chooseKneserNeyOrder, trainKneserNey } from "./kneser-ney.ts"
import { estimateDiscounts } from "./kneser-ney-tables.ts"

const DATA = process.env["KINGLET_DATA"] ?? fileURLToPath(new URL("../../../../shared/data", import.meta.url))
const SHAKESPEARE = `${DATA}/tiny-shakespeare.txt`
const missing = !existsSync(SHAKESPEARE)
if (missing) console.warn(`skipped: no ${SHAKESPEARE}`)

const VOCAB = 4
const sequence = (minLength: number) =>
  fc.array(fc.nat({ max: VOCAB - 1 }), { minLength, maxLength: 60 }).map((ids) => Uint8Array.from(ids))
const order = fc.integer({ min: 1, max: 5 })

/** Chen and Goodman's discounts from one table of counts, written apart from the code under test. */
function formulaDiscounts(counts: Iterable<number>): (count: number) => number {
  const n = [0, 0, 0, 0, 0]
  for (const count of counts) if (count <= 4) n[count]!++
  const y = n[1]! / (n[1]! + 2 * n[2]!)
  const estimated = [1, 2, 3].map((j) => j - ((j + 1) * y * n[j + 1]!) / n[j]!)
  const usable =
    n.slice(1).every((one) => one > 0) && estimated.every((discount, at) => discount > 0 && discount <= at + 1)
  const discounts = usable ? estimated : [0.5, 1, 1.5]
  return (count) => (count === 0 ? 0 : discounts[Math.min(count, 3) - 1]!)
}

/** The formula over Maps of strings, without a trie, a sort or a state: `p(w | c)` for contexts under `order`. */
function formulaModel(texts: readonly string[], order: number, vocabSize: number) {
  const counts: Map<string, number>[] = Array.from({ length: order + 1 }, () => new Map())
  const bump = (k: number, gram: string) => counts[k].set(gram, (counts[k].get(gram) ?? 0) + 1)
  for (const text of texts) for (let at = 0; at + order <= text.length; at++) bump(order, text.slice(at, at + order))
  for (let k = order - 1; k >= 1; k--) {
    const extended = new Set<string>()
    for (const text of texts)
      for (let at = 0; at + k <= text.length; at++)
        extended.add(`${at === 0 ? "^" : text[at - 1]}${text.slice(at, at + k)}`)
    for (const gram of extended) bump(k, gram.slice(1))
  }
  const discounts = counts.map((table) => formulaDiscounts(table.values()))
  const probability = (context: string, next: string): number => {
    const k = context.length + 1
    const shorter = context === "" ? 1 / vocabSize : probability(context.slice(1), next)
    const followers = [...counts[k]].filter(([gram]) => gram.startsWith(context))
    const total = followers.reduce((sum, [, count]) => sum + count, 0)
    if (total === 0) return shorter
    const discount = discounts[k]!
    const freed = followers.reduce((sum, [, count]) => sum + discount(count), 0)
    const count = counts[k].get(context + next) ?? 0
    return (count - discount(count) + freed * shorter) / total
  }
  return probability
}

const spell = (ids: ArrayLike<number>) => Array.from(ids, (id) => "abcd"[id]).join("")

describe("trainKneserNey", () => {
  it("probabilities sum to one over the vocabulary for any context, seen or not", () => {
    fc.assert(
      fc.property(sequence(0), sequence(0), order, (ids, context, order) => {
        const model = trainKneserNey(ids, { order, vocabSize: VOCAB })
        let sum = 0
        for (let next = 0; next < VOCAB; next++) sum += Math.exp(model.logProbability(context, next))
        expect(Math.abs(sum - 1)).toBeLessThan(1e-9)
      }),
    )
  })

  it("equals the formula written over maps of strings, in one document and in several, the first start named or not", () => {
    fc.assert(
      fc.property(
        fc.array(sequence(1), { minLength: 1, maxLength: 4 }),
        sequence(0),
        order,
        fc.boolean(),
        (documents, context, order, namesFirst) => {
          const lengthOf = (count: number) => documents.slice(0, count).reduce((sum, ids) => sum + ids.length, 0)
          const starts = documents.map((_, index) => lengthOf(index)).slice(namesFirst ? 0 : 1)
          const ids = Uint8Array.from(documents.flatMap((document) => [...document]))
          const model = trainKneserNey(ids, { order, vocabSize: VOCAB, starts })
          const formula = formulaModel(documents.map(spell), order, VOCAB)
          for (let next = 0; next < VOCAB; next++) {
            const seen = order === 1 ? "" : spell(context).slice(-(order - 1))
            expect(Math.exp(model.logProbability(context, next))).toBeCloseTo(formula(seen, "abcd"[next]), 9)
          }
        },
      ),
    )
  })

  it("scores a sequence as the sum of its symbols, each given those before it in its document", () => {
    fc.assert(
      fc.property(sequence(0), sequence(2), order, fc.nat(), (ids, scored, order, cut) => {
        const model = trainKneserNey(ids, { order, vocabSize: VOCAB })
        const start = 1 + (cut % (scored.length - 1))
        let nats = 0
        for (let at = 0; at < scored.length; at++)
          nats -= model.logProbability(scored.subarray(at < start ? 0 : start, at), scored[at])
        expect(model.scoreNats(scored, { starts: [0, start] })).toBeCloseTo(nats, 9)
      }),
    )
  })

  it("takes large vocabularies and documents of any length", () => {
    const ids = Int32Array.from({ length: 3000 }, (_, at) => (at * at * 7919) % 65536)
    for (const vocabSize of [65536, 70000]) {
      const model = trainKneserNey(ids, { order: 3, vocabSize, starts: [0, 1, 2, 1000] })
      let sum = 0
      for (let next = 0; next < vocabSize; next++) sum += Math.exp(model.logProbability(ids.subarray(5, 7), next))
      expect(sum).toBeCloseTo(1, 9)
    }
  })

  it("uses every byte value: 256 symbols leave no unused id for the boundary", () => {
    const ids = Uint8Array.from({ length: 2000 }, (_, at) => (at * 37) % 256)
    const model = trainKneserNey(ids, { order: 3, vocabSize: 256 })
    expect(Math.exp(model.logProbability([0, 37], 74))).toBeGreaterThan(0.5)
  })

  it("refuses ids outside the vocabulary and orders it cannot build", () => {
    expect(() => trainKneserNey(Uint8Array.of(0, 4), { order: 2, vocabSize: 4 })).toThrow(DataError)
    expect(() => trainKneserNey(Uint8Array.of(0), { order: 0, vocabSize: 4 })).toThrow(ConfigError)
    expect(() => trainKneserNey(Uint8Array.of(0), { order: 2, vocabSize: 4 }).scoreNats([4])).toThrow(DataError)
  })
})

// `lmplz --discount_fallback -o 3` on two corpora of KenLM's own tests (kpu/kenlm 4cb443e, lm/common/test_data: generate.sh,
// toy0.arpa, toy1.arpa): log10 p of every n-gram without <s>. Sentences are documents that end in </s>; KenLM sees <s> as a
// left neighbor and as a context, ours only as a neighbor, so n-grams that begin with <s> have no counterpart; <unk> is an id
// of the vocabulary that never occurs.
describe("KenLM's published models", () => {
  const toys = [
    {
      sentences: ["a a b a", "b a a b"],
      published: {
        "<unk>": -0.90309,
        a: -0.46943438,
        "</s>": -0.5720968,
        b: -0.5720968,
        "a a": -0.37712017,
        "b a": -0.2984526,
        "a </s>": -0.58682007,
        "b </s>": -0.5220179,
        "a b": -0.58682007,
        "b a a": -0.33741078,
        "a b a": -0.2997394,
        "b a </s>": -0.42082912,
        "a b </s>": -0.397617,
        "a a b": -0.20102891,
      },
    },
    {
      sentences: ["a a b b b b b b b", "c"],
      published: {
        "<unk>": -1,
        a: -0.6146491,
        "</s>": -0.6146491,
        c: -0.7659168,
        b: -0.6146491,
        "a a": -0.4301247,
        "c </s>": -0.20660876,
        "b </s>": -0.5404639,
        "a b": -0.4301247,
        "b b": -0.3422159,
        "b b </s>": -0.7462621,
        "a a b": -0.1638568,
        "a b b": -0.13823806,
        "b b b": -0.13375957,
      },
    },
  ]
  it.each(toys)("of $sentences are ours, to 1e-6", ({ sentences, published }) => {
    const words = ["</s>", "<unk>", ...new Set(sentences.flatMap((sentence) => sentence.split(" ")))]
    const idsOf = (text: string) => text.split(" ").map((word) => words.indexOf(word))
    const documents = sentences.map((sentence) => idsOf(`${sentence} </s>`))
    const starts = [0, documents[0]!.length]
    const model = trainKneserNey(Uint8Array.from(documents.flat()), { order: 3, vocabSize: words.length, starts })
    for (const [gram, log10] of Object.entries(published)) {
      const ids = idsOf(gram)
      const ours = model.logProbability(ids.slice(0, -1), ids.at(-1)!) / Math.LN10
      expect(Math.abs(ours - log10), gram).toBeLessThan(1e-6)
    }
  })
})

describe("estimateDiscounts", () => {
  it("follows Chen and Goodman where every count of counts is there", () => {
    const [, d1, d2, d3] = estimateDiscounts([0, 100, 40, 20, 10])
    const y = 100 / 180
    expect([d1, d2, d3]).toEqual([1 - (2 * y * 40) / 100, 2 - (3 * y * 20) / 40, 3 - (4 * y * 10) / 20])
  })

  it("falls back to ½, 1, 1½ where one is missing or a discount would be negative", () => {
    expect(estimateDiscounts([0, 0, 0, 0, 0])).toEqual([0, 0.5, 1, 1.5])
    expect(estimateDiscounts([0, 5, 2, 1, 0])).toEqual([0, 0.5, 1, 1.5])
    expect(estimateDiscounts([0, 10, 2, 40, 10])).toEqual([0, 0.5, 1, 1.5])
  })
})

describe("chooseKneserNeyOrder", () => {
  it("gives each order the score that a model of that order has on the carve-out", () => {
    fc.assert(
      fc.property(sequence(20), (ids) => {
        const { candidates, order } = chooseKneserNeyOrder(ids, { orders: [1, 4, 2], vocabSize: VOCAB, carveOut: 0.25 })
        const kept = Math.round(ids.length * 0.75)
        for (const candidate of candidates) {
          const model = trainKneserNey(ids.subarray(0, kept), { order: candidate.order, vocabSize: VOCAB })
          const nats = model.scoreNats(ids.subarray(kept)) / (ids.length - kept)
          expect(candidate.natsPerSymbol).toBeCloseTo(nats, 9)
        }
        const best = Math.min(...candidates.map((candidate) => candidate.natsPerSymbol))
        expect(candidates.find((candidate) => candidate.order === order)?.natsPerSymbol).toBe(best)
      }),
    )
  })

  it("the carve-out begins with a document where one begins near, and at its own place where none does", () => {
    const END = 3
    const stream = randomStream(1, "carve")
    const ids = Uint8Array.from({ length: 200 }, () => stream.below(3))
    const natsFrom = (text: Uint8Array, kept: number) =>
      trainKneserNey(text.subarray(0, kept), { order: 2, vocabSize: VOCAB }).scoreNats(text.subarray(kept)) /
      (text.length - kept)
    const cases = [
      { ends: [174], kept: 175 }, // 5 before 180
      { ends: [171, 182], kept: 183 },
      { ends: [100, 195], kept: 180 }, // too far
      { ends: [199], kept: 180 }, // nothing would be left
    ]
    for (const { ends, kept } of cases) {
      const text = ids.map((id, at) => (ends.includes(at) ? END : id))
      const { candidates } = chooseKneserNeyOrder(text, { orders: [2], vocabSize: VOCAB, endOfDocument: END })
      expect(candidates[0]!.natsPerSymbol).toBeCloseTo(natsFrom(text, kept), 12)
    }
  })

  it("says what is missing", () => {
    expect(() => chooseKneserNeyOrder(Uint8Array.of(1, 2), { orders: [], vocabSize: 4 })).toThrow(ConfigError)
    expect(() => chooseKneserNeyOrder(Uint8Array.of(1), { orders: [2], vocabSize: 4 })).toThrow(DataError)
  })
})

describe.skipIf(missing)("tiny-shakespeare", () => {
  // The published 1.579 and 1.558 are Kneser-Ney with one discount an order: the same counts with D = n₁ / (n₁ + 2 n₂)
  // give 1.57895 and 1.55808.
  it("order 5 gives 1.5612 nats per character and order 6 gives 1.5226", () => {
    const text = readFileSync(SHAKESPEARE, "latin1")
    const characters = [...new Set(text)].sort()
    const ids = Uint8Array.from(text, (character) => characters.indexOf(character))
    const [train, valid] = [ids.subarray(0, 1003854), ids.subarray(1003854)]
    const nats = (order: number) =>
      trainKneserNey(train, { order, vocabSize: characters.length }).scoreNats(valid) / valid.length
    expect(nats(5)).toBeCloseTo(1.5612, 3)
    expect(nats(6)).toBeCloseTo(1.5226, 3)
  })
})
