// A smooth function of a few variables, brought to its minimum: BFGS with its inverse Hessian kept whole.

/** A function's value; its gradient goes into `gradient`. */
export type SmoothFunction = (x: Float64Array, gradient: Float64Array) => number

export interface Minimum {
  readonly x: Float64Array
  readonly value: number
  readonly iterations: number
  /** No step made the value smaller any more, or the gradient vanished. */
  readonly converged: boolean
}

/** Part of the decrease a straight line promises that a step must reach (Armijo). */
const SUFFICIENT_DECREASE = 1e-4
/** Part of the slope that may be left (Wolfe): below, the step was long enough to learn curvature from. */
const REMAINING_SLOPE = 0.9
const MOST_HALVINGS = 60

const dot = (a: Float64Array, b: Float64Array): number => {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!
  return sum
}

/**
 * Minimizes `f` from `start` until a step changes the value by no more than `tolerance` of itself twice in a row.
 *
 * Loose tolerances stop in flat valleys: that is how the constants of the Chinchilla paper went wrong (Besiroglu et al. 2024,
 * arXiv:2404.10102), so the default is near the limit of f64.
 *
 * @see Nocedal & Wright, Numerical Optimization, 2nd edition, algorithm 6.1
 */
export function minimize(
  f: SmoothFunction,
  start: ArrayLike<number>,
  { tolerance = 1e-14, maxIterations = 1000 } = {},
): Minimum {
  const n = start.length
  let x = Float64Array.from(start)
  let gradient = new Float64Array(n)
  let value = f(x, gradient)
  const inverse = createInverseHessian(n)
  let stalled = 0
  for (let iteration = 0; iteration < maxIterations; iteration++) {
    const direction = inverse.times(gradient).map((each) => -each)
    const found = searchLine(f, x, value, gradient, direction)
    if (found === undefined) {
      if (inverse.isFresh()) return { x, value, iterations: iteration, converged: true }
      inverse.reset()
      continue
    }
    const small = value - found.value <= tolerance * Math.abs(value)
    inverse.update(difference(found.x, x), difference(found.gradient, gradient))
    ;({ x, gradient, value } = found)
    stalled = small ? stalled + 1 : 0
    if (stalled === 2) return { x, value, iterations: iteration + 1, converged: true }
  }
  return { x, value, iterations: maxIterations, converged: false }
}

const difference = (a: Float64Array, b: Float64Array): Float64Array => a.map((each, i) => each - b[i]!)

interface Point {
  readonly x: Float64Array<ArrayBuffer>
  readonly gradient: Float64Array<ArrayBuffer>
  readonly value: number
}

/** A step along `direction` that fulfils the Wolfe conditions, by bisection; the best that was seen when it runs out of steps. */
function searchLine(
  f: SmoothFunction,
  x: Float64Array,
  value: number,
  gradient: Float64Array,
  direction: Float64Array,
): Point | undefined {
  const slope = dot(gradient, direction)
  if (!(slope < 0)) return undefined
  let [shortest, longest, step] = [0, Infinity, 1]
  let best: Point | undefined
  for (let halving = 0; halving < MOST_HALVINGS; halving++) {
    const at = x.map((each, i) => each + step * direction[i]!)
    const there = new Float64Array(x.length)
    const found = { x: at, gradient: there, value: f(at, there) }
    const decreases = found.value <= value + SUFFICIENT_DECREASE * step * slope && found.value < value
    if (!decreases) longest = step
    else {
      best = found
      if (dot(there, direction) >= REMAINING_SLOPE * slope) return found
      shortest = step
    }
    step = longest === Infinity ? 2 * step : (shortest + longest) / 2
    if (longest - shortest <= 1e-16 * longest) break
  }
  return best
}

/** The BFGS approximation of the inverse Hessian, `[n, n]`. */
function createInverseHessian(n: number) {
  const H = new Float64Array(n * n)
  let fresh = true
  const reset = (): void => {
    H.fill(0)
    for (let i = 0; i < n; i++) H[i * n + i] = 1
    fresh = true
  }
  const times = (v: Float64Array): Float64Array => {
    const product = new Float64Array(n)
    for (let i = 0; i < n; i++) product[i] = dot(H.subarray(i * n, (i + 1) * n), v)
    return product
  }
  /** H ← (I - ρ s yᵀ) H (I - ρ y sᵀ) + ρ s sᵀ, ρ = 1 / yᵀs. */
  const update = (s: Float64Array, y: Float64Array): void => {
    const curvature = dot(y, s)
    if (!(curvature > 1e-300)) return
    if (fresh) for (let i = 0; i < n; i++) H[i * n + i] = curvature / dot(y, y)
    fresh = false
    const Hy = times(y)
    const scale = (1 + dot(y, Hy) / curvature) / curvature
    for (let i = 0; i < n; i++)
      for (let j = 0; j < n; j++) H[i * n + j]! += scale * s[i]! * s[j]! - (Hy[i]! * s[j]! + s[i]! * Hy[j]!) / curvature
  }
  reset()
  return { reset, times, update, isFresh: () => fresh }
}
