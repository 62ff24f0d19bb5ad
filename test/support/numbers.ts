// Arrays for tests: made from a seed, run through a graph on a device, compared.
import { type Device, openReferenceDevice } from "../../src/backends/index.ts"
import { type DType, f16ToF32, f32ToF16, randomStream, type Shape, sizeOf } from "../../src/core/index.ts"
import { add, data, gradients, input, multiply, program, sum, type Tensor } from "../../src/tensor/index.ts"

export interface Values {
  readonly shape: Shape
  readonly dtype: DType
  readonly values: readonly number[]
}

/** f32 numbers written out. */
export const floats = (shape: Shape, values: readonly number[]): Values => ({ shape, dtype: "f32", values })
/** Numbers stored as half floats, written out. */
export const halves = ({ shape, values }: Values): Values => ({
  shape,
  dtype: "f16",
  values: values.map((x) => f16ToF32(f32ToF16(x))),
})
/** i32 numbers written out. */
export const ints = (shape: Shape, values: readonly number[]): Values => ({ shape, dtype: "i32", values })

const f32 = (values: readonly number[]): number[] => Array.from(Float32Array.from(values))
const drawn = (shape: Shape, seed: number, draw: (stream: ReturnType<typeof randomStream>) => number): number[] => {
  const stream = randomStream(seed, "test", ...shape)
  return Array.from({ length: sizeOf(shape) }, () => draw(stream))
}

/** Normal numbers, another draw for each seed. */
export const normal = (shape: Shape, seed = 0, scale = 1): Values =>
  floats(shape, f32(drawn(shape, seed, (stream) => scale * stream.normal())))
/** Uniform numbers in [low, high). */
export const uniform = (shape: Shape, low: number, high: number, seed = 0): Values =>
  floats(shape, f32(drawn(shape, seed, (stream) => low + (high - low) * stream.uniform())))
/** Whole numbers in low .. high - 1. */
export const integers = (shape: Shape, low: number, high: number, seed = 0): Values =>
  ints(
    shape,
    drawn(shape, seed, (stream) => low + stream.below(high - low)),
  )

export type Build = (...x: Tensor[]) => Tensor | readonly Tensor[]

export const asList = (built: Tensor | readonly Tensor[]): readonly Tensor[] => ("node" in built ? [built] : built)
export const inputsOf = (values: readonly Values[]): Tensor[] =>
  values.map(({ shape, dtype }, index) => input(`x${index}`, shape, dtype))
export const feedOf = (values: readonly Values[]): { [name: string]: readonly number[] } =>
  Object.fromEntries(values.map((x, index) => [`x${index}`, x.values]))

/** Outputs of one program on `device`, in order. */
export async function evaluateOn(device: Device, values: readonly Values[], build: Build): Promise<Float32Array[]> {
  const x = inputsOf(values)
  const built = asList(build(...x))
  const workspace = device.createWorkspace()
  const used = program({ outputs: Object.fromEntries(built.map((tensor, index) => [`y${index}`, tensor])) })
  const { f } = await workspace.compile({ f: used })
  const feed = Object.fromEntries(Object.entries(feedOf(values)).filter(([name]) => Object.hasOwn(used.inputs, name)))
  const results = await f.run(feed)
  workspace.close()
  return built.map((_, index) => results[`y${index}`]!)
}

export const reference = openReferenceDevice()
export const evaluate = (values: readonly Values[], build: Build): Promise<Float32Array[]> =>
  evaluateOn(reference, values, build)

/** Drawn once for all devices. */
const knownWeights = new Map<string, Float32Array>()
function weightsOf(shape: Shape, seed: number): Float32Array {
  const key = `${seed}: ${shape}`
  if (!knownWeights.has(key)) knownWeights.set(key, Float32Array.from(normal(shape, seed).values))
  return knownWeights.get(key)!
}

/** `Σ y·w` over all outputs with fixed random weights: a scalar that every element of every output moves. */
export function weighted(outputs: readonly Tensor[]): Tensor {
  const terms = outputs.map((y, index) => sum(multiply(y, data(weightsOf(y.shape, 99 + index), y.shape))))
  return terms.reduce((total, term) => add(total, term))
}

/** Which inputs have gradients: those asked for, or all f32 ones. */
export const differentiated = (x: readonly Tensor[], wrt?: readonly number[]): Tensor[] =>
  x.filter(({ dtype }, index) => (wrt === undefined ? dtype === "f32" : wrt.includes(index)))

/** The outputs, and the gradients of the first one's `Σ y·w`: what must agree between devices. */
export function withGradients(build: Build, wrt?: readonly number[]): Build {
  return (...x) => {
    const outputs = asList(build(...x))
    return [...outputs, ...gradients(weighted(outputs.slice(0, 1)), differentiated(x, wrt))]
  }
}

/** Root of the mean square; 0 of nothing. */
export function rootMeanSquare(values: ArrayLike<number>): number {
  let total = 0
  for (let i = 0; i < values.length; i++) total += values[i]! ** 2
  return Math.sqrt(total / Math.max(1, values.length))
}

/**
 * Largest `|a - b| / (|b| + rms(b))`: relative for large elements, and small ones are not asked for digits that the
 * neighbors' rounding took. Infinities and NaN must agree exactly; a difference there counts as infinite.
 *
 * @param floor  smallest rms that means something: what is zero but for rounding is not compared digit by digit
 */
export function relativeError(actual: ArrayLike<number>, expected: ArrayLike<number>, floor = 0): number {
  if (actual.length !== expected.length) return Infinity
  const scale = Math.max(floor, rootMeanSquare(Array.from(expected).filter(Number.isFinite)))
  let worst = 0
  for (let i = 0; i < actual.length; i++) worst = Math.max(worst, errorOf(actual[i]!, expected[i]!, scale))
  return worst
}

function errorOf(a: number, b: number, scale: number): number {
  if (Object.is(a, b) || a === b) return 0
  const error = Math.abs(a - b) / (Math.abs(b) + scale)
  return Number.isFinite(error) ? error : Infinity
}
