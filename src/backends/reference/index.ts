// The reference backend: plain loops in f64, slow and obviously right. It is the specification every other backend is tested
// against, and runs a program node by node in the order of creation.
import { DeviceError, decodeF16, sizeOf } from "../../core/index.ts"
import { flopsOf, isOp, type Program, type Tensor } from "../../tensor/index.ts"
import type { Device, Executable, Feed, Results, Workspace } from "../backend.ts"
import { feedValues, requireState, stateValues } from "../feed.ts"
import { type Numbers, referenceOps } from "./ops.ts"

/** The device every other one is compared with; its workspaces hold f64 numbers. */
export function openReferenceDevice(): Device {
  return {
    kind: "reference",
    lanes: 1,
    choices: { backend: "reference" },
    tuning: {},
    createWorkspace,
    close: async () => {},
    [Symbol.asyncDispose]: async () => {},
  }
}

function createWorkspace(): Workspace {
  const states = new Map<Tensor, Numbers>()
  let plannedBytes = 0
  let closed = false
  const stateOf: StateOf = (state) => {
    requireState(state)
    requireOpen()
    const values = states.get(state) ?? new Float64Array(sizeOf(state.shape))
    states.set(state, values)
    return values
  }
  const requireOpen = () => {
    if (closed) throw new DeviceError("the workspace is closed")
  }
  const compile: Workspace["compile"] = async (programs) => {
    requireOpen()
    const entries = Object.entries(programs) as [string, Program][]
    for (const [, program] of entries) plannedBytes += bytesOf(program)
    const runtime = { requireOpen, stateOf }
    return Object.fromEntries(entries.map(([name, program]) => [name, createExecutable(program, runtime)])) as never
  }
  return {
    compile,
    write: (state, values, at) => stateOf(state).set(numbersOf(stateValues(state, values, at)), at),
    read: (state) => Float32Array.from(stateOf(state)),
    choices: {},
    get plannedBytes() {
      return plannedBytes
    },
    close: () => {
      closed = true
      states.clear()
    },
  }
}

/** What is stored as half floats is computed with as any number. */
const numbersOf = (values: ArrayLike<number>): ArrayLike<number> =>
  values instanceof Uint16Array ? decodeF16(values) : values

type StateOf = (state: Tensor) => Numbers

/** Every value of a program in f64; nothing is used twice. */
const bytesOf = (program: Program): number =>
  8 * program.nodes.flatMap((node) => node.outputs).reduce((sum, x) => sum + sizeOf(x.shape), 0)

function createExecutable(
  program: Program,
  { requireOpen, stateOf }: { requireOpen: () => void; stateOf: StateOf },
): Executable {
  const run = async (feed: Feed = {}): Promise<Results> => {
    requireOpen()
    const values = evaluate(program, feed, stateOf)
    const updates = program.updates.map(({ state, value }) => [state, values.get(value)!.slice()] as const)
    // States hold f32, as on every device and in every checkpoint.
    for (const [state, next] of updates) stateOf(state).set(next.map(Math.fround))
    return Object.fromEntries(
      Object.entries(program.outputs).map(([name, x]) => [name, Float32Array.from(values.get(x)!)]),
    )
  }
  return { program, flops: flopsOf(program), run }
}

function evaluate(program: Program, feed: Feed, stateOf: StateOf): Map<Tensor, Numbers> {
  const values = new Map<Tensor, Numbers>()
  const feeds = feedValues(program, feed)
  for (const node of program.nodes) {
    if (isOp(node, "state")) values.set(node.outputs[0]!, stateOf(node.outputs[0]!))
    else if (isOp(node, "input"))
      values.set(node.outputs[0]!, Float64Array.from(numbersOf(feeds.get(node.outputs[0]!)!)))
    else {
      const results = referenceOps[node.op](
        node.inputs.map((x) => values.get(x)!),
        node as never,
      )
      for (const [index, output] of node.outputs.entries()) values.set(output, results[index]!)
    }
  }
  return values
}
