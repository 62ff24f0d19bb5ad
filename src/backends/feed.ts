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
      const values = typeof given === "number" ? [given] : given
      if (values.length !== sizeOf(input.shape)) throw wrongCount(what, sizeOf(input.shape), values)
      return [input, checked(what, input, values)]
    }),
  )
}

/**
 * The numbers a state is set to; as bits, rounded to the nearest, where the state is f16.
 *
 * @throws ConfigError  if `state` is no state
 * @throws DataError    if their number is wrong, or one of them does not fit the state's dtype
 */
export function stateValues(state: Tensor, values: ArrayLike<number>, at?: number): ArrayLike<number> {
  const what = `state "${requireState(state)}" ${formatShape(state.shape)}`
  const room = sizeOf(state.shape) - (at ?? 0)
  if (at === undefined ? values.length !== room : values.length > room)
    throw wrongCount(at === undefined ? what : `${what} from ${at}`, room, values)
  return checked(what, state, values)
}

const wrongCount = (what: string, wanted: number, { length }: ArrayLike<number>): DataError =>
  new DataError(`${what} needs ${wanted} values, got ${length}`)

/**
 * The name of a state.
 *
 * @throws ConfigError  if `state` is the result of another operation
 */
export function requireState(state: Tensor): string {
  if (isOp(state.node, "state")) return state.node.attributes.name
  throw new ConfigError(`only state can be read and written, got the result of ${state.node.op}`)
}

function checked(what: string, { dtype }: Tensor, values: ArrayLike<number>): ArrayLike<number> {
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
  for (let i = 0; i < encoded.length; i++)
    if ((encoded[i]! & 0x7c00) === 0x7c00)
      throw new DataError(`${what} needs numbers within ±65504, got ${values[i]} at ${i}`, "store it in f32")
  return encoded
}
