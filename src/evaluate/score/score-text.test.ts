// Texts as a stream: closed forms, the same bits whatever the batches, documents and blocks that add up, little held at once.
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { randomModel, styles, TEXTS } from "../../../test/laws/support.ts"
import { type Device, openDevice, openReferenceDevice } from "../../backends/index.ts"
import { randomStream } from "../../core/index.ts"
import { type Document, hashText } from "../../data/index.ts"
import { createModel, type Model } from "../../generate/index.ts"
import { type DecoderConfig, decoder, decoderParameters } from "../../models/index.ts"
import { crossEntropy, input, program, reshape } from "../../tensor/index.ts"
import { bytesTokenizer, charactersTokenizer, type Tokenizer, trainBpe } from "../../tokenizer/index.ts"
import { evaluate } from "../evaluate.ts"
import { BLOCK_BYTES, type DocumentScore } from "./document-score.ts"
import { scoreText } from "./score-text.ts"

const T = 16
const SIZES = { vocabSize: 257, hiddenSize: 32, numHiddenLayers: 2, maxPositionEmbeddings: T }

let device: Device
beforeAll(async () => {
  device = await openDevice({ lanes: 2 })
})
afterAll(() => device.close())

const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0)
const withoutEnd = () => bytesTokenizer({ specialTokens: [] })
const utf8 = (text: string): number => new TextEncoder().encode(text).length

/** A model whose logits are the same in every place: those of `logits`, or all 0. */
function constantModel(on: Device, tokenizer: Tokenizer, logits?: readonly number[]): Promise<Model> {
  const config: DecoderConfig = {
    ...styles["default"]!({ ...SIZES, vocabSize: tokenizer.vocabSize, hiddenSize: 16, numHiddenLayers: 0 }),
    tieWordEmbeddings: false,
    embeddingNorm: false,
    logitSoftcap: 0,
    normGain: false,
    normEps: 0,
    norm: "rmsnorm",
  }
  const parameters = Object.fromEntries(
    Object.entries(decoderParameters(config)).map(([name, { shape }]) => {
      const values = new Float32Array(shape.reduce((a, b) => a * b, 1))
      if (name !== "lm_head.weight") return [name, values.fill(1)] // hidden rows are all 1
      for (const [id, logit] of (logits ?? []).entries()) values[16 * id] = logit
      return [name, values]
    }),
  )
  return createModel({ config, tokenizer, parameters }, { device: on })
}

describe("closed forms", () => {
  it.each([
    ["with an end-of-text token", () => bytesTokenizer()],
    ["without", withoutEnd],
  ])("a uniform model gives log2(V) bits a token, %s", async (_, tokenizer) => {
    await using model = await constantModel(device, tokenizer())
    const { bitsPerToken, bitsPerByte, tokens, bytes, reliability } = await evaluate(model, {
      data: TEXTS,
      reliability: true,
    })
    const V = tokenizer().vocabSize
    expect(Math.abs(bitsPerToken - Math.log2(V))).toBeLessThan(1e-7 * Math.log2(V)) // f32 holds ln V to 6e-8
    expect(bitsPerByte).toBeCloseTo((bitsPerToken * tokens) / bytes, 12)
    expect(reliability!.accuracy).toBeCloseTo(1 / V, 8) // all are likeliest: each has its share
    expect(reliability!.expectedCalibrationError).toBeLessThan(1e-9)
  })

  it("a unigram model's nats are those of its probabilities, each token's rounded to f32, to 1e-9 a byte", async () => {
    await using reference = openReferenceDevice()
    const stream = randomStream(4, "unigram")
    const logits = Array.from({ length: 256 }, () => Math.fround(2 * stream.normal()))
    await using model = await constantModel(reference, withoutEnd(), logits)
    const text = TEXTS.slice(0, 3).join("\n")
    const { nats, bytes } = await scoreText(model, { data: text })
    const logTotal = Math.log(sum(logits.map(Math.exp)))
    const targets = [...new TextEncoder().encode(text)].slice(1)
    const expected = sum(targets.map((id) => Math.fround(logTotal - logits[id]!))) // a device gives f32
    expect(bytes).toBe(targets.length)
    expect(Math.abs(nats - expected) / bytes).toBeLessThan(1e-9)
  })

  it("probabilities are reliable by as much as the likeliest token is right", async () => {
    const ids = new TextEncoder().encode("aaab".repeat(40))
    const logits = Array.from({ length: 256 }, (_, id) => (id === 97 ? Math.log(3 * 255) : 0)) // p(a) = 3/4
    await using model = await constantModel(device, withoutEnd(), logits)
    const { reliability } = await scoreText(model, { data: "aaab".repeat(40), reliability: true })
    const right = ids.subarray(1).filter((id) => id === 97).length / (ids.length - 1)
    expect(reliability!.bins.length).toBe(1)
    expect(reliability!.bins[0]!.count).toBe(ids.length - 1)
    expect(reliability!.bins[0]!.confidence).toBeCloseTo(0.75, 6)
    expect(reliability!.accuracy).toBeCloseTo(right, 12)
    expect(reliability!.expectedCalibrationError).toBeCloseTo(0.75 - right, 6)
  })
})

