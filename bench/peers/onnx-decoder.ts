// A Llama decoder as an ONNX graph, in the form that ONNX Runtime's own exporter gives it: packed query-key-value products and
// its fused operations for attention with a cache and for RMSNorm. The head reads the embedding transposed, so it is stored once.
import { noise, ones } from "./noise.ts"
import { initializer, input, model, node, output, type Pieces } from "./onnx.ts"
import type { DecodingWork } from "./works.ts"

const MICROSOFT = { domain: "com.microsoft" } as const

/** Cosines or sines of the rotation, `[context, D/2]`. */
function rotation({ context, width, heads, ropeTheta }: DecodingWork, of: (angle: number) => number): Pieces {
  const half = width / heads / 2
  const angle = (index: number) => Math.floor(index / half) * ropeTheta ** (-(index % half) / half)
  return [new Uint8Array(Float32Array.from({ length: context * half }, (_, index) => of(angle(index))).buffer)]
}

const sizesOf = ({ width: C, heads: H, keyValueHeads: K, feedForward: F }: DecodingWork) => {
  const D = C / H
  return { C, F, K, D, qkv: (H + 2 * K) * D }
}

function* weightsOf(work: DecodingWork): Generator<Pieces> {
  const { C, F, D, qkv } = sizesOf(work)
  const random = noise("f32")
  const matrix = (name: string, rows: number, columns: number) =>
    initializer(name, "f32", [rows, columns], random(rows * columns))
  yield matrix("embedding", work.vocabSize, C)
  yield initializer("cos", "f32", [work.context, D / 2], rotation(work, Math.cos))
  yield initializer("sin", "f32", [work.context, D / 2], rotation(work, Math.sin))
  yield initializer("last", "i64", [], [new Uint8Array(BigInt64Array.of(-1n).buffer)])
  for (let layer = 0; layer < work.layers; layer++) {
    yield matrix(`${layer}.qkv`, C, qkv)
    yield matrix(`${layer}.out`, C, C)
    yield matrix(`${layer}.gate`, C, F)
    yield matrix(`${layer}.up`, C, F)
    yield matrix(`${layer}.down`, F, C)
  }
  for (let norm = 0; norm <= 2 * work.layers; norm++) yield initializer(`norm${norm}`, "f32", [C], ones(C))
}

/** `[1, S, C]` of the normed stream -> `[1, S, C]` to be added to it. */
function* attention(work: DecodingWork, layer: number, x: string): Generator<Pieces> {
  const past = [`past.${layer}.key`, `past.${layer}.value`]
  const attributes = { num_heads: work.heads, kv_num_heads: work.keyValueHeads, do_rotary: 1 }
  yield node("MatMul", [x, `${layer}.qkv`], [`${layer}.packed`])
  yield node(
    "GroupQueryAttention",
    [`${layer}.packed`, "", "", ...past, "lengths", "total", "cos", "sin"],
    [`${layer}.mixed`, `present.${layer}.key`, `present.${layer}.value`],
    { ...MICROSOFT, attributes },
  )
  yield node("MatMul", [`${layer}.mixed`, `${layer}.out`], [`${layer}.attended`])
}

/** SwiGLU. */
function* feedForward(layer: number, x: string): Generator<Pieces> {
  yield node("MatMul", [x, `${layer}.gate`], [`${layer}.g`])
  yield node("MatMul", [x, `${layer}.up`], [`${layer}.u`])
  yield node("Sigmoid", [`${layer}.g`], [`${layer}.s`])
  yield node("Mul", [`${layer}.g`, `${layer}.s`], [`${layer}.silu`])
  yield node("Mul", [`${layer}.silu`, `${layer}.u`], [`${layer}.gated`])
  yield node("MatMul", [`${layer}.gated`, `${layer}.down`], [`${layer}.fed`])
}

function* nodesOf(work: DecodingWork): Generator<Pieces> {
  const attributes = { epsilon: work.rmsNormEps }
  let [norm, stream] = [0, "embedded"]
  /** Adds to the stream and norms the sum. */
  const add = (what: string): Pieces => {
    norm++
    const outputs = [`normed${norm}`, "", "", `stream${norm}`]
    const sum = node("SkipSimplifiedLayerNormalization", [stream, what, `norm${norm}`], outputs, {
      ...MICROSOFT,
      attributes,
    })
    stream = `stream${norm}`
    return sum
  }
  yield node("Gather", ["embedding", "ids"], ["embedded"])
  yield node("SimplifiedLayerNormalization", ["embedded", "norm0"], ["normed0"], {
    attributes: { ...attributes, axis: -1 },
  })
  for (let layer = 0; layer < work.layers; layer++) {
    yield* attention(work, layer, `normed${norm}`)
    yield add(`${layer}.attended`)
    yield* feedForward(layer, `normed${norm}`)
    yield add(`${layer}.fed`)
  }
  yield node("Gather", [`normed${norm}`, "last"], ["final"], { attributes: { axis: 1 } }) // [1, C]
  yield node("Gemm", ["final", "embedding"], ["logits"], { attributes: { transB: 1 } })
}

function* boundariesOf(work: DecodingWork): Generator<Pieces> {
  const { K, D } = sizesOf(work)
  yield input("ids", "i64", [1, "S"])
  yield input("lengths", "i32", [1])
  yield input("total", "i32", [])
  for (let layer = 0; layer < work.layers; layer++)
    for (const part of ["key", "value"]) {
      yield input(`past.${layer}.${part}`, "f32", [1, K, "past", D])
      yield output(`present.${layer}.${part}`, "f32", [1, K, "total", D])
    }
  yield output("logits", "f32", [1, work.vocabSize])
}

/**
 * Inputs: `ids` `[1, S]`, `past.N.key|value` `[1, K, past, D]`, `lengths` `[1]` (all tokens - 1), `total` (all tokens). Outputs:
 * `logits` `[1, V]` of the last token, `present.N.key|value` `[1, K, total, D]`.
 */
export const onnxDecoder = (work: DecodingWork): Pieces =>
  model("decoder", [...nodesOf(work), ...weightsOf(work), ...boundariesOf(work)])
