// Laws of running a task, on an examinee slow enough to be obviously right: one probability at a time, no cache.
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { DataError } from "../../core/index.ts"
import { bytesTokenizer, charactersTokenizer } from "../../tokenizer/index.ts"
import type { EndingScore, EndingsItem } from "../score/score-endings.ts"
import type { Examinee } from "./examinee.ts"
import { loadTask } from "./load-task.ts"
import { runTask } from "./run-task.ts"
import type { Task } from "./task.ts"

/** `ln p(next | context)`. */
type LogProbability = (context: readonly number[], next: number) => number

const bytes = bytesTokenizer()
const uniform: LogProbability = () => -Math.log(257)
/** Likes the byte that follows in the alphabet. */
const alphabetic: LogProbability = (context, next) => Math.log(next === context.at(-1)! + 1 ? 0.5 : 0.5 / 256)

function examineeOf(
  logProbability: LogProbability,
  changes: Partial<Examinee> = {},
): Examinee & { seen: EndingsItem[] } {
  const seen: EndingsItem[] = []
  const score = ({ prefix }: EndingsItem, ending: readonly number[], greedy = false): EndingScore => {
    let nats = 0
    let isGreedy = true
    for (const [at, id] of ending.entries()) {
      const context = [...prefix, ...ending.slice(0, at)]
      if (context.length === 0) continue
      nats -= logProbability(context, id)
      for (let other = 0; other < 257; other++)
        if (other !== id && logProbability(context, other) >= logProbability(context, id)) isGreedy = false
    }
    return { nats, tokens: ending.length - (prefix.length === 0 ? 1 : 0), ...(greedy && { isGreedy }) }
  }
  return {
    tokenizer: bytes,
    contextTokens: 1024,
    seen,
    scoreEndings: async (items, { greedy }) => {
      seen.push(...items)
      return items.map((item) => item.endings.map((ending) => score(item, ending, greedy)))
    },
    ...changes,
  }
}

const taskOf = (kind: Task["kind"], items: readonly object[], more: object = {}): Promise<Task> =>
  loadTask(JSON.stringify({ kinglet: "task", version: 1, name: "t", kind, items, ...more }), "t.json")

describe("minimal pairs", () => {
  it("ties count one half: a uniform model gives exactly 50 % on pairs of one length", async () => {
    const sentence = fc.string({ minLength: 1, maxLength: 20, unit: fc.constantFrom(..."ab ") })
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(sentence, sentence), { minLength: 1, maxLength: 20 }), async (pairs) => {
        const items = pairs.map(([good, bad]) => ({ good: good.padEnd(20, "a"), bad: bad.padEnd(20, "b") }))
        const result = await runTask(examineeOf(uniform), await taskOf("minimal-pairs", items))
        expect(result).toMatchObject({ accuracy: 0.5, chance: 0.5, items: items.length, skipped: 0 })
      }),
      { numRuns: 30 },
    )
  })

  it("a difference that f32 cannot tell is a tie, one that it can is none", async () => {
    const task = await taskOf("minimal-pairs", [{ good: "a", bad: "b" }])
    const nudged = (share: number) => examineeOf((_, next) => (next === 97 ? -2 * (1 + share) : -2))
    expect((await runTask(nudged(1e-8), task)).accuracy).toBe(0.5)
    expect((await runTask(nudged(1e-5), task)).accuracy).toBe(0)
  })

  it("the shorter of two sentences wins with a uniform model, also where it begins the other", async () => {
    const task = await taskOf("minimal-pairs", [{ good: "It sings", bad: "It sings." }])
    const examinee = examineeOf(uniform)
    expect((await runTask(examinee, task)).accuracy).toBe(1)
    expect(examinee.seen[0]!.endings.map(({ length }) => length)).toEqual([1, 2])
  })

  it("what both sentences begin with is read once and not scored", async () => {
    const examinee = examineeOf(uniform)
    await runTask(examinee, await taskOf("minimal-pairs", [{ good: "abcd", bad: "abxy" }]))
    expect(examinee.seen).toEqual([
      {
        prefix: [256, 97, 98],
        endings: [
          [99, 100],
          [120, 121],
        ],
      },
    ])
  })
})

