// For tests only: runs one kernel in a module of its own, on an unshared memory, all lanes one after the other.
import { platform } from "#platform"
import type { Tensor } from "../../../tensor/index.ts"
import { referenceOps } from "../../reference/ops.ts"
import { createModule, type FunctionHandle, type ModuleBuilder } from "../assembler.ts"
import { enableRelaxedSimd } from "../features.ts"
import { webAssembly } from "../webassembly.ts"

/** The builds this engine can run. */
export const builds = enableRelaxedSimd(platform, true) ? [false, true] : [false]
export const LANES = [1, 2, 3]

const PAGE = 65536
const GUARD = 64
/** A NaN with this payload stands wherever nothing may be written. */
const CANARY = 0x7fc12345

export type Values = Float32Array | Int32Array
export interface KernelCase {
  readonly emit: (module: ModuleBuilder) => FunctionHandle
  readonly inputs: readonly Values[]
  /** Floats of each output. */
  readonly outputs: readonly number[]
  readonly scratchBytes?: number
  /** The output that shares the address of input 0. */
  readonly inPlace?: boolean
}

const padded = (bytes: number) => Math.ceil(bytes / GUARD) * GUARD + GUARD

/** Where everything lies: inputs, outputs, scratch, with a guard after each. */
function layOut(test: KernelCase): { addresses: number[]; scratch: number; end: number } {
  let end = GUARD
  const place = (bytes: number) => {
    const at = end
    end += padded(bytes)
    return at
  }
  const inputs = test.inputs.map((values) => place(values.byteLength))
  const outputs = test.outputs.map((count) => (test.inPlace ? inputs[0] : place(4 * count)))
  const scratch = place(test.scratchBytes ?? 0)
  return { addresses: [...inputs, ...outputs], scratch, end }
}

/** A kernel ready to run on its own memory. */
export function prepare(test: KernelCase) {
  const { addresses, scratch, end } = layOut(test)
  const pages = Math.ceil(end / PAGE)
  const module = createModule({ memory: { min: pages, max: pages, shared: false } })
  const kernel = test.emit(module)
  module.function("run", ["i32", "i32"], [], true, (f, lane, lanes) => {
    for (const address of [...addresses, scratch]) f.i32.const(address)
    f.local.get(lane), f.local.get(lanes), f.call(kernel)
  })
  const memory = new webAssembly.Memory({ initial: pages, maximum: pages })
  const { run } = new webAssembly.Instance(new webAssembly.Module(module.bytes()), { env: { memory } }).exports
  return { run, memory, addresses, end }
}

/** Outputs of one run with `lanes` lanes; throws where a lane wrote outside its output or scratch. */
export function runKernel(test: KernelCase, lanes: number): Float32Array[] {
  const { run, memory, addresses, end } = prepare(test)
  const words = new Int32Array(memory.buffer).fill(CANARY)
  for (const [i, values] of test.inputs.entries())
    words.set(new Int32Array(values.buffer, values.byteOffset, values.length), addresses[i] / 4)
  for (let lane = 0; lane < lanes; lane++) run(lane, lanes)
  const guards = [...test.inputs.map((values) => values.length), ...test.outputs]
  for (const [i, count] of guards.entries())
    if (words[addresses[i] / 4 + count] !== CANARY)
      throw new Error(`buffer ${i} was written past its ${count} elements`)
  if (words.subarray(end / 4 - GUARD / 4, end / 4).some((word) => word !== CANARY))
    throw new Error("scratch overflowed")
  return test.outputs.map(
    (count, i) => new Float32Array(memory.buffer.slice(0) as ArrayBuffer, addresses[test.inputs.length + i], count),
  )
}

/** What the reference makes of the node behind `output`. */
export function referenceOf(output: Tensor, inputs: readonly Values[]): Float64Array[] {
  const { node } = output
  return [
    ...referenceOps[node.op](
      inputs.map((values) => Float64Array.from(values)),
      node as never,
    ),
  ]
}

/** Runs with 1, 2 and 3 lanes; throws unless the bits agree and each output is near the reference. */
export function check(test: KernelCase, output: Tensor, tolerance = 1e-5): void {
  const wanted = referenceOf(output, test.inputs)
  const first = runKernel(test, 1)
  for (const [i, want] of wanted.entries()) expectNear(first[i], want, tolerance, `output ${i}`)
  for (const lanes of LANES.slice(1)) {
    const again = runKernel(test, lanes)
    for (const [i, values] of first.entries()) expectSameBits(again[i], values, `output ${i}, ${lanes} lanes`)
  }
}

function expectSameBits(got: Float32Array, want: Float32Array, what: string): void {
  const [a, b] = [got, want].map((x) => new Int32Array(x.buffer, x.byteOffset, x.length))
  const at = a.findIndex((word, i) => word !== b[i])
  if (at >= 0) throw new Error(`${what}: element ${at} is ${got[at]} and was ${want[at]} with one lane`)
}

/** Relative to the element or, where terms cancel, to the typical size of the whole output. */
export function expectNear(got: ArrayLike<number>, want: Float64Array, tolerance: number, what: string): void {
  const finite = want.filter(Number.isFinite)
  const typical = Math.sqrt(finite.reduce((sum, x) => sum + x * x, 0) / Math.max(finite.length, 1))
  for (const [i, x] of want.entries()) {
    const near = Math.abs(got[i] - x) <= tolerance * Math.max(Math.abs(x), typical)
    if (!near && !Object.is(got[i], x))
      throw new Error(`${what}: element ${i} of ${want.length} is ${got[i]}, expected ${x}`)
  }
}

/** Numbers in [-size, size), the same for the same seed. */
export function noise(count: number, seed: number, size = 1): Float32Array {
  let state = (seed * 2654435761) >>> 0 || 1
  return Float32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return (state / 2 ** 31 - 1) * size
  })
}
