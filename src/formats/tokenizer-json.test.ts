import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { FormatError } from "../core/index.ts"
import { parseTokenizerJson, serializeTokenizerJson, type TokenizerJson } from "./index.ts"

const json: TokenizerJson = {
  addedTokens: [{ id: 4, content: "<|endoftext|>", special: true }],
  normalizer: null,
  preTokenizer: { type: "ByteLevel", add_prefix_space: false },
  postProcessor: null,
  decoder: { type: "ByteLevel", vocab: "@" },
  vocab: ["a", "b", "ab", "__proto__", "<|endoftext|>"],
  merges: [["a", "b"]],
  ignoreMerges: false,
}
const text = serializeTokenizerJson(json)

type Json = { [key: string]: any }
/** The file with one change made to its data. */
function changed(change: (root: Json) => void): string {
  const root = JSON.parse(text) as Json
  change(root)
  return JSON.stringify(root)
}

function readOrRefuse(damaged: string): "read" | "refused" {
  try {
    const { vocab } = parseTokenizerJson(damaged)
    for (const token of vocab) expect(typeof token).toBe("string")
    return "read"
  } catch (error) {
    expect(error).toBeInstanceOf(FormatError)
    return "refused"
  }
}

describe("tokenizer.json", () => {
  it("what is serialized is parsed", () => {
    expect(parseTokenizerJson(text)).toEqual(json)
    const tokens = fc.uniqueArray(fc.string({ unit: "grapheme", minLength: 1 }), { minLength: 1 })
    fc.assert(
      fc.property(tokens, (vocab) => {
        const file: TokenizerJson = {
          ...json,
          vocab,
          addedTokens: [],
          merges: vocab.map((token) => [token, vocab[0]!]),
        }
        expect(parseTokenizerJson(serializeTokenizerJson(file))).toEqual(file)
      }),
    )
  })

  it("is JSON that others read: ids in order, the model last", () => {
    const root = JSON.parse(text) as Json
    expect(root["model"]["type"]).toBe("BPE")
    expect(Object.entries(root["model"]["vocab"])).toEqual([
      ["a", 0],
      ["b", 1],
      ["ab", 2],
      ["__proto__", 3],
      ["<|endoftext|>", 4],
    ])
    expect(root["added_tokens"][0]).toMatchObject({ id: 4, content: "<|endoftext|>", special: true, lstrip: false })
  })

  it("merges may be written as one text, as older files do", () => {
    expect(parseTokenizerJson(changed((root) => (root["model"]["merges"] = ["a b"]))).merges).toEqual([["a", "b"]])
  })

  it("a file cut short anywhere is refused", () => {
    for (let length = 0; length < text.length; length++) expect(readOrRefuse(text.slice(0, length))).toBe("refused")
  })

  it("a file with any character changed is refused or read, and nothing else", () => {
    for (let at = 0; at < text.length; at++)
      for (const char of '"{[0-9,:\\\u0000\ud800x') readOrRefuse(text.slice(0, at) + char + text.slice(at + 1))
  })

  it("ids are 0 … n-1, one for each token", () => {
    const damages: ((root: Json) => void)[] = [
      (root) => (root["model"]["vocab"]["ab"] = 1),
      (root) => (root["model"]["vocab"]["ab"] = 7),
      (root) => (root["model"]["vocab"]["ab"] = -1),
      (root) => (root["model"]["vocab"]["ab"] = 1.5),
      (root) => (root["model"]["vocab"]["ab"] = "2"),
      (root) => (root["model"]["vocab"]["ab"] = null),
      (root) => (root["model"]["vocab"]["ab"] = { a: 1 }),
      (root) => delete root["model"]["vocab"]["ab"],
      (root) => (root["model"]["vocab"]["\ud800"] = 5),
      (root) => (root["model"]["vocab"][""] = 5),
      (root) => (root["model"]["vocab"] = null),
      (root) => (root["added_tokens"][0]["id"] = 2),
      (root) => (root["added_tokens"][0]["id"] = 5),
      (root) => (root["added_tokens"][0]["content"] = ""),
      (root) => (root["added_tokens"][0]["content"] = 3),
      (root) => root["added_tokens"].push(root["added_tokens"][0]),
      (root) => (root["added_tokens"] = {}),
    ]
    for (const damage of damages) expect(readOrRefuse(changed(damage)), damage.toString()).toBe("refused")
    expect(() => parseTokenizerJson(text.replace('"b":1', '"a":1'))).toThrow("given twice")
  })

  it("an added token may stand in the vocabulary or not", () => {
    expect(parseTokenizerJson(changed((root) => delete root["model"]["vocab"]["<|endoftext|>"])).vocab).toEqual(
      json.vocab,
    )
  })

  it("what we would read otherwise than meant is refused", () => {
    const damages: ((root: Json) => void)[] = [
      (root) => (root["model"]["type"] = "WordPiece"),
      (root) => delete root["model"]["type"],
      (root) => (root["model"] = []),
      (root) => (root["model"]["byte_fallback"] = true),
      (root) => (root["model"]["end_of_word_suffix"] = "</w>"),
      (root) => (root["model"]["continuing_subword_prefix"] = "##"),
      (root) => (root["model"]["dropout"] = 0.1),
      (root) => (root["model"]["merges"] = [["a"]]),
      (root) => (root["model"]["merges"] = [["a", ""]]),
      (root) => (root["model"]["merges"] = ["a b c"]),
      (root) => (root["model"]["merges"] = [["a", 1]]),
      (root) => (root["model"]["merges"] = "a b"),
    ]
    for (const damage of damages) expect(readOrRefuse(changed(damage)), damage.toString()).toBe("refused")
    for (const whole of ["", "null", "[]", "1", '"x"', "{}", "[".repeat(100_000)])
      expect(readOrRefuse(whole)).toBe("refused")
  })
})
