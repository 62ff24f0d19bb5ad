// Checks what a run is fed and what a state is set to against what is asked for, once, at the door of every backend.
import { ConfigError, DataError, formatShape, sizeOf } from "../core/index.ts"
import { isOp, type Program, type Tensor } from "../tensor/index.ts"
import type { Feed } from "./backend.ts"

/**
 * Values by input tensor.
 *
 * @throws DataError  if an input is missing, unknown, has the wrong number of values, or i32 and one that is not
 */
export function feedValues(program: Program, feed: Feed): Map<Tensor, ArrayLike<number>> {
  for (const name of Object.keys(feed))
    if (!Object.hasOwn(program.inputs, name))
      throw new DataError(
        `the program has no input "${name}"`,
        `its inputs are: ${Object.keys(program.inputs).join(", ") || "none"}`,
      )
  return new Map(
    Object.entries(program.inputs).map(([name, input]) => {
      const what = `input "${name}" ${formatShape(input.shape)}`
      const given = feed[name]
      if (given === undefined) throw new DataError(`${what} was not given`)
      return [input, checked(what, input, typeof given === "number" ? [given] : given)]
    }),
  )
}

/**
 * The numbers a state is set to.
 *
 * @throws ConfigError  if `state` is no state
 * @throws DataError    if their number is wrong, or the state is i32 and one of them is not
 */
export function stateValues(state: Tensor, values: ArrayLike<number>): ArrayLike<number> {
  return checked(`state "${requireState(state)}" ${formatShape(state.shape)}`, state, values)
}

/**
 * The name of a state.
 *
 * @throws ConfigError  if `state` is the result of another operation
 */
export function requireState(state: Tensor): string {
  if (isOp(state.node, "state")) return state.node.attributes.name
  throw new ConfigError(`only state can be read and written, got the result of ${state.node.op}`)
}

function checked(what: string, { shape, dtype }: Tensor, values: ArrayLike<number>): ArrayLike<number> {
  if (values.length !== sizeOf(shape))
    throw new DataError(`${what} needs ${sizeOf(shape)} values, got ${values.length}`)
  if (dtype !== "i32") return values
  for (let i = 0; i < values.length; i++)
    if ((values[i]! | 0) !== values[i])
      throw new DataError(`${what} needs whole numbers of 32 bits, got ${values[i]} at ${i}`)
  return values
}
