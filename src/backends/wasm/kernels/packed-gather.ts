// Rows chosen from a packed table (tensor/panels.ts): the embedding lookup where the table is the head's weight too. A row lies
// scattered, one number in each line of its panel; a token reads one row and the head all of them.
import { PANEL_COLUMNS } from "../../../tensor/index.ts"
import type { FunctionBuilder, FunctionHandle, Local, ModuleBuilder } from "../assembler.ts"
import type { GatherShape } from "./gather.ts"
import { defineKernel, emitForUnits } from "./lane-slice.ts"

/** `(panels [⌈V/16⌉, C, 16], ids i32 [N], y [N, C])`: `y[n] = row ids[n]`, zeros where the id is outside 0..V-1. */
export function emitPackedGather(
  module: ModuleBuilder,
  { V, C, N, dtype }: GatherShape & { readonly dtype: "f32" | "f16" },
): FunctionHandle {
  const bytes = dtype === "f16" ? 2 : 4
  return defineKernel(module, `packedGather ${V}x${C} by ${N} ${dtype}`, 3, (f, [panels, ids, y], lane) => {
    const [id, source, target, end] = f.locals("i32", 4)
    const row = (load: () => void) =>
      f.forRange(target, target, end, 4, () => {
        f.local.get(target), load(), f.f32.store()
        f.increment(source, bytes * PANEL_COLUMNS)
      })
    emitForUnits(f, lane, N, (n) => {
      f.address(ids, () => f.scaled(n, 4)), f.i32.load(), f.local.set(id)
      f.address(y, () => f.scaled(n, 4 * C)), f.local.set(target)
      f.address(target, 4 * C), f.local.set(end)
      f.address(panels, () => emitPlace(f, id, C, bytes)), f.local.set(source)
      f.local.get(id), f.i32.const(V), f.i32.ltU()
      f.if(
        () => row(() => (dtype === "f16" ? emitLoadHalf(f, source) : (f.local.get(source), f.f32.load()))),
        () => row(() => f.f32.const(0)),
      )
    })
  })
}

/** Leaves the offset of row `id`'s first number: its panel, then its column. */
function emitPlace(f: FunctionBuilder, id: Local, C: number, bytes: number): void {
  f.address(
    () => f.scaled(() => (f.local.get(id), f.i32.const(PANEL_COLUMNS), f.i32.divU()), bytes * PANEL_COLUMNS * C),
    () => f.scaled(() => (f.local.get(id), f.i32.const(PANEL_COLUMNS), f.i32.remU()), bytes),
  )
}

/** Leaves the half at `address` as a float; how, says packed-linear.ts. */
function emitLoadHalf(f: FunctionBuilder, address: Local): void {
  f.local.get(address), f.i32.load16S(), f.i32.const(13), f.i32.shl(), f.i32.const(0x8fffe000 | 0), f.i32.and()
  f.f32.reinterpretI32(), f.f32.const(2 ** 112), f.f32.mul()
}
