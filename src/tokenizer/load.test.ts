import { describe, expect, it } from "vitest"
import { FormatError } from "../core/index.ts"
import { charactersTokenizer, loadTokenizer, type Tokenizer, trainBpe } from "./index.ts"

const bpe = (await trainBpe(["the then there these"], { vocabSize: 262 })).toJson()
const characters = (await charactersTokenizer(["abc"])).toJson()

type Json = { [key: string]: any }
function changed(text: string, change: (root: Json) => void): string {
  const root = JSON.parse(text) as Json
  change(root)
  return JSON.stringify(root)
}

/** The token of the first merge. */
const joined = (root: Json): string => root["model"]["merges"][0].join("")
/** Makes a token of the vocabulary special, and nothing else wrong. */
const specialize = (root: Json, content: string): void =>
  root["added_tokens"].push({ content, id: root["model"]["vocab"][content], special: true })

describe("a tokenizer.json", () => {
  it.each<[string, (root: Json) => void]>([
    ["a merge of an unknown token", (root) => root["model"]["merges"].push(["q", "zz"])],
    ["a merge into an unknown token", (root) => root["model"]["merges"].push(["q", "z"])],
    ["a merge of a special token", (root) => root["model"]["merges"].push(["<|endoftext|>", "t"])],
    ["a merge of __proto__", (root) => root["model"]["merges"].push(["__proto__", "constructor"])],
    ["a merge given twice", (root) => root["model"]["merges"].push(root["model"]["merges"][0])],
    ["a merge into a special token", (root) => specialize(root, joined(root))],
    ["an id out of range", (root) => (root["model"]["vocab"]["a"] = 1e9)],
    ["an id twice", (root) => (root["model"]["vocab"]["a"] = root["model"]["vocab"]["b"])],
    [
      "a byte without token",
      (root) => {
        root["model"]["vocab"]["zz"] = root["model"]["vocab"]["a"]
        delete root["model"]["vocab"]["a"]
      },
    ],
    [
      "a token in other letters",
      (root) => {
        root["model"]["vocab"]["漢"] = root["model"]["vocab"][joined(root)]
        delete root["model"]["vocab"][joined(root)]
        root["model"]["merges"] = []
      },
    ],
    ["a byte as special token", (root) => specialize(root, "a")],
    ["an added token that is not special", (root) => (root["added_tokens"][0].special = false)],
    ["a normalizer", (root) => (root["normalizer"] = { type: "NFC" })],
    ["another pre-tokenizer", (root) => (root["pre_tokenizer"] = { type: "Whitespace" })],
    ["no pre-tokenizer", (root) => (root["pre_tokenizer"] = null)],
    ["a prefix space", (root) => (root["pre_tokenizer"].add_prefix_space = true)],
    ["a prefix space by default", (root) => delete root["pre_tokenizer"].add_prefix_space],
    ["merges across words", (root) => (root["pre_tokenizer"].use_regex = false)],
    ["a template with control tokens", (root) => (root["post_processor"] = { type: "TemplateProcessing" })],
    ["another decoder", (root) => (root["decoder"] = { type: "WordPiece" })],
    ["ignore_merges", (root) => (root["model"]["ignore_merges"] = true)],
  ])("with %s is refused", (_, change) => {
    expect(() => loadTokenizer(changed(bpe, change))).toThrow(FormatError)
  })

  it.each<[string, (root: Json) => void]>([
    ["two letters in one character", (root) => (root["model"]["vocab"] = { ab: 0, b: 1, c: 2, "<|endoftext|>": 3 })],
    [
      "a special token before the characters",
      (root) => {
        root["model"]["vocab"] = { a: 1, b: 2, c: 3, "<|endoftext|>": 0 }
        root["added_tokens"][0].id = 0
      },
    ],
    ["merges of characters", (root) => (root["model"]["merges"] = [["a", "b"]])],
  ])("with %s is refused", (_, change) => {
    expect(() => loadTokenizer(changed(characters, change))).toThrow(FormatError)
  })

  it("GPT-2's own way to write one is read: special token inside the vocabulary, merges as text, parts spelled out", () => {
    const theirs = changed(bpe, (root) => {
      root["model"]["merges"] = root["model"]["merges"].map((pair: string[]) => pair.join(" "))
      root["post_processor"] = { type: "ByteLevel", add_prefix_space: true, trim_offsets: false }
      root["pre_tokenizer"] = { type: "ByteLevel", add_prefix_space: false, trim_offsets: true }
      delete root["model"]["vocab"]["<|endoftext|>"]
      root["model"]["unk_token"] = ""
    })
    expect(loadTokenizer(theirs).toJson()).toBe(bpe)
  })

  it.each([
    ["bpe", bpe],
    ["characters", characters],
  ])("with any one character changed, %s is refused or still a tokenizer", (_, text) => {
    for (let at = 0; at < text.length; at += 3)
      for (const char of '"[{0,b\\\ud800') {
        const tokenizer = loadOrRefuse(text.slice(0, at) + char + text.slice(at + 1))
        if (tokenizer?.kind === "bpe") expect(tokenizer.decode(tokenizer.encode("the abc"))).toBe("the abc")
      }
  })

  it("cut short anywhere is refused", () => {
    for (let length = 0; length < characters.length; length++)
      expect(loadOrRefuse(characters.slice(0, length))).toBeUndefined()
  })
})

function loadOrRefuse(text: string): Tokenizer | undefined {
  try {
    return loadTokenizer(text)
  } catch (error) {
    expect(error).toBeInstanceOf(FormatError)
    return undefined
  }
}
