// Laws of the sentence: the strongest evidence decides how it begins, and the control is always said.
import { describe, expect, it } from "vitest"
import type { AreaUnderCurve } from "../statistics/index.ts"
import type { GeneralizationMeasures, Memorization } from "./generalization-measures.ts"
import { partsOf } from "./generalization-parts.ts"
import { generalizationSentence } from "./generalization-sentence.ts"

const area = (auc: number): AreaUnderCurve => ({ auc, interval: undefined })

function memorization(fires: { readonly extraction?: boolean; readonly membership?: boolean } = {}): Memorization {
  const side = (exact: number) => ({
    passages: 100,
    exact,
    rate: exact / 100,
    matched: [{ tokens: 50, rate: exact / 100 }],
  })
  const { extraction = false, membership = false } = fires
  const rates = { train: side(extraction ? 40 : 0), heldOut: side(0), difference: extraction ? 0.4 : 0 }
  const areas = { byLoss: area(membership ? 0.9 : 0.5), byCalibratedLoss: area(0.5), byReference: area(0.5) }
  const interval = { low: -0.1, high: 0.3, level: 0.95, unit: "block", units: 200 } as const
  const gap = { train: 1, heldOut: 1.1, difference: 0.1, reference: 0.1, interval, passages: 100 }
  const counts = { unit: "passage", train: 100, heldOut: 100 } as const
  return {
    gap,
    extraction: { prefixTokens: 32, suffixTokens: 50, ...rates, interval: undefined, fires: extraction },
    membership: { ...areas, difference: membership ? 0.4 : 0, interval: undefined, ...counts, fires: membership },
    unigramBitsPerByte: 3,
  }
}

const contamination = (fires: boolean): GeneralizationMeasures["contamination"] => ({
  words: 13,
  normalization: "",
  testDocuments: 1,
  shortDocuments: 0,
  touched: [],
  testWords: 100,
  coveredWords: fires ? 50 : 0,
  share: fires ? 0.5 : 0,
  examples: [],
  fires,
})

const clean: GeneralizationMeasures = {
  contamination: contamination(false),
  training: memorization(),
  control: "other text, 9 kB",
}
const rose = {
  minimum: { step: 10, nats: 1 },
  last: { step: 20, nats: 1.5 },
  measuredStep: 20,
  lostNats: 0.5,
  isFallingAtEnd: false,
  gaps: [],
  fires: true,
}
const { training: _, ...withoutControl } = { ...clean, contamination: contamination(true), control: "none" }

const few = { ...memorization().gap, passages: 19 }
const { interval: __, ...unsure } = memorization().gap
const untrained = { ...memorization(), unigramBitsPerByte: 1.1 }

const cases: readonly (readonly [string, GeneralizationMeasures])[] = [
  ["It generalizes:", clean],
  ["It cannot be told whether it generalizes:", withoutControl],
  ["It cannot be told whether it generalizes:", { ...clean, training: { ...memorization(), gap: few } }],
  [
    "It cannot be told whether it generalizes:",
    { ...clean, training: { ...memorization(), gap: { ...unsure, interval: undefined } } },
  ],
  ["It has learned too little to tell:", { ...clean, training: untrained }],
  ["It was trained too long:", { ...clean, overfitting: rose }],
  ["It leans on having read", { ...clean, overfitting: rose, training: memorization({ membership: true }) }],
  ["It has memorized", { ...clean, training: memorization({ membership: true, extraction: true }) }],
  [
    "It has seen the test text:",
    { ...clean, training: memorization({ extraction: true }), test: memorization({ membership: true }) },
  ],
]

describe("the sentence", () => {
  it.each(cases)(
    "begins with '%s' where that is the strongest evidence, and is one sentence",
    (beginning, measures) => {
      const sentence = generalizationSentence(measures)
      expect(sentence.startsWith(beginning)).toBe(true)
      expect(sentence).toMatch(/; control: [^;]+\.$/)
      expect(sentence.match(/\. [A-Z]/)).toBeNull()
    },
  )

  it("says contamination, and that a model could know its text by heart, whatever else is found", () => {
    const capacity = { ratio: 12, modelBits: 12, trainTextBits: 1 }
    const sentence = generalizationSentence({ ...clean, contamination: contamination(true), capacity })
    expect(sentence).toContain("50 % of the test text")
    expect(sentence).toContain("12.0 times its training text")
  })

  it("a score is told without contaminated text, beside that of the whole, where some is left", () => {
    const some = { bitsPerByte: 2.5, wholeBitsPerByte: 1.25, interval: undefined, bytes: 3000, strippedBytes: 1000 }
    const measures = { ...clean, contamination: contamination(true), stripped: some }
    expect(partsOf(measures)[1]).toMatchObject({
      name: "score without contaminated text",
      value: 2.5,
      fires: false,
      because: expect.stringMatching(/^1\.250 with it; 25 % of the bytes/),
    })
    expect(generalizationSentence(measures)).toContain("(2.500 bits per byte, 1.250 of the whole)")
    const none = { ...some, bitsPerByte: undefined, bytes: 0 }
    expect(partsOf({ ...measures, stripped: none })).toEqual(partsOf({ ...clean, contamination: contamination(true) }))
  })

  it("of the best checkpoint of a run that went on, the sentence says that it is that one", () => {
    const best = { ...rose, measuredStep: 10, lostNats: 0, fires: false }
    const measures = { ...clean, overfitting: best }
    const said = "the held-out loss rose by 0.50 nats a token from step 10 to step 20, and this is the model of step 10"
    expect(generalizationSentence(measures)).toMatch(/^It generalizes:/)
    expect(generalizationSentence(measures)).toContain(said)
    expect(partsOf(measures).at(-1)).toMatchObject({ value: 0, fires: false, because: expect.stringContaining(said) })
  })

  it("says of an untrained model, and of few passages, why nothing can be told", () => {
    expect(generalizationSentence({ ...clean, training: untrained })).toContain(
      "costs it 1.10 bits per byte and 1.10 who",
    )
    expect(generalizationSentence({ ...clean, training: { ...memorization(), gap: few } })).toContain(
      "19 passages of each",
    )
  })

  it("a report fires where a line of its table does", () => {
    const lines = (measures: GeneralizationMeasures) => partsOf(measures).filter(({ fires }) => fires)
    expect(lines(clean)).toEqual([])
    for (const [beginning, measures] of cases)
      if (!/generalizes|too little/.test(beginning)) expect(lines(measures).length).toBeGreaterThan(0)
  })
})