describe("groups and phenomena", () => {
  const [right, wrong] = [
    { good: "abc", bad: "axc" },
    { good: "axc", bad: "abc" },
  ]
  const item = (pair: object, group: string, phenomenon: string) => ({ ...pair, group, phenomenon })

  it("the mean over groups is unweighted, and so differs from the pooled share where groups differ in size", async () => {
    const items = [
      ...Array.from({ length: 9 }, () => item(right, "large", "p")),
      item(wrong, "small", "p"),
      item(right, "other", "q"),
    ]
    const result = await runTask(examineeOf(alphabetic), await taskOf("minimal-pairs", items))
    expect(result.accuracy).toBe(10 / 11)
    expect(result.mean).toBe(2 / 3)
    expect(result.groups.map(({ name, accuracy, items }) => [name, accuracy, items])).toEqual([
      ["large", 1, 9],
      ["small", 0, 1],
      ["other", 1, 1],
    ])
    expect(result.phenomena.map(({ name, accuracy, groups }) => [name, accuracy, groups])).toEqual([
      ["p", 0.5, 2],
      ["q", 1, 1],
    ])
  })

  it("intervals hold the accuracy they belong to, within 0 and 1", async () => {
    const items = [item(right, "a", "p"), item(wrong, "a", "p"), item(right, "b", "p")]
    const result = await runTask(examineeOf(alphabetic), await taskOf("minimal-pairs", items))
    for (const { accuracy, interval } of [result, ...result.groups, ...result.phenomena]) {
      expect(interval.low).toBeGreaterThanOrEqual(0)
      expect(interval.low).toBeLessThan(interval.high)
      expect(interval.high).toBeLessThanOrEqual(1)
      expect(accuracy).toBeGreaterThanOrEqual(interval.low - 1e-12)
      expect(accuracy).toBeLessThanOrEqual(interval.high + 1e-12)
    }
  })
})

describe("multiple choice", () => {
  const question = (choices: readonly string[], answer: number) => ({ question: "Q", choices, answer })

  it("by nats the short choice wins, by nats per byte all tie, with a uniform model", async () => {
    const items = [question(["long choice", "no"], 0), question(["ab", "cde"], 0)]
    const task = await taskOf("multiple-choice", items, { separator: "" })
    expect(await runTask(examineeOf(uniform), task)).toMatchObject({ accuracy: 0.5, accuracyNormalized: 0.5 })
  })

  it("the separator costs nats and is no byte of the choice", async () => {
    // " a" costs 2 ln 257 for one byte, " aaa" 4 ln 257 for three: the longer is cheaper per byte.
    const task = await taskOf("multiple-choice", [question(["a", "aaa"], 1)])
    expect(await runTask(examineeOf(uniform), task)).toMatchObject({ accuracy: 0, accuracyNormalized: 1 })
  })

  it("bytes are those of UTF-8", async () => {
    // Three bytes of one character against two of two: 4/3 nats a byte against 3/2.
    const task = await taskOf("multiple-choice", [question(["ab", "€"], 1)])
    expect(await runTask(examineeOf(uniform), task)).toMatchObject({ accuracy: 0, accuracyNormalized: 1 })
  })

  it("k choices that tie share the point", async () => {
    const task = await taskOf("multiple-choice", [question(["a", "b", "c"], 1), question(["a", "b", "cc"], 2)])
    const result = await runTask(examineeOf(uniform), task)
    expect(result.accuracy).toBeCloseTo((1 / 3 + 0) / 2, 12)
    expect(result.chance).toBeCloseTo(1 / 3, 12)
  })

  it("what choices begin with is theirs: it is scored, as it counts among their bytes", async () => {
    const examinee = examineeOf(uniform)
    await runTask(examinee, await taskOf("multiple-choice", [question(["ab", "ac"], 0)]))
    expect(examinee.seen[0]).toEqual({
      prefix: [256, 81],
      endings: [
        [32, 97, 98],
        [32, 97, 99],
      ],
    })
  })

  it("a token across the border of prompt and choice is scored whole", async () => {
    // Ids: 1 "Q:", 2 ": b", 3 "Q", 4 " a".
    const pieces: [string, number][] = [
      ["Q: b", 32],
      ["Q:", 1],
      [" a", 4],
    ]
    const encode = (text: string) => {
      const ids: number[] = []
      for (let rest = text; rest !== ""; ) {
        const [piece, id] = pieces.find(([piece]) => rest.startsWith(piece))!
        ids.push(...(id === 32 ? [3, 2] : [id]))
        rest = rest.slice(piece.length)
      }
      return Int32Array.from(ids)
    }
    const examinee = examineeOf(uniform, { tokenizer: { encode, endOfText: 9 } })
    await runTask(examinee, await taskOf("multiple-choice", [question(["a", "b"], 0)], { prompt: "Q:" }))
    expect(examinee.seen[0]).toEqual({
      prefix: [9],
      endings: [
        [1, 4],
        [3, 2],
      ],
    })
  })
})

