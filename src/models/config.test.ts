import { describe, expect, it } from "vitest"
import { ConfigError, FormatError } from "../core/index.ts"
import {
  type DecoderConfig,
  decoderParameters,
  fromHuggingFaceConfig,
  fromHuggingFaceTensors,
  initializeParameters,
  parameterCounts,
  presets,
  toHuggingFaceCheckpoint,
  toHuggingFaceConfig,
  validateConfig,
} from "./index.ts"

const sizes = {
  vocabSize: 65,
  hiddenSize: 128,
  numHiddenLayers: 4,
  numAttentionHeads: 4,
  maxPositionEmbeddings: 64,
} as const
const gpt2 = presets.gpt2(sizes)
const llama = presets.llama({ ...sizes, numKeyValueHeads: 2 })
const modern = presets.llama({
  ...sizes,
  qkNorm: true,
  activation: "relu2",
  logitSoftcap: 15,
  residualScalars: true,
  zeroInitProjections: true,
})

type Values = { readonly [name: string]: Float32Array }
const bytesOf = (values: Float32Array) => Buffer.from(values.buffer, values.byteOffset, values.byteLength)

/** Bit for bit; `toEqual` takes seconds over a million numbers. */
function expectSame(got: Values, want: Values): void {
  expect(Object.keys(got).sort()).toEqual(Object.keys(want).sort())
  for (const [name, values] of Object.entries(want))
    expect(bytesOf(got[name]!).equals(bytesOf(values)), name).toBe(true)
}

describe("config", () => {
  it.each([
    [{ numKeyValueHeads: 3 }, "numKeyValueHeads must divide numAttentionHeads, got 3 and 4", "try numKeyValueHeads 2"],
    [
      { headDim: 5 },
      "headDim must be even with rope, got 5",
      "hiddenSize 128 over 4 heads; try another number of heads",
    ],
    [{ dropout: 1 }, "dropout must be in [0, 1), got 1", undefined],
    [{ numHiddenLayers: -1 }, "numHiddenLayers must be a whole number of 0 or more, got -1", undefined],
    [{ vocabSize: 0 }, "vocabSize must be a whole number of 1 or more, got 0", undefined],
    [{ ropeTheta: NaN }, "ropeTheta must be a positive number, got NaN", undefined],
    [{ activation: "relu" as never }, "activation must be one of gelu, gelu_tanh, relu2, swiglu, got relu", undefined],
    [{ qkNorm: 1 as never }, "qkNorm must be true or false, got 1", undefined],
    [{ normBias: true }, "normBias needs layernorm, got rmsnorm", "RMSNorm has a gain and no bias"],
    [{ modelType: "gpt3" as never }, 'modelType must be "kinglet", got "gpt3"', undefined],
  ] satisfies [Partial<DecoderConfig>, string, string | undefined][])(
    "%j is refused in one sentence",
    (change, message, hint) => {
      const refused = (): DecoderConfig => validateConfig({ ...llama, ...change })
      expect(refused).toThrow(ConfigError)
      expect(refused).toThrow(expect.objectContaining({ message, hint }))
    },
  )

  it("a preset says which number of heads would fit the width", () => {
    expect(() => presets.gpt2({ ...sizes, numAttentionHeads: 5 })).toThrow(
      expect.objectContaining({
        message: "numAttentionHeads must divide hiddenSize, got 5 and 128",
        hint: "try numAttentionHeads 4, or give headDim",
      }),
    )
  })

  it("a preset's defaults give way to what is said", () => {
    expect(llama.intermediateSize).toBe(344)
    expect(presets.llama({ ...sizes, intermediateSize: 100, tieWordEmbeddings: true })).toMatchObject({
      intermediateSize: 100,
      tieWordEmbeddings: true,
    })
  })
})

describe("parameters", () => {
  it("count the reference work's 794,752 matmul parameters", () => {
    expect(parameterCounts(gpt2).matmul).toBe(794_752)
  })

  it("count GPT-2 small's 124,439,808", () => {
    const small = presets.gpt2({
      vocabSize: 50257,
      hiddenSize: 768,
      numHiddenLayers: 12,
      numAttentionHeads: 12,
      maxPositionEmbeddings: 1024,
    })
    expect(parameterCounts(small)).toEqual({
      total: 124_439_808,
      nonEmbedding: 85_056_000,
      matmul: 84_934_656 + 50257 * 768,
    })
  })

  it("count SmolLM-135M's 134,515,008", () => {
    const smol = presets.llama({
      vocabSize: 49152,
      hiddenSize: 576,
      intermediateSize: 1536,
      numHiddenLayers: 30,
      numAttentionHeads: 9,
      numKeyValueHeads: 3,
      maxPositionEmbeddings: 2048,
      tieWordEmbeddings: true,
    })
    expect(parameterCounts(smol).total).toBe(134_515_008)
  })

  it("start as the specs say: GPT-2's residual projections are smaller by sqrt(2L)", () => {
    const values = initializeParameters(gpt2, 1)
    const std = (name: string) => Math.sqrt(values[name]!.reduce((total, x) => total + x * x, 0) / values[name]!.length)
    expect(std("model.layers.0.self_attn.q_proj.weight")).toBeCloseTo(0.02, 3)
    expect(std("model.layers.3.mlp.down_proj.weight")).toBeCloseTo(0.02 / Math.sqrt(8), 3)
    expect(std("model.layers.3.self_attn.o_proj.weight")).toBeCloseTo(0.02 / Math.sqrt(8), 3)
    expect(new Set(values["model.norm.weight"])).toEqual(new Set([1]))
    expect(new Set(values["model.norm.bias"])).toEqual(new Set([0]))
  })

  it("start at zero where projections are zeroed, with a head near zero", () => {
    const values = initializeParameters(modern, 1)
    expect(new Set(values["model.layers.0.self_attn.o_proj.weight"])).toEqual(new Set([0]))
    expect(new Set(values["model.layers.0.mlp.down_proj.weight"])).toEqual(new Set([0]))
    expect(Math.max(...values["lm_head.weight"]!)).toBeLessThan(0.006)
    expect([values["model.layers.0.residual_scale"]![0], values["model.layers.0.embedding_scale"]![0]]).toEqual([1, 0])
  })

  it("are the same for the same seed, others for another, and do not move when a layer is added", () => {
    const deeper = initializeParameters({ ...llama, numHiddenLayers: 5 }, 1)
    const name = "model.layers.0.mlp.up_proj.weight"
    expect(initializeParameters(llama, 1)[name]).toEqual(deeper[name])
    expect(initializeParameters(llama, 2)[name]).not.toEqual(deeper[name])
    expect(deeper["model.layers.1.mlp.up_proj.weight"]).not.toEqual(deeper[name])
  })
})

