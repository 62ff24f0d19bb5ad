// New keys or values laid into a cache. In place only the new rows are written; otherwise the whole cache is made anew.
import type { FunctionBuilder, FunctionHandle, Local, ModuleBuilder } from "../assembler.ts"
import { defineKernel, emitCopyRow, emitDivide, emitForUnits } from "./lane-slice.ts"

export interface CacheWriteShape {
  readonly B: number
  /** Rows of the cache. */
  readonly S: number
  /** New rows. */
  readonly T: number
  readonly K: number
  readonly D: number
}

/**
 * `(cache [B, S, K, D], x [B, T, K, D], position i32 [B], y [B, S, K, D])`: row `position[b] + t` becomes `x[b, t]`; rows
 * outside the cache are dropped.
 *
 * @param options.inPlace  y is the cache: its other rows are not touched
 */
export function emitCacheWrite(
  module: ModuleBuilder,
  shape: CacheWriteShape,
  options: { inPlace: boolean },
): FunctionHandle {
  const { B, S, T, K, D } = shape
  const units = B * (options.inPlace ? T : S)
  return defineKernel(module, `cacheWrite ${B}x${T} of ${S}x${K * D}`, 4, (f, [cache, x, position, y], lane) => {
    const [b, row, from, to] = f.locals("i32", 4)
    emitForUnits(f, lane, units, (unit) => {
      emitDivide(f, unit, units / B, b, row)
      const start = () => (f.address(position, () => f.scaled(b, 4)), f.i32.load())
      if (options.inPlace) emitNewRow(f, { shape, b, row, start, x, y, from, to })
      else emitAnyRow(f, { shape, b, row, start, x, y, from, to, cache, unit })
    })
  })
}

interface RowContext {
  readonly shape: CacheWriteShape
  readonly b: Local
  readonly row: Local
  /** Leaves position[b]. */
  readonly start: () => void
  readonly x: Local
  readonly y: Local
  readonly from: Local
  readonly to: Local
}

/** Copies new row `row` of sequence b to its place, if it has one. */
function emitNewRow(f: FunctionBuilder, { shape: { S, T, K, D }, b, row, start, x, y, from, to }: RowContext): void {
  f.scope(() => {
    const place = f.local("i32")
    f.address(row, start), f.local.tee(place)
    f.i32.const(S), f.i32.ltU()
    f.if(() => {
      f.address(x, () => f.scaled(() => f.address(() => f.scaled(b, T), row), 4 * K * D)), f.local.set(from)
      f.address(y, () => f.scaled(() => f.address(() => f.scaled(b, S), place), 4 * K * D)), f.local.set(to)
      emitCopyRow(f, to, from, K * D)
    })
  })
}

/** Makes row `row` of the new cache: from x where it is new, else from the old cache. */
function emitAnyRow(f: FunctionBuilder, context: RowContext & { readonly cache: Local; readonly unit: Local }): void {
  const {
    shape: { T, K, D },
    b,
    row,
    start,
    x,
    y,
    from,
    to,
    cache,
    unit,
  } = context
  const bytes = 4 * K * D
  f.scope(() => {
    const t = f.local("i32")
    f.local.get(row), start(), f.i32.sub(), f.local.set(t)
    f.address(x, () => f.scaled(() => f.address(() => f.scaled(b, T), t), bytes))
    f.address(cache, () => f.scaled(unit, bytes))
    f.local.get(t), f.i32.const(T), f.i32.ltU(), f.select(), f.local.set(from)
    f.address(y, () => f.scaled(unit, bytes)), f.local.set(to)
    emitCopyRow(f, to, from, bytes / 4)
  })
}
