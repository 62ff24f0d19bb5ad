// A Llama decoder with random weights as a file for llama.cpp; the head is the embedding, so it is not stored again.
import { type GgufTensor, type GgufValue, serializeGguf } from "./gguf.ts"
import { noise, ones } from "./noise.ts"
import type { DecodingWork } from "./works.ts"

/** Nothing is ever tokenized: names of tokens that merely differ. */
const vocabularyOf = (size: number): Readonly<Record<string, GgufValue>> => ({
  "tokenizer.ggml.model": { string: "gpt2" },
  "tokenizer.ggml.pre": { string: "default" },
  "tokenizer.ggml.tokens": { strings: Array.from({ length: size }, (_, id) => `t${id}`) },
  "tokenizer.ggml.token_type": { i32s: Array.from({ length: size }, () => 1) },
  "tokenizer.ggml.merges": { strings: ["t 0"] },
  "tokenizer.ggml.bos_token_id": { u32: 0 },
  "tokenizer.ggml.eos_token_id": { u32: 0 },
})

const metadataOf = (work: DecodingWork): Readonly<Record<string, GgufValue>> => ({
  "general.architecture": { string: "llama" },
  "general.name": { string: "random weights" },
  "llama.block_count": { u32: work.layers },
  "llama.context_length": { u32: work.context },
  "llama.embedding_length": { u32: work.width },
  "llama.feed_forward_length": { u32: work.feedForward },
  "llama.attention.head_count": { u32: work.heads },
  "llama.attention.head_count_kv": { u32: work.keyValueHeads },
  "llama.attention.layer_norm_rms_epsilon": { f32: work.rmsNormEps },
  "llama.rope.freq_base": { f32: work.ropeTheta },
  "llama.rope.dimension_count": { u32: work.width / work.heads },
  "llama.vocab_size": { u32: work.vocabSize },
  ...vocabularyOf(work.vocabSize),
})

function* tensorsOf(work: DecodingWork, dtype: "f32" | "f16"): Generator<GgufTensor> {
  const { width: C, feedForward: F } = work
  const narrow = (C / work.heads) * work.keyValueHeads
  const random = noise(dtype)
  const matrix = (name: string, rows: number, columns: number): GgufTensor => ({
    name: `${name}.weight`,
    dtype,
    shape: [rows, columns],
    data: random(rows * columns),
  })
  const gain = (name: string): GgufTensor => ({ name: `${name}.weight`, dtype: "f32", shape: [C], data: ones(C) })
  yield matrix("token_embd", work.vocabSize, C)
  yield gain("output_norm")
  for (let layer = 0; layer < work.layers; layer++) {
    const block = `blk.${layer}`
    yield gain(`${block}.attn_norm`)
    yield matrix(`${block}.attn_q`, C, C)
    yield matrix(`${block}.attn_k`, narrow, C)
    yield matrix(`${block}.attn_v`, narrow, C)
    yield matrix(`${block}.attn_output`, C, C)
    yield gain(`${block}.ffn_norm`)
    yield matrix(`${block}.ffn_gate`, F, C)
    yield matrix(`${block}.ffn_up`, F, C)
    yield matrix(`${block}.ffn_down`, C, F)
  }
}

/** The file in pieces. */
export const ggufLlama = (work: DecodingWork, dtype: "f32" | "f16"): Uint8Array[] =>
  serializeGguf(metadataOf(work), [...tensorsOf(work, dtype)])