describe("Hugging Face", () => {
  it.each([
    ["gpt2", gpt2],
    ["llama", llama],
    ["modern", modern],
    ["zero layers", presets.llama({ ...sizes, numHiddenLayers: 0 })],
  ])("%s: config.json says the same config when read again", (_, config) => {
    expect(fromHuggingFaceConfig(JSON.parse(JSON.stringify(toHuggingFaceConfig(config))))).toEqual(config)
    const checkpoint = toHuggingFaceCheckpoint(config, initializeParameters(config, 1))
    expect(fromHuggingFaceConfig(JSON.parse(JSON.stringify(checkpoint.config)))).toEqual(config)
  })

  it("names the family that other tools know, and kinglet for the rest", () => {
    expect(toHuggingFaceConfig(llama)).toMatchObject({
      architectures: ["LlamaForCausalLM"],
      model_type: "llama",
      num_key_value_heads: 2,
    })
    expect(toHuggingFaceConfig(modern)).toMatchObject({ model_type: "kinglet", logit_softcap: 15, qk_norm: true })
    expect(toHuggingFaceCheckpoint(gpt2, initializeParameters(gpt2, 1)).config).toMatchObject({
      architectures: ["GPT2LMHeadModel"],
      n_embd: 128,
    })
  })

  it.each([
    ["gpt2", gpt2],
    ["llama", llama],
    ["modern", modern],
  ])("%s: tensors come back from their family's names", (_, config) => {
    const parameters = initializeParameters(config, 1)
    expectSame(fromHuggingFaceTensors(config, toHuggingFaceCheckpoint(config, parameters).tensors), parameters)
  })

  it("GPT-2's fused matrix holds q, k and v as [in, out]", () => {
    const parameters = initializeParameters(gpt2, 1)
    const { tensors } = toHuggingFaceCheckpoint(gpt2, parameters)
    const fused = tensors["transformer.h.1.attn.c_attn.weight"]!
    expect(fused.shape).toEqual([128, 384])
    expect(fused.values[5 * 384 + 128 + 7]).toBe(parameters["model.layers.1.self_attn.k_proj.weight"]![7 * 128 + 5])
    const bare = Object.fromEntries(
      Object.entries(tensors).map(([name, tensor]) => [name.replace("transformer.", ""), tensor]),
    )
    expectSame(fromHuggingFaceTensors(gpt2, bare), parameters)
  })

  it("a missing or misshapen tensor is a FormatError that names it", () => {
    const { "model.norm.weight": norm, ...rest } = toHuggingFaceCheckpoint(
      llama,
      initializeParameters(llama, 1),
    ).tensors
    expect(() => fromHuggingFaceTensors(llama, rest)).toThrow('the file has no tensor "model.norm.weight"')
    const wrong = { ...rest, "model.norm.weight": { ...norm!, shape: [2, 64] } }
    expect(() => fromHuggingFaceTensors(llama, wrong)).toThrow(
      "model.norm.weight must be [128] as config.json says, got [2, 64]",
    )
  })

  it.each([
    [undefined, "config.json must hold an object"],
    [{ model_type: "mamba" }, 'model_type must be gpt2, llama or kinglet, got "mamba"'],
    [{ model_type: "gpt2", n_embd: "8" }, 'n_embd must be a number, got "8"'],
  ])("%j is refused", (json, message) => {
    expect(() => fromHuggingFaceConfig(json)).toThrow(FormatError)
    expect(() => fromHuggingFaceConfig(json)).toThrow(message)
  })

  it("reads the keys that real files leave out", () => {
    const json = {
      model_type: "llama",
      vocab_size: 100,
      hidden_size: 16,
      intermediate_size: 32,
      num_hidden_layers: 1,
      num_attention_heads: 2,
      max_position_embeddings: 8,
      rms_norm_eps: 1e-6,
    }
    expect(fromHuggingFaceConfig(json)).toMatchObject({
      numKeyValueHeads: 2,
      headDim: 8,
      ropeTheta: 10000,
      normEps: 1e-6,
      tieWordEmbeddings: false,
    })
  })

  it("every parameter has a name of Hugging Face's", () => {
    expect(Object.keys(decoderParameters(presets.llama({ ...sizes, numHiddenLayers: 1 })))).toEqual([
      "model.embed_tokens.weight",
      "model.layers.0.input_layernorm.weight",
      ...["q", "k", "v", "o"].map((part) => `model.layers.0.self_attn.${part}_proj.weight`),
      "model.layers.0.post_attention_layernorm.weight",
      ...["gate", "up", "down"].map((part) => `model.layers.0.mlp.${part}_proj.weight`),
      "model.norm.weight",
      "lm_head.weight",
    ])
  })
})
