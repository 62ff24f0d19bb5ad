// Many normal numbers at once.
import { log, sincos } from "./math.ts"
import type { RandomStream } from "./random.ts"

/** Fills `values` with normal numbers of mean 0; both halves of each Box-Muller pair are used, which one number a call cannot. */
export function fillNormal(values: Float32Array, stream: RandomStream, std: number): Float32Array {
  for (let i = 0; i < values.length; i += 2) {
    const radius = std * Math.sqrt(-2 * log(1 - stream.uniform()))
    const { sin, cos } = sincos(2 * Math.PI * stream.uniform())
    values[i] = radius * cos
    if (i + 1 < values.length) values[i + 1] = radius * sin
  }
  return values
}
