// The innermost loop of products of more than a few rows: a tile of C in registers while k runs. Matrix products, attention
// and packed weights share it.
import type { FunctionHandle, Local, ModuleBuilder } from "../assembler.ts"
import { emitAddProduct } from "./matmul-slice.ts"

/** A tile of C and how its operands lie; distances in bytes. */
export interface RegisterTile {
  readonly rows: number
  /** Vectors of four columns. */
  readonly vectors: number
  /** Between the numbers of A that belong to neighboring rows of C, and to neighboring k. */
  readonly aRow: number
  readonly aStep: number
  /** Between the rows of B. */
  readonly bStep: number
  readonly cRow: number
  readonly fma: boolean
}

/**
 * `(a, b, c, steps, goOn)`: `C[r][v] = Σ_k A[r][k] · B[k][v]`, one term after the other, from 0 or, if `goOn`, from what C holds;
 * per k the loads of one row of B, one number of A a row, and `vectors` multiply-adds for it.
 *
 * A function of its own with one k a turn, because V8 unrolls loops by how deep they are nested, moves all loads of the longer
 * body before the sums, and runs out of registers (6 x 8: 27 instead of 58 GFLOP/s).
 */
export function registerTile(module: ModuleBuilder, tile: RegisterTile): FunctionHandle {
  const { rows, vectors, aRow, aStep, bStep, cRow, fma } = tile
  const key = `tile ${rows}x${4 * vectors} ${fma} ${[aRow, aStep, bStep, cRow].join(" ")}`
  return module.once(key, () =>
    module.function(key, ["i32", "i32", "i32", "i32", "i32"], [], false, (f, a, b, c, steps, goOn) => {
      const sums = Array.from({ length: rows }, () => f.locals("v128", vectors))
      const [rowOfB, factors] = [f.locals("v128", vectors), f.locals("v128", rows)]
      const forSums = (body: (sum: Local, offset: number) => void) =>
        sums.forEach((of, r) => of.forEach((sum, v) => body(sum, r * cRow + 16 * v)))
      f.local.get(goOn!)
      f.if(
        () => forSums((sum, offset) => (f.local.get(c!), f.v128.load(offset), f.local.set(sum))),
        () => forSums((sum) => (f.f32x4.const(0), f.local.set(sum))),
      )
      const end = () => f.address(b!, () => f.scaled(steps!, bStep))
      f.forRange(b!, b!, end, bStep, () => {
        rowOfB.forEach((vector, v) => (f.local.get(b!), f.v128.load(16 * v), f.local.set(vector)))
        sums.forEach((of, r) => {
          f.local.get(a!), f.v128.load32Splat(r * aRow), f.local.set(factors[r]!)
          of.forEach((sum, v) => emitAddProduct(f, fma, sum, factors[r]!, rowOfB[v]!))
        })
        f.increment(a!, aStep)
      })
      forSums((sum, offset) => (f.local.get(c!), f.local.get(sum), f.v128.store(offset)))
    }),
  )
}
