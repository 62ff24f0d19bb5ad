import fc from "fast-check"
import { beforeAll, describe, expect, it } from "vitest"
import { ConfigError, DataError } from "../core/index.ts"
import { bytesTokenizer, charactersTokenizer, loadTokenizer, streamDecoder, type Tokenizer, trainBpe } from "./index.ts"

const SAMPLE = "the cat sat on the mat; the other cat's hat — ça va? 漢字 😀\n\n\tthe end. ".repeat(3)
const anyText = fc.oneof(
  fc.string({ unit: "grapheme" }),
  fc.string({ unit: "binary" }),
  fc.constantFrom("\ufeffbom", "\u0000", "<|endoftext|>", "e\u0301"),
)
const sampleText = fc
  .array(fc.constantFrom(...SAMPLE), { maxLength: 40 })
  .map((letters) => letters.join(""))
  .filter((text) => text.isWellFormed())
const anyBytes = fc.uint8Array({ maxLength: 40 })
const utf8 = (text: string) => new TextEncoder().encode(text)

const tokenizers: { [kind: string]: Tokenizer } = {}
beforeAll(async () => {
  tokenizers["bytes"] = bytesTokenizer()
  tokenizers["characters"] = await charactersTokenizer([SAMPLE])
  tokenizers["bpe"] = await trainBpe([SAMPLE], { vocabSize: 300 })
})

describe.each(["bytes", "characters", "bpe"] as const)("%s", (kind) => {
  const texts = kind === "characters" ? sampleText : fc.oneof(anyText, sampleText)
  const get = () => tokenizers[kind]!

  it("says what it is, and every id has one token", () => {
    const tokenizer = get()
    expect(tokenizer.kind).toBe(kind)
    expect(tokenizer.endOfText).toBe(tokenizer.vocabSize - 1)
    const spelled = Array.from({ length: tokenizer.vocabSize }, (_, id) => tokenizer.idToToken(id))
    expect(new Set(spelled).size).toBe(tokenizer.vocabSize)
    for (const [id, token] of spelled.entries()) expect(tokenizer.tokenToId(token)).toBe(id)
    expect(tokenizer.tokenToId("__proto__")).toBeUndefined()
  })

  it("any well-formed text it knows comes back", () => {
    fc.assert(
      fc.property(texts, (text) => {
        const ids = get().encode(text)
        expect(get().decode(ids)).toBe(text)
        expect(get().decodeBytes(ids)).toEqual(utf8(text))
        expect(get().encodeBytes(utf8(text))).toEqual(ids)
      }),
      { numRuns: 500 },
    )
  })

  it("its tokenizer.json gives the same tokenizer", () => {
    const loaded = loadTokenizer(get().toJson())
    expect(loaded.kind).toBe(kind)
    expect(loaded.toJson()).toBe(get().toJson())
    expect([...loaded.specialTokens]).toEqual([...get().specialTokens])
    expect(loaded.endOfText).toBe(get().endOfText)
    fc.assert(
      fc.property(texts, (text) => {
        expect(loaded.encode(text)).toEqual(get().encode(text))
      }),
    )
  })

  it("text never becomes a control token unless asked to", () => {
    const tokenizer = get()
    const text = kind === "characters" ? "the" : "the<|endoftext|>"
    expect(tokenizer.encode(text)).not.toContain(tokenizer.endOfText)
    expect(tokenizer.decode(tokenizer.encode(text))).toBe(text)
    const ids = tokenizer.encode("the<|endoftext|> cat<|endoftext|>", { allowSpecial: true })
    expect([...ids].filter((id) => id === tokenizer.endOfText)).toHaveLength(2)
    expect(ids.at(-1)).toBe(tokenizer.endOfText)
    expect(tokenizer.decode(ids)).toBe("the cat")
    expect(tokenizer.tokenBytes(tokenizer.endOfText!)).toHaveLength(0)
  })

  it("half of a surrogate pair is named with its place", () => {
    expect(() => get().encode("the \ud83d cat")).toThrow(DataError)
    expect(() => get().encode("the \ud83d cat")).toThrow(/U\+D83D at position 4/)
  })

  it("ids that are none are refused", () => {
    for (const id of [-1, get().vocabSize, 1.5, NaN]) {
      expect(() => get().decode([id])).toThrow(DataError)
      expect(() => get().tokenBytes(id)).toThrow(DataError)
      expect(() => get().idToToken(id)).toThrow(DataError)
    }
  })

  it("streamed text is the decoded text, and each piece is whole characters", () => {
    const ids = fc.array(fc.nat(10_000), { maxLength: 30 })
    fc.assert(
      fc.property(ids, texts, (list, text) => {
        const some = [...list.map((id) => id % get().vocabSize), ...get().encode(text)]
        const stream = streamDecoder(get())
        const pieces = some.map((id) => stream.push(id))
        expect(pieces.every((piece) => piece.isWellFormed())).toBe(true)
        expect(pieces.join("") + stream.end()).toBe(get().decode(some))
      }),
    )
  })

  it("special tokens must be spellings of their own", () => {
    const make = async (specialTokens: string[]) =>
      kind === "bytes"
        ? bytesTokenizer({ specialTokens })
        : kind === "bpe"
          ? trainBpe(["text"], { vocabSize: 300, specialTokens })
          : charactersTokenizer(["text"], { specialTokens })
    const wrong = [["<a>", "<a>"], [""], ["x"], ["\ud800"]]
    return Promise.all(wrong.map((specialTokens) => expect(make(specialTokens)).rejects.toThrow(ConfigError)))
  })
})

