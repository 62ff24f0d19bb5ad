// Scores and findings for tests.
import type { DocumentScore } from "../score/document-score.ts"
import { BLOCK_BYTES } from "../score/document-score.ts"
import type { TextFindings, TextResult } from "./findings.ts"

/** A document of so many nats; its hash is made of `name`. */
export function scoreOf(name: string, nats: number, bytes = 1000): DocumentScore {
  const sha256 = Array.from({ length: 64 }, (_, at) => ((name.charCodeAt(at % name.length) + at) % 16).toString(16))
  const blocks = Math.max(1, Math.ceil(bytes / BLOCK_BYTES))
  return {
    id: name,
    sha256: sha256.join(""),
    nats,
    tokens: 200,
    bytes,
    characters: bytes,
    blockNats: Array.from({ length: blocks }, () => nats / blocks),
  }
}

/** The result of a text of these documents. */
export function resultOf(documents: readonly DocumentScore[]): TextResult {
  const sum = (key: "nats" | "tokens" | "bytes" | "characters") =>
    documents.reduce((total, document) => total + document[key], 0)
  const [nats, tokens, bytes, characters] = [sum("nats"), sum("tokens"), sum("bytes"), sum("characters")]
  return {
    bitsPerByte: nats / Math.LN2 / bytes,
    bitsPerCharacter: nats / Math.LN2 / characters,
    bitsPerToken: nats / Math.LN2 / tokens,
    natsPerToken: nats / tokens,
    nats,
    tokens,
    bytes,
    characters,
    protocol: "non-overlapping windows of 64 tokens",
    seconds: 2,
    documents,
  }
}

/** Findings of a text of these documents. */
export const findingsOf = (documents: readonly DocumentScore[]): TextFindings => ({
  version: 1,
  kind: "text",
  model: {
    source: "runs/a/checkpoints/step-000010",
    step: 10,
    steps: 10,
    sha256: "ab",
    parameters: 7,
    bytes: 28,
    weights: "f32",
  },
  kinglet: "0.1.0",
  machine: { engine: "node", cores: 2, device: { kind: "wasm", lanes: 2, choices: { strict: false } } },
  data: { name: "text", sha256: "cd", documents: documents.length, bytes: 1000 * documents.length },
  when: "2024-01-02T03:04:05.000Z",
  result: resultOf(documents),
})
