// Facts for reports: three real runs (`kinglet train tiny-shakespeare.txt --steps 200 --seed 1|2|3`, reduced to
// fixtures/report-runs.json) with made-up evaluations, nothing at all, and what nobody should hand in.
import { readFileSync } from "node:fs"
import { join } from "node:path"
import type { Interval, ReportFacts, RunFacts, SuiteFacts } from "../../src/evaluate/index.ts"
import { root } from "./package.ts"

const fixture = join(root, "test", "fixtures", "report-runs.json")
const runs = JSON.parse(readFileSync(fixture, "utf8")) as RunFacts[]

const interval = (value: number, half: number, unit: Interval["unit"] = "block"): Interval => ({
  low: value - half,
  high: value + half,
  level: 0.95,
  unit,
  units: 12,
  ...(unit === "block" ? { note: "Blocks of one author: the interval does not cover new authors." } : {}),
})

/** As BLiMP names them. */
const PHENOMENA = [
  "anaphor_agreement",
  "argument_structure",
  "binding",
  "control_raising",
  "determiner_noun_agreement",
  "ellipsis",
  "filler_gap_dependency",
  "irregular_forms",
  "island_effects",
  "npi_licensing",
  "quantifiers",
  "subject_verb_agreement",
]

const accuracyOf = (index: number, shift: number): number =>
  0.5 + 0.28 * Math.sin(index * 1.7 + shift) ** 2 - 0.04 * shift

function blimp(shift: number): SuiteFacts {
  const phenomena = PHENOMENA.map((name, index) => {
    const accuracy = accuracyOf(index, shift)
    return { name, accuracy, interval: interval(accuracy, 0.02, "item"), items: 5000 }
  })
  const accuracy = phenomena.reduce((sum, each) => sum + each.accuracy, 0) / phenomena.length
  const others = Object.fromEntries(PHENOMENA.map((name, index) => [name, accuracyOf(index, -1)]))
  return {
    name: "BLiMP",
    accuracy,
    interval: interval(accuracy, 0.006, "item"),
    items: 67_000,
    chance: 0.5,
    phenomena,
    published: [{ name: "GPT-2 (117 M)", accuracy: 0.78, phenomena: others, source: "arXiv:1912.00582" }],
    baselines: [
      { name: "Kneser-Ney over bytes, order 6", accuracy: 0.571, note: "the last 32 MB of the training text" },
      { name: "unigram over bytes", accuracy: 0.498 },
    ],
  }
}

const reliability = {
  bins: Array.from({ length: 13 }, (_, index) => {
    const confidence = (index + 1.5) / 15
    return { confidence, accuracy: confidence ** 1.15, count: Math.round(9000 * Math.exp(-index / 4)) }
  }),
  expectedCalibrationError: 0.031,
  accuracy: 0.412,
}

const generalization = {
  sentence: "This model generalizes: nothing that was measured shows that it learned its training text by heart.",
  parts: [
    {
      name: "train-test gap",
      value: 0.021,
      unit: " bits/byte",
      interval: interval(0.021, 0.03),
      fires: false,
      because: "equal samples of both texts, in evaluation mode",
    },
    {
      name: "capacity ratio",
      value: 0.18,
      fires: false,
      because: "3.6 · 401,000 parameters over 8.0 Mbit of training text; far above 1 means memorizing",
    },
    {
      name: "extraction",
      value: 0.4,
      unit: " %",
      control: 0.3,
      interval: interval(0.4, 0.3),
      fires: false,
      because: "prefixes of 32 tokens, 50 greedy ones compared",
    },
    {
      name: "membership AUC",
      value: 0.512,
      control: 0.5,
      interval: interval(0.512, 0.03),
      fires: false,
      because: "0.5 is chance",
    },
    {
      name: "contamination",
      value: 2.1,
      unit: " %",
      control: 0,
      fires: true,
      because: "13 words in a row of the test text stand in the training text; without them 2.713 bits/byte",
    },
  ],
}

