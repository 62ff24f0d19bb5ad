// Checks what a run is fed against what its program asks for, once, at the door of every backend.
import { DataError, formatShape, sizeOf } from "../core/index.ts"
import type { Program, Tensor } from "../tensor/index.ts"
import type { Feed } from "./backend.ts"

/**
 * Values by input tensor.
 *
 * @throws DataError  if an input is missing, unknown, or has the wrong number of values
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
      const given = feed[name]
      if (given === undefined) throw new DataError(`input "${name}" ${formatShape(input.shape)} was not given`)
      const values = typeof given === "number" ? [given] : given
      if (values.length !== sizeOf(input.shape))
        throw new DataError(
          `input "${name}" ${formatShape(input.shape)} needs ${sizeOf(input.shape)} values, got ${values.length}`,
        )
      return [input, values]
    }),
  )
}
