// Rotary position embedding, split by halves. Lanes share the rows (b, t); a row's angles serve all its heads.
import type { FunctionBuilder, FunctionHandle, Local, ModuleBuilder } from "../assembler.ts"
import { emitMulAdd } from "../vector-math.ts"
import {
  defineKernel,
  emitDivide,
  emitForUnits,
  emitForVectors,
  emitMin,
  emitNotNegative,
  emitStorePart,
} from "./lane-slice.ts"

export interface RopeShape {
  readonly B: number
  readonly T: number
  readonly H: number
  /** Even. */
  readonly D: number
  /** Rows of the tables; positions past the last use the last. */
  readonly P: number
}

export interface RopeOptions {
  /** Turns back: the gradient. */
  readonly inverse: boolean
  readonly fma: boolean
}

/**
 * `(x [B, T, H, D], cos [P, D/2], sin [P, D/2], position i32 [B], y [B, T, H, D])`:
 * `y[i] = x[i]·cos - x[i + D/2]·sin`, `y[i + D/2] = x[i + D/2]·cos + x[i]·sin`; y may be x.
 *
 * @see Su et al. 2021, arXiv:2104.09864
 */
export function emitRope(module: ModuleBuilder, shape: RopeShape, options: RopeOptions): FunctionHandle {
  const { B, T, H, D, P } = shape
  return defineKernel(module, `rope ${B}x${T}x${H}x${D}`, 5, (f, [x, cos, sin, position, y], lane) => {
    const [b, t, angles, rowX, rowY] = f.locals("i32", 5)
    emitForUnits(f, lane, B * T, (row) => {
      emitDivide(f, row, T, b, t)
      f.address(t, () => (f.address(position, () => f.scaled(b, 4)), f.i32.load())), f.local.set(t)
      emitMin(f, t, () => f.i32.const(P - 1)), f.local.set(t)
      emitNotNegative(f, t), f.local.set(t)
      f.scaled(t, 2 * D), f.local.set(angles)
      f.address(x, () => f.scaled(row, 4 * H * D)), f.local.set(rowX)
      f.address(y, () => f.scaled(row, 4 * H * D)), f.local.set(rowY)
      emitForVectors(f, D / 2, (offset, count) => {
        const [c, s] = f.locals("v128", 2)
        f.address(cos, angles, offset), f.v128.load(), f.local.set(c)
        f.address(sin, angles, offset), f.v128.load()
        if (options.inverse) f.f32x4.neg()
        f.local.set(s)
        emitTurnHeads(f, { H, D, rowX, rowY, offset, count, c, s, fma: options.fma })
      })
    })
  })
}

interface TurnContext {
  readonly H: number
  readonly D: number
  readonly rowX: Local
  readonly rowY: Local
  readonly offset: Local | number
  readonly count: number
  readonly c: Local
  readonly s: Local
  readonly fma: boolean
}

/** Turns `count` pairs of every head by the angles in `c` and `s`. */
function emitTurnHeads(f: FunctionBuilder, { H, D, rowX, rowY, offset, count, c, s, fma }: TurnContext): void {
  f.scope(() => {
    const [head, from, to] = f.locals("i32", 3)
    const [first, second, turned] = f.locals("v128", 3)
    f.address(rowY, offset), f.local.set(to)
    f.address(rowX, offset), f.local.set(from)
    f.forRange(head, 0, H, 1, () => {
      f.local.get(from), f.v128.load(), f.local.set(first)
      f.local.get(from), f.v128.load(2 * D), f.local.set(second)
      emitMulAdd(
        f,
        fma,
        () => f.local.get(first),
        () => f.local.get(c),
        () => (f.local.get(second), f.local.get(s), f.f32x4.mul(), f.f32x4.neg()),
      )
      f.local.set(turned)
      emitStorePart(f, to, turned, count)
      emitMulAdd(
        f,
        fma,
        () => f.local.get(first),
        () => f.local.get(s),
        () => (f.local.get(second), f.local.get(c), f.f32x4.mul()),
      )
      f.local.set(turned)
      emitStorePart(f, to, turned, count, 2 * D)
      f.increment(from, 4 * D), f.increment(to, 4 * D)
    })
  })
}
