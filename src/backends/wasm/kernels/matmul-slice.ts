// What all paths of the matrix product share: the slice a lane computes and a few steps of code.
import type { FunctionBuilder, Local, Operand } from "../assembler.ts"
import type { ResolvedMatmul } from "./matmul-shape.ts"

/** The matrices of one element of the batch, and the slice of C a lane computes. Rows and columns in elements. */
export interface MatmulSlice {
  readonly a: Local
  readonly b: Local
  readonly c: Local
  readonly scratch: Local
  readonly rowStart: Operand
  readonly rowStop: Operand
  readonly columnStart: Operand
  readonly columnStop: Operand
}

/** C = 0 on the slice. */
export function emitClear(f: FunctionBuilder, shape: ResolvedMatmul, slice: MatmulSlice): void {
  f.scope(() => {
    const row = f.local("i32")
    f.forRange(row, slice.rowStart, slice.rowStop, 1, () => {
      f.address(
        slice.c,
        () => f.scaled(row, 4 * shape.rowStrideC),
        () => f.scaled(slice.columnStart, 4),
      )
      f.i32.const(0)
      f.scaled(slice.columnStop, 4), f.scaled(slice.columnStart, 4), f.i32.sub()
      f.memory.fill()
    })
  })
}

/** `sum += x · y`. */
export function emitAddProduct(f: FunctionBuilder, fma: boolean, sum: Local, x: Local, y: Local): void {
  if (fma) f.local.get(x), f.local.get(y), f.local.get(sum), f.f32x4.relaxedMadd()
  else f.local.get(sum), f.local.get(x), f.local.get(y), f.f32x4.mul(), f.f32x4.add()
  f.local.set(sum)
}
