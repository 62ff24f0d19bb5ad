// The models of test/fixtures/models.json, unpacked.
import { readFileSync } from "node:fs"
import type { Shape } from "../../src/core/index.ts"
import type { DecoderConfig } from "../../src/models/index.ts"
import type { Values } from "./numbers.ts"

interface Packed {
  readonly shape: Shape
  /** Little-endian, base64. */
  readonly f32: string
}
type PackedTensors = { readonly [name: string]: Packed }

export interface OptimizerFixture {
  // biome-ignore lint/suspicious/noExplicitAny: options are plain JSON
  readonly options: any
  readonly losses: readonly number[]
  readonly gradientNorms?: readonly number[]
  /** After the last step. */
  readonly parameters: PackedTensors
}

export interface ModelFixture {
  readonly name: string
  readonly config: DecoderConfig
  readonly parameters: PackedTensors
  readonly tokens: Values
  readonly targets: Values
  readonly logits: Packed
  readonly loss: number
  readonly gradients: PackedTensors
  readonly adamw?: OptimizerFixture
  readonly muon?: OptimizerFixture
}

export const modelFixtures = JSON.parse(
  readFileSync(new URL("../fixtures/models.json", import.meta.url), "utf8"),
) as readonly ModelFixture[]

export function unpack({ f32 }: Packed): Float32Array {
  const bytes = Buffer.from(f32, "base64")
  return Float32Array.from({ length: bytes.length / 4 }, (_, i) => bytes.readFloatLE(4 * i))
}

export const unpackAll = (tensors: PackedTensors): { [name: string]: Float32Array } =>
  Object.fromEntries(Object.entries(tensors).map(([name, packed]) => [name, unpack(packed)]))
