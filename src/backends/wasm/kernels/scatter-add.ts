// Rows added into a table: the gradient of the embedding lookup. Lanes share the rows of the table and each reads all ids,
// so that every row gets its terms in the order of the ids, however many lanes there are.
import type { FunctionBuilder, FunctionHandle, Local, ModuleBuilder } from "../assembler.ts"
import { defineKernel, emitForVectors, emitSlice, emitStorePart } from "./lane-slice.ts"

export interface ScatterAddShape {
  /** Rows of the output. */
  readonly rows: number
  /** Floats of a row. */
  readonly C: number
  /** How many ids. */
  readonly N: number
}

/** `(ids i32 [N], x [N, C], y [rows, C])`: `y[r] = Σ x[n]` over the n with `ids[n] = r`; other ids are skipped. */
export function emitScatterAdd(module: ModuleBuilder, { rows, C, N }: ScatterAddShape): FunctionHandle {
  return defineKernel(module, `scatterAdd ${N}x${C} to ${rows}`, 3, (f, [ids, x, y], lane) => {
    const [first, end, own, n, id, source, target] = f.locals("i32", 7)
    emitSlice(f, lane, rows, first, end)
    f.local.get(end), f.local.get(first), f.i32.sub(), f.local.set(own)
    f.address(y, () => f.scaled(first, 4 * C)), f.local.tee(target)
    f.i32.const(0), f.scaled(own, 4 * C), f.memory.fill()
    f.forRange(n, 0, N, 1, () => {
      f.address(ids, () => f.scaled(n, 4)), f.i32.load(), f.local.get(first), f.i32.sub(), f.local.tee(id)
      f.local.get(own), f.i32.ltU()
      f.if(() => {
        f.address(target, () => f.scaled(id, 4 * C)), f.local.set(id)
        f.address(x, () => f.scaled(n, 4 * C)), f.local.set(source)
        emitAddRow(f, id, source, C)
      })
    })
  })
}

/** `target += source`, `length` floats. */
function emitAddRow(f: FunctionBuilder, target: Local, source: Local, length: number): void {
  f.scope(() => {
    const at = f.local("i32")
    const sum = f.local("v128")
    emitForVectors(f, length, (offset, count) => {
      f.address(source, offset), f.v128.load()
      f.address(target, offset), f.local.tee(at), f.v128.load()
      f.f32x4.add(), f.local.set(sum)
      emitStorePart(f, at, sum, count)
    })
  })
}
