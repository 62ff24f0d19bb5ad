// Rows chosen from a table: the embedding lookup. Lanes share the ids.
import type { FunctionHandle, ModuleBuilder } from "../assembler.ts"
import { defineKernel, emitCopyRow, emitForUnits } from "./lane-slice.ts"

export interface GatherShape {
  /** Rows of the table. */
  readonly V: number
  /** Floats of a row. */
  readonly C: number
  /** How many ids. */
  readonly N: number
}

/** `(table [V, C], ids i32 [N], y [N, C])`: `y[n] = table[ids[n]]`, zeros where the id is outside 0..V-1. */
export function emitGather(module: ModuleBuilder, { V, C, N }: GatherShape): FunctionHandle {
  return defineKernel(module, `gather ${V}x${C} by ${N}`, 3, (f, [table, ids, y], lane) => {
    const [id, source, target] = f.locals("i32", 3)
    emitForUnits(f, lane, N, (n) => {
      f.address(ids, () => f.scaled(n, 4)), f.i32.load(), f.local.set(id)
      f.address(y, () => f.scaled(n, 4 * C)), f.local.set(target)
      f.local.get(id), f.i32.const(V), f.i32.ltU()
      const copy = () => {
        f.address(table, () => f.scaled(id, 4 * C)), f.local.set(source)
        emitCopyRow(f, target, source, C)
      }
      f.if(copy, () => emitCopyRow(f, target, undefined, C))
    })
  })
}