describe("the same windows", () => {
  let model: Model
  let whole: string
  beforeAll(async () => {
    const config = styles["default"]!({ ...SIZES, vocabSize: 256 })
    const parameters = Object.fromEntries(
      Object.entries(decoderParameters(config)).map(([name, { shape }]) => {
        const stream = randomStream(1, name)
        return [name, Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => 0.2 * stream.normal())]
      }),
    )
    model = await createModel({ config, tokenizer: withoutEnd(), parameters }, { device })
    whole = TEXTS.slice(0, 12).join("\n")
  })
  afterAll(() => model.close())

  it.each([1, 2, 3, 7, 64])("give the same nats in batches of %i", async (batchSize) => {
    const { nats } = await scoreText(model, { data: whole })
    expect(Math.abs((await scoreText(model, { data: whole, batchSize })).nats - nats) / utf8(whole)).toBeLessThan(1e-9)
  })

  it("give the same bits per byte in one piece and in ten", async () => {
    const pieces = Array.from({ length: 10 }, (_, i) => whole.slice(i * 173, i === 9 ? whole.length : (i + 1) * 173))
    expect(pieces.join("")).toBe(whole)
    const [one, ten] = [await evaluate(model, { data: whole }), await evaluate(model, { data: pieces })]
    expect(Math.abs(one.bitsPerByte - ten.bitsPerByte)).toBeLessThan(1e-9)
    expect(ten).toMatchObject({ tokens: one.tokens, bytes: one.bytes, characters: one.characters, documents: 10 })
  })

  it("give the same documents whatever is asked for beside", async () => {
    const { documents } = await scoreText(model, { data: [whole] })
    expect((await scoreText(model, { data: [whole], reliability: true })).documents).toEqual(documents)
  })

  it("moved on by a stride predict each token once, after at least as much context", async () => {
    for (const [stride, batchSize] of [
      [5, 3],
      [1, 2],
      [15, 4],
    ] as const) {
      const { nats, tokens, protocol } = await scoreText(model, { data: whole, stride, batchSize })
      const ids = [...new TextEncoder().encode(whole)]
      expect(tokens).toBe(ids.length - 1)
      expect(protocol).toContain(`at least the ${T - stride} before it`)
      expect(nats).toBeCloseTo(await natsByStride(model, ids, stride), 2)
    }
  })

  it("of a stride as long as the context do not overlap", async () => {
    expect(await scoreText(model, { data: whole, stride: T })).toEqual(await scoreText(model, { data: whole }))
  })
})

/** The slow way: each window alone, and of each only what none before it has predicted. */
async function natsByStride({ config, parameters, workspace }: Model, ids: readonly number[], stride: number) {
  const [tokens, targets] = [input("tokens", [1, T], "i32"), input("targets", [T], "i32")]
  const { logits } = decoder(config, parameters, tokens)
  const rows = crossEntropy(reshape(logits, [T, config.vocabSize]), targets)
  const { pass } = await workspace.compile({ pass: program({ outputs: { rows } }) })
  let total = 0
  for (let start = 0, next = 1; next < ids.length; start += stride) {
    const at = (i: number) => ids[start + i] ?? 0
    const found = await pass.run({
      tokens: Array.from({ length: T }, (_, i) => at(i)),
      targets: Array.from({ length: T }, (_, i) => at(i + 1)),
    })
    for (; next <= start + T && next < ids.length; next++) total += found["rows"]![next - 1 - start]!
  }
  return total
}

