// A program is what a device runs: named outputs and updates of state, closed over a graph. Tracing is nothing more than
// calling functions of tensors; `program()` collects what they built.
import { ConfigError, formatShape, ShapeError, sameShape } from "../core/index.ts"
import { ancestorsOf, applyOp, isOp, type Node, storageOf, type Tensor } from "./tensor.ts"

/** After a run `state` holds what `value` was. Every read in the same run sees the old numbers. */
export interface Update {
  readonly state: Tensor
  readonly value: Tensor
}

/** What runs as one: made by {@link program}. */
export interface Program {
  readonly outputs: { readonly [name: string]: Tensor }
  readonly updates: readonly Update[]
  readonly inputs: { readonly [name: string]: Tensor }
  readonly states: readonly Tensor[]
  /** Every node needed, in the order of creation. */
  readonly nodes: readonly Node[]
}

/**
 * Closes a graph over its outputs and updates.
 *
 * An output that is a state shows what the state held before the run, as every other read does.
 *
 * @throws ConfigError  if two different inputs share a name, an update does not name a state, or two name the same
 * @throws ShapeError   if an update's value does not have the shape and dtype of its state
 */
export function program(of: { outputs?: { readonly [name: string]: Tensor }; updates?: readonly Update[] }): Program {
  const updates = snapshotValues(of.updates ?? [])
  const outputs = snapshotOutputs(of.outputs ?? {}, updates)
  const nodes = ancestorsOf([...Object.values(outputs), ...updates.flatMap(({ state, value }) => [state, value])])
  const states = nodes.filter((node) => node.op === "state").map((node) => node.outputs[0]!)
  return { outputs, updates, inputs: inputsOf(nodes), states, nodes }
}

function inputsOf(nodes: readonly Node[]): { [name: string]: Tensor } {
  const inputs: { [name: string]: Tensor } = {}
  for (const node of nodes) {
    if (!isOp(node, "input")) continue
    const { name } = node.attributes
    if (Object.hasOwn(inputs, name)) throw new ConfigError(`two inputs are named "${name}"`)
    inputs[name] = node.outputs[0]!
  }
  return inputs
}

/** A state that becomes another state gets what that was before the run: its value is read like any other. */
function snapshotValues(updates: readonly Update[]): Update[] {
  const updated = new Set<Tensor>()
  return updates.map(({ state, value }) => {
    checkUpdate({ state, value })
    if (updated.has(state)) throw new ConfigError("two updates name the same state", "add their values up first")
    updated.add(state)
    return { state, value: storageOf(value).node.op === "state" ? copyOf(value) : value }
  })
}

/** An updated state holds its new numbers when outputs are read; its old ones are copied first. */
function snapshotOutputs(outputs: Program["outputs"], updates: readonly Update[]): { [name: string]: Tensor } {
  const updated = new Set(updates.map(({ state }) => state))
  return Object.fromEntries(
    Object.entries(outputs).map(([name, tensor]) => [name, updated.has(storageOf(tensor)) ? copyOf(tensor) : tensor]),
  )
}

/** The same numbers in bytes of their own. */
const copyOf = (tensor: Tensor): Tensor => applyOp("broadcast", [tensor], { shape: tensor.shape })[0]!

function checkUpdate({ state, value }: Update): void {
  if (state.node.op !== "state") throw new ConfigError(`only state can be updated, got the result of ${state.node.op}`)
  if (!sameShape(state.shape, value.shape) || state.dtype !== value.dtype)
    throw new ShapeError(
      `an update must keep the shape and dtype of its state, ${state.dtype} ${formatShape(state.shape)}, got ${value.dtype} ${formatShape(value.shape)}`,
    )
}
