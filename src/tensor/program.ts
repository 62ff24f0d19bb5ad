// A program is what a device runs: named outputs and updates of state, closed over a graph. Tracing is nothing more than
// calling functions of tensors; `program()` collects what they built.
import { ConfigError, formatShape, ShapeError, sameShape } from "../core/index.ts"
import { applyOp, isOp, type Node, storageOf, type Tensor } from "./tensor.ts"

/** After a run `state` holds what `value` was. Every read in the same run sees the old numbers. */
export interface Update {
  readonly state: Tensor
  readonly value: Tensor
}

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
 * @throws ConfigError  if two different inputs share a name, or an update does not name a state
 * @throws ShapeError   if an update's value does not have the shape of its state
 */
export function program(of: { outputs?: { readonly [name: string]: Tensor }; updates?: readonly Update[] }): Program {
  const { outputs = {} } = of
  for (const update of of.updates ?? []) checkUpdate(update)
  const updates = (of.updates ?? []).map(snapshot)
  const nodes = reachable([...Object.values(outputs), ...updates.flatMap(({ state, value }) => [state, value])])
  const inputs: { [name: string]: Tensor } = {}
  for (const node of nodes) {
    if (!isOp(node, "input")) continue
    if (Object.hasOwn(inputs, node.attributes.name))
      throw new ConfigError(`two inputs are named "${node.attributes.name}"`)
    inputs[node.attributes.name] = node.outputs[0]!
  }
  const states = nodes.filter((node) => node.op === "state").map((node) => node.outputs[0]!)
  return { outputs, updates, inputs, states, nodes }
}

function checkUpdate({ state, value }: Update): void {
  if (state.node.op !== "state") throw new ConfigError(`only state can be updated, got the result of ${state.node.op}`)
  if (!sameShape(state.shape, value.shape) || state.dtype !== value.dtype)
    throw new ShapeError(
      `an update must keep the shape of its state, got ${formatShape(value.shape)} for ${formatShape(state.shape)}`,
    )
}

/** A state that becomes another state gets what that was before the run: its value is read like any other. */
function snapshot({ state, value }: Update): Update {
  const isState = storageOf(value).node.op === "state"
  return isState ? { state, value: applyOp("broadcast", [value], { shape: value.shape })[0]! } : { state, value }
}

function reachable(roots: readonly Tensor[]): Node[] {
  const seen = new Set<Node>()
  const stack = roots.map((tensor) => tensor.node)
  while (stack.length > 0) {
    const node = stack.pop()!
    if (seen.has(node)) continue
    seen.add(node)
    for (const parent of node.inputs) stack.push(parent.node)
  }
  return [...seen].sort((a, b) => a.sequence - b.sequence)
}