describe("documents and blocks", () => {
  const long = Array.from({ length: 700 }, (_, i) => `ünïcode wörds ${i} — and a kinglet 🐦.`).join(" ")
  const items: Document[] = [
    { id: "first", text: "the kinglet" },
    { id: "empty", text: "" },
    { id: "long", text: long },
    { id: "again", text: "the kinglet" },
  ]
  const tokenizers: { readonly [name: string]: () => Tokenizer | Promise<Tokenizer> } = {
    bytes: () => bytesTokenizer(),
    "bytes without an end": withoutEnd,
    characters: () => charactersTokenizer([long, "the kinglet"]),
    bpe: () => trainBpe([long], { vocabSize: 300 }),
  }

  const scored = async (tokenizer: Tokenizer, data: readonly Document[]) => {
    await using model = await constantModel(
      device,
      tokenizer,
      Array.from({ length: tokenizer.vocabSize }, (_, id) => Math.sin(id)),
    )
    return { model, score: await scoreText(model, { data }) }
  }

  it.each(Object.keys(tokenizers))("add up to the whole, over %s", async (name) => {
    const tokenizer = await tokenizers[name]!()
    const { score } = await scored(tokenizer, items)
    const { documents } = score
    expect(documents.map(({ id }) => id)).toEqual(["first", "empty", "long", "again"])
    for (const key of ["nats", "tokens", "bytes", "characters"] as const)
      expect(sum(documents.map((document) => document[key]))).toBeCloseTo(score[key], 8)
    for (const [i, { nats, blockNats, sha256 }] of documents.entries()) {
      expect(sum([...blockNats])).toBeCloseTo(nats, 8)
      expect(blockNats.length).toBe(Math.max(1, Math.ceil(utf8(items[i]!.text) / BLOCK_BYTES)))
      expect(sha256).toBe(hashText(items[i]!.text))
    }
    expect(documents[2]!.blockNats.length).toBeGreaterThan(2)
    expect(score.bytes).toBe(
      sum(items.map(({ text }) => utf8(text))) - tokenizer.tokenBytes(tokenizer.encode("t")[0]!).length,
    )
    expect(score.characters).toBe(sum(items.map(({ text }) => [...text].length)) - 1)
    expect(documents[1]!.tokens).toBe(tokenizer.endOfText === undefined ? 0 : 1)
  })

  it("have the nats of their own tokens, each in the block of its first byte", async () => {
    const tokenizer = await trainBpe([long], { vocabSize: 300 })
    const { score } = await scored(tokenizer, items)
    const logits = Array.from({ length: tokenizer.vocabSize }, (_, id) => Math.sin(id))
    const logTotal = Math.log(sum(logits.map(Math.exp)))
    const expected = new Array<number>(score.documents[2]!.blockNats.length).fill(0)
    let byte = 0
    for (const id of tokenizer.encode(long)) {
      expected[Math.floor(byte / BLOCK_BYTES)]! += logTotal - logits[id]!
      byte += tokenizer.tokenBytes(id).length
    }
    expected[expected.length - 1]! += logTotal - logits[tokenizer.endOfText!]!
    for (const [i, nats] of score.documents[2]!.blockNats.entries())
      expect(Math.abs(nats / expected[i]! - 1)).toBeLessThan(1e-6)
  })

  it("that are the same text have the same hash and, where no window's border lies between, the same nats", async () => {
    const { score } = await scored(bytesTokenizer(), [{ id: "start", text: "x" }, items[0]!, items[3]!])
    const [, a, b] = score.documents as [DocumentScore, DocumentScore, DocumentScore]
    expect(b).toEqual({ ...a, id: "again" })
  })
})

describe("a text that streams", () => {
  it("is read a few documents ahead, whatever its length", async () => {
    await using model = await randomModel(device, styles["default"]!(SIZES))
    let [read, scoredBytes, mostAhead] = [0, 0, 0]
    const text = "a kinglet sings in the spruce. ".repeat(4) // 124 bytes, one and a half batches
    await scoreText(model, {
      async *data() {
        for (; read < 200; read++) {
          mostAhead = Math.max(mostAhead, read - scoredBytes / text.length)
          yield text
        }
      },
      batchSize: 5,
      onProgress: ({ bytes }) => (scoredBytes = bytes),
    })
    expect(mostAhead).toBeLessThan(4)
  })

  it("from a generator is read once, and not kept", async () => {
    await using model = await randomModel(device, styles["default"]!(SIZES))
    const items = (function* () {
      yield* TEXTS.slice(0, 5)
    })()
    const { documents, bytes } = await scoreText(model, { data: items })
    expect(documents.length).toBe(5)
    expect(bytes).toBe(sum(TEXTS.slice(0, 5).map(utf8)) - 1)
  })

  it("tells how far it is, all of it in the end", async () => {
    await using model = await randomModel(device, styles["default"]!(SIZES))
    const told: { tokens: number; bytes: number; documents: number }[] = []
    const { tokens, bytes } = await scoreText(model, { data: TEXTS, onProgress: (progress) => told.push(progress) })
    expect(told.at(-1)).toEqual({ tokens, bytes, documents: TEXTS.length })
  })
})

