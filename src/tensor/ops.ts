// The list of operations. Adding a name here makes the compiler ask every table for its row: shape rules, gradients, costs,
// and each backend's kernels. Attributes are compile-time constants of one node; everything that varies at run time is an input.
import type { DType, Shape } from "../core/index.ts"

/** Attributes of each operation. The comment gives inputs → outputs. */
export interface OpAttributes {
  /** () → handed in at each run. */
  input: { readonly name: string; readonly shape: Shape; readonly dtype: DType }
  /** () → lives from run to run: parameters, moments, caches. */
  state: { readonly name: string; readonly shape: Shape; readonly dtype: DType }
  /** () → scalar `[]`, f32. */
  constant: { readonly value: number }
  /** () → fixed numbers laid into memory once, such as rotation tables. */
  data: { readonly values: Float32Array | Int32Array; readonly shape: Shape }
  /** (seed i32 []) → uniform in [0, 1), a pure function of seed, stream and element index. */
  random: { readonly shape: Shape; readonly stream: number }

  /** (x i32) → f32 */
  toFloat: None
  negate: None
  exp: None
  log: None
  sqrt: None
  tanh: None
  sigmoid: None
  erf: None
  absolute: None

  /** (a, b) → broadcast of both. */
  add: None
  subtract: None
  multiply: None
  divide: None
  maximum: None
  minimum: None
  /** (a, b) → 1 where a > b, else 0. */
  greater: None
  /** (condition, a, b) → a where condition ≠ 0, else b. */
  select: None

  /** (x) → the same elements in the same order. */
  reshape: { readonly shape: Shape }
  /** (x) → axes reordered: output axis i is input axis permutation[i]. */
  transpose: { readonly permutation: readonly number[] }
  /** (x) → stretched to shape, aligned at the right. */
  broadcast: { readonly shape: Shape }
  /** (x) → elements start..end-1 along axis. */
  slice: { readonly axis: number; readonly start: number; readonly end: number }
  /** (x) → zeros before and after along axis. */
  pad: { readonly axis: number; readonly before: number; readonly after: number }
  /** (x, y, …) → joined along axis. */
  concatenate: { readonly axis: number }

  /** (x) → axes firstAxis..lastAxis (inclusive) removed by summing. */
  sum: { readonly firstAxis: number; readonly lastAxis: number }
  /** (x) → axes firstAxis..lastAxis (inclusive) removed by taking the largest. */
  max: { readonly firstAxis: number; readonly lastAxis: number }

  /** (a [..., M, K], b [..., K, N] or [K, N]) → [..., M, N]; the flags swap the last two axes of an operand first. */
  matmul: { readonly transposeA: boolean; readonly transposeB: boolean }
  /** (table [V, C], ids i32 [...]) → [..., C]; an id outside 0..V-1 gives a row of zeros. */
  gather: None
  /** (x [..., K], panels [⌈N/16⌉, K, 16] f32 or f16) → x · Wᵀ [..., N]; see panels.ts. */
  packedLinear: { readonly outputs: number }
  /** (panels [⌈V/16⌉, C, 16] f32 or f16, ids i32 [...]) → rows of the packed table [..., C]; an id outside 0..V-1 gives zeros. */
  packedGather: { readonly rows: number }
  /** (ids i32 [...], x [..., C]) → [rows, C]; ids outside 0..rows-1 are skipped. */
  scatterAdd: { readonly rows: number }

  /** (x [B, T, H, D], cos [P, D/2], sin [P, D/2], position i32 [B]) → x with halves rotated by the angle of row position + t. */
  rope: { readonly inverse: boolean }
  /** (q [B, T, H, D], k [B, S, K, D], v [B, S, K, D], position i32 [B]) → o [B, T, H, D], logSumExp [B, H, T]. */
  attention: { readonly scale: number; readonly causal: boolean }
  /** (q, k, v, position, o, logSumExp, dO) → dQ, dK, dV. */
  attentionGrad: { readonly scale: number; readonly causal: boolean }
  /** (cache [B, S, K, D], x [B, T, K, D], position i32 [B]) → cache with rows position .. position + T - 1 replaced; rows past S are dropped. */
  cacheWrite: None
  /** (logits [N, V], targets i32 [N]) → nats [N], statistics [N, 2]: max and ln Σ e^(logit - max); 0 where the target is negative. */
  crossEntropy: None
  /** (logits, targets, statistics, dNats [N]) → dLogits [N, V]. */
  crossEntropyGrad: None
  /** (x [N, C], weight [V, C], targets i32 [N]) → nats [N] of the logits `softcap(x·weightᵀ)`; a softcap of 0 is none. */
  linearCrossEntropy: { readonly softcap: number }
  /** (x, weight, targets, dNats [N]) → dX, dWeight, nats [N], and `Σ dNats · nats` [], whose gradients dX and dWeight are. */
  linearCrossEntropyGrad: { readonly softcap: number }
}

export type None = { readonly [key: string]: never }
export type Op = keyof OpAttributes

export const UNARY_OPS = ["toFloat", "negate", "exp", "log", "sqrt", "tanh", "sigmoid", "erf", "absolute"] as const
export const BINARY_OPS = ["add", "subtract", "multiply", "divide", "maximum", "minimum", "greater"] as const

export type UnaryOp = (typeof UNARY_OPS)[number]
export type BinaryOp = (typeof BINARY_OPS)[number]
/** One result element depends on one element (or a stretched one) of each input: what a backend may fuse. */
export type ElementwiseOp = UnaryOp | BinaryOp | "select" | "random"

const ELEMENTWISE: ReadonlySet<Op> = new Set<Op>([...UNARY_OPS, ...BINARY_OPS, "select", "random"])

export function isElementwise(op: Op): op is ElementwiseOp {
  return ELEMENTWISE.has(op)
}
