// Dropout from counters: the mask is a pure function of seed, stream and index, made again in the gradient and never stored.
import { ConfigError } from "../core/index.ts"
import { greater, multiply, random, select, type Tensor } from "../tensor/index.ts"

/**
 * `y = x / (1 - rate)` with probability `1 - rate`, else 0; the expectation is `x`.
 *
 * @param rate    in [0, 1); 0 gives `x` itself
 * @param seed    i32 scalar, another one each step
 * @param stream  another one for each place in the model that drops
 * @throws ConfigError  if `rate` is not in [0, 1)
 * @see Srivastava et al. 2014, JMLR 15
 */
export function dropout(x: Tensor, rate: number, seed: Tensor, stream: number): Tensor {
  if (!(rate >= 0 && rate < 1)) throw new ConfigError(`dropout: rate must be in [0, 1), got ${rate}`)
  if (rate === 0) return x
  return select(greater(rate, random(seed, x.shape, stream)), 0, multiply(x, 1 / (1 - rate)))
}
