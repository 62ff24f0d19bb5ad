import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { ConfigError, DataError } from "../core/index.ts"
import { endOfWord } from "./pre-tokenize.ts"
import { trainBpe } from "./train-bpe.ts"

const options = { vocabSize: 300, specialTokens: [] }
const SENTENCES = [
  "low lower lowest newer wider",
  "the slow loris lowers the lamp",
  "aaaa aaaaa aaa",
  "été été naïve — 漢字漢字",
]

/** The algorithm as its paper gives it: count all pairs anew for each join. */
function learnSlowly(texts: readonly string[], vocabSize: number): string[] {
  const words: number[][] = []
  for (const utf8 of texts.map((text) => new TextEncoder().encode(text)))
    for (let at = 0, end = 0; at < utf8.length; at = end) {
      end = endOfWord(utf8, at)
      words.push([...utf8.subarray(at, end)])
    }
  const joins: string[] = []
  for (let id = 256; id < vocabSize; id++) {
    const counts = new Map<string, number>()
    for (const word of words)
      for (let i = 0; i + 1 < word.length; i++)
        counts.set(`${word[i]} ${word[i + 1]}`, (counts.get(`${word[i]} ${word[i + 1]}`) ?? 0) + 1)
    const order = ([a, countA]: [string, number], [b, countB]: [string, number]) => {
      const [[leftA, rightA], [leftB, rightB]] = [a.split(" ").map(Number), b.split(" ").map(Number)]
      return countB - countA || leftA! - leftB! || rightA! - rightB!
    }
    const best = [...counts].filter(([, count]) => count >= 2).sort(order)[0]
    if (best === undefined) break
    joins.push(best[0])
    const [left, right] = best[0].split(" ").map(Number)
    for (const word of words)
      for (let i = 0; i + 1 < word.length; i++) if (word[i] === left && word[i + 1] === right) word.splice(i, 2, id)
  }
  return joins
}

/** Joins of a trained tokenizer as pairs of ids. */
function joinsOf(tokenizer: Awaited<ReturnType<typeof trainBpe>>): string[] {
  const { model } = JSON.parse(tokenizer.toJson()) as { model: { merges: [string, string][] } }
  return model.merges.map(([left, right]) => `${tokenizer.tokenToId(left)} ${tokenizer.tokenToId(right)}`)
}

describe("learning a vocabulary", () => {
  it("joins what the plain algorithm joins, in the same order", async () => {
    expect(joinsOf(await trainBpe(SENTENCES, options))).toEqual(learnSlowly(SENTENCES, 300))
    const letters = fc
      .array(fc.constantFrom("a", "a", "b", "c", " ", "é"), { maxLength: 60 })
      .map((list) => list.join(""))
    await fc.assert(
      fc.asyncProperty(
        fc.array(letters, { minLength: 1, maxLength: 4 }).filter((texts) => texts.join("") !== ""),
        async (texts) => {
          expect(joinsOf(await trainBpe(texts, options))).toEqual(learnSlowly(texts, 300))
        },
      ),
      { numRuns: 200 },
    )
  })

  it("does not depend on the order of the texts, nor on pauses", async () => {
    const first = await trainBpe(SENTENCES, options)
    let turns = 0
    const yieldToEventLoop = async () => void turns++
    const second = await trainBpe([...SENTENCES].reverse(), { ...options, yieldToEventLoop })
    expect(second.toJson()).toBe(first.toJson())
    expect(turns).toBeGreaterThan(0)
  })

  it("reads async texts, one after the other", async () => {
    async function* texts() {
      yield* SENTENCES
    }
    expect((await trainBpe(texts(), options)).toJson()).toBe((await trainBpe(SENTENCES, options)).toJson())
  })

  it("has exactly the size asked for: bytes, joins, special tokens", async () => {
    for (const specialTokens of [[], ["<|endoftext|>"], ["<|endoftext|>", "<|user|>", "<|model|>"]]) {
      const tokenizer = await trainBpe(SENTENCES, { vocabSize: 270, specialTokens })
      expect(tokenizer.vocabSize).toBe(270)
      expect(tokenizer.note).toBeUndefined()
      expect([...tokenizer.specialTokens.values()]).toEqual(specialTokens.map((_, i) => 270 - specialTokens.length + i))
    }
    expect((await trainBpe(["x"], { vocabSize: 256, specialTokens: [] })).vocabSize).toBe(256)
  })

  it("says aloud when the text is too small for the vocabulary", async () => {
    const tokenizer = await trainBpe(["abab"], { vocabSize: 8192 })
    expect(tokenizer.vocabSize).toBe(258)
    expect(tokenizer.note).toBe("the text has pairs for 258 tokens of the 8192 asked for")
    expect(tokenizer.kind).toBe("bpe")
    expect((await trainBpe(["x"], { vocabSize: 300 })).kind).toBe("bpe")
  })

  it("refuses no text, damaged text, a size without room for the bytes, and no threads", async () => {
    await expect(trainBpe([], options)).rejects.toThrow(DataError)
    await expect(trainBpe(["", ""], options)).rejects.toThrow("there is no text")
    await expect(trainBpe(["ok", "a\udc00"], options)).rejects.toThrow(DataError)
    for (const vocabSize of [0, 255, 256, 300.5, NaN])
      await expect(trainBpe(["text"], { vocabSize })).rejects.toThrow(ConfigError)
    for (const threads of [0, 1.5, NaN])
      await expect(trainBpe(["text"], { ...options, threads })).rejects.toThrow(/threads/)
  })

  it("learns no join that is spelled like a special token", async () => {
    const tokenizer = await trainBpe(["end end end ending"], { vocabSize: 262, specialTokens: ["end"] })
    expect(tokenizer.tokenToId("end")).toBe(tokenizer.specialTokens.get("end"))
    expect(tokenizer.decode(tokenizer.encode("the end"))).toBe("the end")
  })

  it("a word of a million letters is learned from and encoded in steps that do not square", async () => {
    const tokenizer = await trainBpe(["a".repeat(1e6), "😀".repeat(1e5)], { vocabSize: 270 })
    const ids = tokenizer.encode("a".repeat(1e6))
    expect(ids.length).toBeLessThan(1e6 / 100)
    expect(tokenizer.decode(ids)).toBe("a".repeat(1e6))
  })

  it("long and short words are joined alike", async () => {
    const tokenizer = await trainBpe(SENTENCES, options)
    const letters = fc
      .array(fc.constantFrom(..."lowerstaaaa"), { minLength: 1, maxLength: 47 })
      .map((list) => list.join(""))
    fc.assert(
      fc.property(letters, (word) => {
        // A space-separated tail that merges with nothing makes the word long, and changes none of its joins.
        const [short, long] = [tokenizer.encode(word), tokenizer.encode(word + "Q".repeat(140))]
        expect(long.subarray(0, short.length)).toEqual(short)
      }),
      { numRuns: 300 },
    )
  })

  it("reports its progress", async () => {
    const seen: string[] = []
    await trainBpe(["ab cd ".repeat(40_000), ...SENTENCES], { ...options, onProgress: ({ phase }) => seen.push(phase) })
    expect(seen).toContain("count")
  })
})
