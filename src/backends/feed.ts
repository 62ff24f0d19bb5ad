// Checks what a run is fed and what a state is set to against what is asked for, once, at the door of every backend.
import { ConfigError, DataError, encodeF16, formatShape, sizeOf } from "../core/index.ts"
import { isOp, type Program, type Tensor } from "../tensor/index.ts"
import type { Feed } from "./backend.ts"

/**
 * Values by input tensor; as bits where the input is f16.
 *
 * @throws DataError  if an input is missing, unknown, has the wrong number of values, or one that does not fit its dtype
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
 * The numbers a state is set to; as bits, rounded to the nearest, where the state is f16.
 *
 * @throws ConfigError  if `state` is no state
 * @throws DataError    if their number is wrong, or one of them does not fit the state's dtype
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
  if (dtype === "f16") return halves(what, values)
  if (dtype !== "i32") return values
  for (let i = 0; i < values.length; i++)
    if ((values[i]! | 0) !== values[i])
      throw new DataError(`${what} needs whole numbers of 32 bits, got ${values[i]} at ${i}`)
  return values
}

/** Kernels turn halves to floats without a look at infinities: there are none. */
function halves(what: string, values: ArrayLike<number>): Uint16Array {
  const encoded = encodeF16(values)
  const at = encoded.findIndex((half) => (half & 0x7c00) === 0x7c00)
  if (at < 0) return encoded
  throw new DataError(`${what} needs numbers within ±65504, got ${values[at]} at ${at}`, "store it in f32")
}