const baselines = [
  { name: "unigram over tokens", bitsPerByte: 4.812 },
  { name: "Kneser-Ney over bytes, order 6", bitsPerByte: 2.181, interval: interval(2.181, 0.03) },
  { name: "Kneser-Ney over tokens, order 6", bitsPerByte: 2.183, interval: interval(2.183, 0.03) },
  { name: "brotli, primed", bitsPerByte: 2.702 },
  { name: "xz, primed", bitsPerByte: 2.806 },
  { name: "equal-FLOP vanilla model", note: "none was trained" },
]

function measured(run: RunFacts): RunFacts {
  const { bitsPerByte, nats } = { bitsPerByte: Number.NaN, ...run.heldOut!.at(-1)! }
  return {
    ...run,
    result: {
      text: "tiny-shakespeare, held out",
      bitsPerByte,
      interval: interval(bitsPerByte, 0.022),
      bitsPerCharacter: bitsPerByte,
      bitsPerToken: nats / Math.LN2,
      documents: 1,
      tokens: 111_536,
      bytes: 111_536,
      protocol: "non-overlapping windows of 64 tokens, 32 before a token on average",
      baselines,
    },
    suites: [blimp(run.seed!)],
    reliability,
    generalization,
  }
}

/** One recipe, three seeds. */
export function seededFacts(): ReportFacts {
  return {
    version: 1,
    title: "Shakespeare, 400,000 parameters",
    date: "25 November 2026",
    runs: runs.map(measured),
    notes: ["The text has one author: intervals over blocks do not cover new authors."],
  }
}

/** A second recipe beside it, with all that a comparison brings. */
export function comparedFacts(): ReportFacts {
  const smaller = runs.slice(0, 2).map((run): RunFacts => {
    const slower = run.training!.map((step) => ({ ...step, nats: step.nats * 1.06 }))
    const heldOut = run.heldOut!.map((each) => ({
      ...each,
      nats: each.nats * 1.06,
      bitsPerByte: each.bitsPerByte! * 1.06,
    }))
    const recipe = run.recipe!.map((each) => (each.key === "model.hiddenSize" ? { ...each, value: 32 } : each))
    const name = `small-${run.seed}`
    return measured({
      ...run,
      name,
      group: "shakespeare, width 32",
      parameters: 108_000,
      bytes: 432_000,
      training: slower,
      heldOut,
      recipe,
    })
  })
  const [a, b] = ["shakespeare-1", "small-1"]
  return {
    ...seededFacts(),
    title: "Two sizes on Shakespeare",
    runs: [...runs.map(measured), ...smaller],
    comparisons: [
      {
        a,
        b,
        text: "tiny-shakespeare, held out",
        sentence:
          "shakespeare-1 predicts this text better by 0.162 bits per byte (95 % interval 0.131 to 0.190, p < 0.001, 12 blocks).",
        axes: [
          {
            name: "bits per byte",
            unit: "bitsPerByte",
            a: 2.694,
            b: 2.856,
            difference: -0.162,
            interval: interval(-0.162, 0.03),
            pValue: 0.0002,
            winner: "a",
          },
          { name: "parameters", unit: "count", a: 401_000, b: 108_000, difference: 293_000, winner: "b" },
          { name: "training FLOPs", unit: "flops", a: 5.1e11, b: 1.4e11, winner: "b" },
          { name: "training time", unit: "seconds", a: 47.9, b: 14.2, winner: "b" },
        ],
      },
    ],
    crossDomain: {
      rows: [
        { name: "Shakespeare", own: 0 },
        { name: "Python", own: 1 },
      ],
      columns: ["Shakespeare", "Python", "French novels"],
      cells: [
        [2.69, 5.91, 4.88],
        [4.42, 1.98, "the character é is not in the vocabulary"],
      ],
      notes: ["Shakespeare on French novels: the model was trained on part of it"],
    },
  }
}

/** Nothing was measured. */
export const emptyFacts: ReportFacts = { version: 1, title: "Nothing yet", runs: [] }

/** What would take the page over, if it could. */
export const HOSTILE = `</style></svg><script>alert("1")</script><img src=x onerror='alert(2)'>&amp;\u0000\u202e\ud800`