describe.each(["bytes", "bpe"] as const)("%s", (kind) => {
  it("any bytes come back", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          anyBytes,
          fc.tuple(anyBytes, anyText, anyBytes).map(([a, text, b]) => Uint8Array.from([...a, ...utf8(text), ...b])),
        ),
        (bytes) => {
          expect(tokenizers[kind]!.decodeBytes(tokenizers[kind]!.encodeBytes(bytes))).toEqual(bytes)
        },
      ),
      { numRuns: 1000 },
    )
  })

  it("bytes that are no UTF-8 are shown as U+FFFD", () => {
    expect(tokenizers[kind]!.decode(tokenizers[kind]!.encodeBytes(Uint8Array.of(0x61, 0xff, 0x62)))).toBe("a\ufffdb")
  })
})

describe("bytes", () => {
  it("an id is its byte; special tokens can be none", () => {
    expect([...bytesTokenizer().encode("aé")]).toEqual([0x61, 0xc3, 0xa9])
    const plain = bytesTokenizer({ specialTokens: [] })
    expect([plain.vocabSize, plain.endOfText]).toEqual([256, undefined])
    expect([...plain.encode("<|endoftext|>", { allowSpecial: true })]).toEqual([...utf8("<|endoftext|>")])
  })
})

describe("characters", () => {
  it("ids follow the code points, beyond the basic plane too", async () => {
    const tokenizer = await charactersTokenizer(["zb\uffee", "a😀b"], { specialTokens: [] })
    expect(Array.from({ length: tokenizer.vocabSize }, (_, id) => tokenizer.idToToken(id))).toEqual([
      "a",
      "b",
      "z",
      "\uffee",
      "😀",
    ])
  })

  it("an unknown character is named with its code point, its place and a way out", () => {
    const act = () => tokenizers["characters"]!.encode("the 😀 zebra", {})
    expect(act).toThrow(/"z" \(U\+007A\) at position 7/)
    expect(act).toThrow(expect.objectContaining({ code: "data", hint: expect.stringMatching(/bpe or bytes/) }))
    expect(() => tokenizers["characters"]!.encode("cat<|endoftext|>z", { allowSpecial: true })).toThrow(/position 16/)
  })

  it("bytes that are no characters are refused", () => {
    expect(() => tokenizers["characters"]!.encodeBytes(Uint8Array.of(0x61, 0xff))).toThrow(/byte 1 begins no UTF-8/)
  })

  it("no text is no vocabulary", () => expect(charactersTokenizer([""])).rejects.toThrow(DataError))
})