describe("what cannot be scored is said in a sentence", () => {
  let model: Model
  beforeAll(async () => {
    model = await randomModel(device, styles["default"]!(SIZES))
  })
  afterAll(() => model.close())

  it("a text shorter than a context, unless that is allowed", async () => {
    await expect(scoreText(model, { data: "a wren" })).rejects.toThrow(
      /shorter than one context: expected at least 17 tokens, got 7/,
    )
    const { tokens, bytes } = await scoreText(model, { data: "a wren", allowShort: true })
    expect([tokens, bytes]).toEqual([6, 5])
  })

  it("a text of fewer than two tokens", async () => {
    await expect(scoreText(model, { data: [], allowShort: true })).rejects.toThrow("at least 2 tokens, got 0")
  })

  it("documents without a byte to predict", async () => {
    const data = Array.from({ length: 40 }, () => "")
    await expect(scoreText(model, { data })).rejects.toThrow("expected a text with bytes to predict")
    await expect(scoreText(model, { data: ["x"], allowShort: true })).rejects.toThrow("bytes to predict") // its end only
  })

  it("a model whose loss is not a number; an infinite loss is one", async () => {
    await using astray = await constantModel(device, withoutEnd(), [Number.NaN])
    for (const reliability of [false, true])
      await expect(evaluate(astray, { data: TEXTS, reliability })).rejects.toThrow("is not a number: its training went")
    await using certain = await constantModel(device, withoutEnd(), [-Infinity])
    const { nats, bytes } = await scoreText(certain, { data: "\0".repeat(40) })
    expect([nats, bytes]).toEqual([Infinity, 39])
    expect(await evaluate(certain, { data: "\0".repeat(40) })).not.toHaveProperty("interval")
  })

  it("a stride or a batch that is none", async () => {
    for (const stride of [0, T + 1, 2.5, NaN])
      await expect(scoreText(model, { data: TEXTS, stride })).rejects.toThrow(`from 1 to the context of ${T} tokens`)
    await expect(scoreText(model, { data: TEXTS, batchSize: 0 })).rejects.toThrow("positive integer, got 0")
  })

  it("an unknown character, with its place in the whole text", async () => {
    const tokenizer = await charactersTokenizer(["abc "])
    await using small = await constantModel(device, tokenizer)
    const text = `${"abc ".repeat(20_000)}abß`
    await expect(scoreText(small, { data: text })).rejects.toThrow("position 80002")
  })

  it("a signal that is aborted, with its reason", async () => {
    const reason = new Error("enough")
    const never = scoreText(model, { data: TEXTS, signal: AbortSignal.abort(reason) })
    await expect(never).rejects.toBe(reason)
    const controller = new AbortController()
    const onProgress = () => controller.abort(reason)
    const stopped = scoreText(model, { data: TEXTS, batchSize: 1, signal: controller.signal, onProgress })
    await expect(stopped).rejects.toBe(reason)
  })

  it("what a source throws", async () => {
    const data = async function* () {
      yield* TEXTS
      throw new Error("the disk is gone")
    }
    await expect(scoreText(model, { data })).rejects.toThrow("the disk is gone")
  })
})

describe("a large vocabulary", () => {
  it("is scored some rows at a time, with the bits of all at once", async () => {
    const V = 1 << 17 // 32 rows at a time
    const config = { ...styles["default"]!({ ...SIZES, vocabSize: V, numHiddenLayers: 1, hiddenSize: 16 }) }
    await using model = await randomModel(device, config)
    const data = TEXTS[0]!
    const before = model.workspace.plannedBytes
    const { nats } = await scoreText(model, { data, batchSize: 6 }) // 96 rows
    expect(model.workspace.plannedBytes - before).toBeLessThan(2.5 * 32 * V * 4) // logits and what the softcap makes of them
    expect((await scoreText(model, { data, batchSize: 2 })).nats).toBe(nats) // 32 rows
  })
})