/** A hundred runs, names without end, numbers that are none, one point only, markup everywhere. */
export function oddFacts(): ReportFacts {
  const name = (index: number): string => `run-${index}-${"an-unbroken-name-without-end-".repeat(8)}`
  const many = Array.from({ length: 100 }, (_, index): RunFacts => {
    const bitsPerByte = index === 7 ? Number.NaN : 1 + 2 / (1 + index / 20)
    const suite = blimp(1)
    return {
      name: name(index),
      parameters: index === 9 ? Infinity : Math.round(1e4 * 1.13 ** index),
      flops: 1e25,
      training: Array.from({ length: 30 }, (_, step) => ({
        step: step + 1,
        tokens: (step + 1) * 1e9,
        nats: step === 3 ? Number.NaN : 9 / (1 + step * (1 + index / 50)),
      })),
      heldOut: [{ step: 30, nats: 1 + index / 100 }],
      result: {
        text: "a text",
        bitsPerByte,
        interval: { ...interval(bitsPerByte, 0.1), high: index === 3 ? Infinity : bitsPerByte + 0.1 },
      },
      suites: [index < 9 ? suite : { name: "empty suite", accuracy: Number.NaN }],
      seed: index,
      recipe: [
        { key: "width", value: index },
        { key: "list", value: [1, "x", null] },
        { key: "nested", value: { deep: Number.NaN } },
      ],
    }
  })
  const hostile: RunFacts = {
    name: HOSTILE,
    parameters: 1e6,
    bytes: Number.NaN,
    training: [{ step: 1, tokens: 1, nats: 4 }],
    heldOut: [],
    recipe: [{ key: HOSTILE, value: HOSTILE, because: HOSTILE, source: HOSTILE }],
    machine: { engine: HOSTILE, commit: HOSTILE },
    dataHashes: [{ name: HOSTILE, sha256: HOSTILE }],
    result: {
      text: HOSTILE,
      bitsPerByte: 2,
      baselines: [{ name: HOSTILE, bitsPerByte: 2, note: HOSTILE }],
      verdict: HOSTILE,
    },
    suites: [
      {
        name: HOSTILE,
        accuracy: 0.5,
        phenomena: [{ name: HOSTILE, accuracy: 0.5 }],
        published: [{ name: HOSTILE, accuracy: 1, phenomena: { [HOSTILE]: 0.9 } }],
        baselines: [{ name: HOSTILE, accuracy: Number.NaN, note: HOSTILE }],
        verdict: HOSTILE,
      },
    ],
    reliability: { bins: [{ confidence: 0.5, accuracy: 0.5, count: 1 }], expectedCalibrationError: 0, accuracy: 0.5 },
    generalization: {
      sentence: HOSTILE,
      parts: [{ name: HOSTILE, value: 1, unit: HOSTILE, fires: true, because: HOSTILE }],
    },
    samples: [{ prompt: HOSTILE, text: HOSTILE }],
  }
  const names = ["a", HOSTILE, ...Array.from({ length: 8 }, (_, index) => `domain ${index}`)]
  const cells = names.map((_, row) =>
    names.map((_, column) => (row === column ? 1 : row + column === 1 ? HOSTILE : 1 + ((row * 7 + column) % 11) / 3)),
  )
  const crossDomain = { rows: names.map((name, own) => ({ name, own })), columns: names, cells, notes: [HOSTILE] }
  return { version: 1, title: HOSTILE, notes: [HOSTILE], runs: [hostile, ...many], crossDomain }
}

/** A single run with a single point of everything. */
export function singleFacts(): ReportFacts {
  const [run] = runs
  const point = { step: 1, tokens: 1024, nats: 4.1 }
  const result = { text: "one text", bitsPerByte: 3.2, noInterval: "No interval: the text has 1 block, 20 are needed." }
  return {
    version: 1,
    title: "One step",
    runs: [{ ...run!, name: "one", group: "one", training: [point], heldOut: [point], result }],
  }
}