describe("cloze", () => {
  it("is right where greedy decoding gives the whole target", async () => {
    const items = [
      { text: "ab", target: "cd" },
      { text: "ab", target: "cx" },
    ]
    const result = await runTask(examineeOf(alphabetic), await taskOf("cloze", items, { separator: "" }))
    expect(result.accuracy).toBe(0.5)
    expect(result.chance).toBeUndefined()
    expect(result.bitsPerTarget).toBeCloseTo((1 + 1 + 1 + Math.log2(512)) / 2, 10)
    expect(result.perplexity).toBeCloseTo(2 ** 6, 8)
  })
})

describe("how a text begins", () => {
  const characters = (text: string) => charactersTokenizer([text], { specialTokens: [] })
  const pair = taskOf("minimal-pairs", [{ good: "ab", bad: "ba" }])

  it("after end-of-text, else on a new line, else after nothing; the protocol says which", async () => {
    const withEnd = examineeOf(uniform)
    expect((await runTask(withEnd, await pair)).protocol).toContain("after the end-of-text token")
    const withLine = examineeOf(uniform, { tokenizer: await characters("ab\n") })
    expect((await runTask(withLine, await pair)).protocol).toContain("on a new line")
    const bare = examineeOf(uniform, { tokenizer: await characters("ab") })
    expect((await runTask(bare, await pair)).protocol).toContain("its first token is not scored")
    expect([withEnd, withLine, bare].map(({ seen }) => seen[0]!.prefix)).toEqual([[256], [0], []])
  })

  it("may be asked for, and is refused where it cannot be had", async () => {
    const examinee = examineeOf(uniform)
    await runTask(examinee, await pair, { beginning: "newline" })
    expect(examinee.seen[0]!.prefix).toEqual([10])
    const bare = examineeOf(uniform, { tokenizer: await characters("ab") })
    await expect(runTask(bare, await pair, { beginning: "end-of-text" })).rejects.toThrow(/no end-of-text token/)
  })
})

describe("what cannot be scored", () => {
  it("items with unknown characters are skipped and counted; where all are, that is an error", async () => {
    const tokenizer = await charactersTokenizer(["abc\n"])
    const known = { good: "ab", bad: "ac" }
    const unknown = { good: "ab", bad: "a!" }
    const result = await runTask(examineeOf(uniform, { tokenizer }), await taskOf("minimal-pairs", [known, unknown]))
    expect(result).toMatchObject({ items: 1, skipped: 1 })
    expect(result.skippedBecause).toMatch(/^item 2: the character "!" .* is not in the vocabulary/)
    const none = runTask(examineeOf(uniform, { tokenizer }), await taskOf("minimal-pairs", [unknown]))
    await expect(none).rejects.toThrow(/^t: none of the 1 items can be encoded; item 1: the character "!"/)
  })

  it("items longer than the context are counted", async () => {
    const task = await taskOf("minimal-pairs", [
      { good: "a", bad: "b" },
      { good: "aaaa", bad: "bbbb" },
    ])
    const result = await runTask(examineeOf(uniform, { contextTokens: 3 }), task)
    expect(result.truncated).toBe(1)
    expect(result.protocol).toContain("1 item is longer than the context")
  })

  it("a probability that is no number is an error, not a wrong answer", async () => {
    const task = await taskOf("minimal-pairs", [{ good: "a", bad: "b" }])
    await expect(
      runTask(
        examineeOf(() => NaN),
        task,
      ),
    ).rejects.toThrow(DataError)
  })

  it("an aborted signal ends the run with its reason", async () => {
    const task = await taskOf(
      "minimal-pairs",
      Array.from({ length: 20_000 }, () => ({ good: "a".repeat(50), bad: "b" })),
    )
    const stop = AbortSignal.abort(new Error("enough"))
    await expect(runTask(examineeOf(uniform), task, { signal: stop })).rejects.toThrow("enough")
  })
})
