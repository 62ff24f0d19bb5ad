// What attention's two directions share: products on register tiles, loops over keys and columns, and the table of the
// query rows at hand. Scores lie transposed, keys down and queries across, so that a softmax runs down the lanes of vectors
// and never across them, and every product has the same form: splat times vector, added to a tile of registers.
import type { FunctionBuilder, Local, ModuleBuilder } from "../assembler.ts"
import { emitDivide, emitMin, emitNotNegative, emitStorePart, emitTranspose4, VECTOR_BYTES } from "./lane-slice.ts"
import { registerTile } from "./register-tile.ts"

export interface AttentionShape {
  readonly B: number
  readonly T: number
  readonly H: number
  readonly D: number
  readonly S: number
  readonly K: number
  readonly causal: boolean
  readonly scale: number
  /** Columns of the register tile that is fastest here (matmul-shape.ts); 8 when left out. It never changes the bits. */
  readonly tileColumns?: 8 | 16
}

/** Keys in one register tile. */
export const KEYS = 4
/** Query rows of one key/value head: row r is query r / G of head r % G of the group. */
export const rowsOf = ({ T, H, K }: AttentionShape): number => (T * H) / K
/** Rows side by side in a strip: the columns of a register tile, fewer where there are not so many. */
export function stripOf(shape: AttentionShape): number {
  const rows = rowsOf(shape)
  return Math.min(rows <= 4 ? 4 : rows <= 8 ? 8 : 16, columnsOf(shape))
}
/** Floats of a row of keys or values that are computed side by side. */
export const columnsOf = ({ tileColumns = 8 }: AttentionShape): number => tileColumns

export function emitZero(f: FunctionBuilder, sums: readonly Local[]): void {
  for (const sum of sums) f.f32x4.const(0), f.local.set(sum)
}

/** Calls `body` with tiles of keys that cover 0..end-1: four at a time, and what `S` has more than a multiple of four. */
export function emitForKeyTiles(
  f: FunctionBuilder,
  S: number,
  end: Local,
  body: (first: Local, keys: number) => void,
): void {
  const whole = S - (S % KEYS)
  f.scope(() => {
    const first = f.local("i32")
    const stop = () => emitMin(f, end, () => f.i32.const(whole))
    if (whole > 0) f.forRange(first, 0, stop, KEYS, () => body(first, KEYS))
    if (whole === S) return
    f.local.get(end), f.i32.const(whole), f.i32.gtS()
    f.if(() => (f.assign(first, whole), body(first, S - whole)))
  })
}

/** Calls `body` with `width` vectors of a row of `D` floats at a time; `parts` says how many floats of each belong to it. */
export function emitForColumns(
  f: FunctionBuilder,
  D: number,
  width: number,
  body: (offset: Local, parts: readonly number[]) => void,
): void {
  const floats = 4 * width
  const whole = D - (D % floats)
  f.scope(() => {
    const offset = f.local("i32")
    if (whole > 0)
      f.forRange(offset, 0, 4 * whole, 4 * floats, () =>
        body(
          offset,
          Array.from({ length: width }, () => 4),
        ),
      )
    if (whole === D) return
    const parts = Array.from({ length: Math.ceil((D - whole) / 4) }, (_, j) => Math.min(D - whole - 4 * j, 4))
    f.assign(offset, 4 * whole)
    body(offset, parts)
  })
}

/** Where the rows at hand are found; each is an array of one word a row, at an address in `base`'s scratch. */
export interface RowTable {
  /** Bytes from the start of q, o, dO or dQ. */
  readonly offset: number
  /** Bytes from the start of logSumExp. */
  readonly statistic: number
  /** Keys that the row sees; 0 for rows past the last. */
  readonly visible: number
  /** How many rows the table holds. */
  readonly length: number
}

export interface UnitLocals {
  readonly b: Local
  /** First query head of the group. */
  readonly head: Local
  /** First row of the table. */
  readonly row: Local
  /** position[b] */
  readonly position: Local
}

/** Fills the table; rows past the last repeat it but see no key. */
export function emitRowTable(
  f: FunctionBuilder,
  shape: AttentionShape,
  table: RowTable,
  scratch: Local,
  at: UnitLocals,
): void {
  const { T, H, D, S, K, causal } = shape
  f.scope(() => {
    const [i, r, t, h, slot, visible] = f.locals("i32", 6)
    f.forRange(i, 0, table.length, 1, () => {
      f.address(scratch, () => f.scaled(i, 4)), f.local.set(slot)
      f.address(at.row, i), f.local.set(r)
      emitMin(f, r, () => f.i32.const(rowsOf(shape) - 1)), f.local.set(t)
      emitDivide(f, t, H / K, t, h)
      f.increment(h, at.head)
      const query = () => f.address(() => f.scaled(at.b, T), t)
      f.local.get(slot), f.scaled(() => f.address(() => f.scaled(query, H), h), 4 * D), f.i32.store(table.offset)
      const statistic = () => f.address(() => f.scaled(() => f.address(() => f.scaled(at.b, H), h), T), t)
      f.local.get(slot), f.scaled(statistic, 4), f.i32.store(table.statistic)
      if (causal) f.address(at.position, t, 1), f.local.set(visible), emitMin(f, visible, () => f.i32.const(S))
      else f.i32.const(S)
      f.local.set(visible)
      f.local.get(slot), emitNotNegative(f, visible), f.i32.const(0)
      f.local.get(r), f.i32.const(rowsOf(shape)), f.i32.ltS(), f.select(), f.i32.store(table.visible)
    })
  })
}

/** The keys that some row (`end`) and that every row (`all`) of the `count` rows from `first` see. */
export function emitVisible(
  f: FunctionBuilder,
  shape: AttentionShape,
  table: RowTable,
  range: { scratch: Local; row: Local; first: Local | number; count: number },
  targets: { end: Local; all: Local },
): void {
  const { scratch, row, first, count } = range
  const visible = (index: () => void) => (f.address(scratch, () => f.scaled(index, 4)), f.i32.load(table.visible))
  f.scope(() => {
    const last = f.local("i32")
    f.i32.const(rowsOf(shape) - 1), f.local.get(row), f.i32.sub(), f.local.set(last)
    f.address(first, count - 1), f.local.set(targets.end)
    visible(() => emitMin(f, targets.end, () => f.local.get(last)))
    f.local.set(last)
    visible(() => f.push(first)),
      f.i32.const(0),
      visible(() => f.address(first, count - 1)),
      f.select(),
      f.local.set(targets.all)
    f.assign(targets.end, last)
  })
}

/**
 * Lays the table's rows of `source` down as columns `[D][length]` at `columns`, times `factor`; also as rows `[length][D
 * rounded up to 4]` at `copy` where it is given.
 */
export function emitGatherColumns(
  f: FunctionBuilder,
  D: number,
  table: RowTable,
  scratch: Local,
  of: { source: Local; columns: number; factor?: number; copy?: number },
): void {
  const pitch = 4 * table.length
  const rowBytes = VECTOR_BYTES * Math.ceil(D / 4)
  f.scope(() => {
    const [i, to, copy] = f.locals("i32", 3)
    const rows = f.locals("i32", 4)
    const vectors = f.locals("v128", 4)
    f.forRange(i, 0, table.length, 4, () => {
      for (const [n, row] of rows.entries())
        f.address(of.source, () => (f.address(scratch, () => f.scaled(i, 4)), f.i32.load(table.offset + 4 * n))),
          f.local.set(row)
      emitForColumns(f, D, 1, (offset, [count]) => {
        for (const [n, row] of rows.entries()) f.address(row, offset), f.v128.load(), f.local.set(vectors[n])
        if (of.copy !== undefined) {
          f.address(scratch, () => f.scaled(i, rowBytes), offset), f.local.set(copy)
          for (const [n, vector] of vectors.entries()) emitStorePart(f, copy, vector, 4, of.copy + n * rowBytes)
        }
        emitTranspose4(f, vectors)
        f.address(
          scratch,
          () => f.scaled(i, 4),
          () => f.scaled(offset, table.length),
        ),
          f.local.set(to)
        for (const [n, vector] of vectors.slice(0, count).entries()) {
          f.local.get(to), f.local.get(vector)
          if (of.factor !== undefined) f.f32x4.const(of.factor), f.f32x4.mul()
          f.v128.store(of.columns + n * pitch)
        }
      })
    })
  })
}

/** Bytes of scratch that {@link emitWeightedRows} and {@link emitTileOfRows} need for the tile at hand. */
export const tileBytes = (shape: AttentionShape): number => 4 * KEYS * columnsOf(shape)

/** A product on one register tile: `rows` scalars a step against `parts` of a row of B. */
export interface TileOfRows {
  readonly rows: number
  /** Floats of each vector that belong to C; all four but perhaps in the last. */
  readonly parts: readonly number[]
  readonly a: Local
  readonly aRow: number
  readonly aStep: number
  readonly b: Local
  readonly bStep: number
  readonly steps: number | Local
  readonly fma: boolean
}

/** `C[i] += Σ_k a[k][i] · b[k]` for rows of C at `target`, `rowBytes` apart; a narrow last vector takes its way through `aside`. */
export function emitTileOfRows(
  module: ModuleBuilder,
  f: FunctionBuilder,
  of: TileOfRows,
  to: { target: Local; rowBytes: number; aside: Local },
): void {
  const { rows, parts } = of
  if (parts.every((part) => part === 4)) return emitTile(module, f, of, to.target, to.rowBytes, true)
  const asideBytes = VECTOR_BYTES * parts.length
  f.scope(() => {
    const vector = f.local("v128")
    const forParts = (body: (part: number, inTarget: number, inAside: number) => void) => {
      for (let i = 0; i < rows; i++)
        for (const [j, part] of parts.entries())
          body(part, i * to.rowBytes + VECTOR_BYTES * j, i * asideBytes + VECTOR_BYTES * j)
    }
    forParts((_, at, aside) => (f.local.get(to.aside), f.local.get(to.target), f.v128.load(at), f.v128.store(aside)))
    emitTile(module, f, of, to.aside, asideBytes, true)
    forParts((part, at, aside) => {
      f.local.get(to.aside), f.v128.load(aside), f.local.set(vector), emitStorePart(f, to.target, vector, part, at)
    })
  })
}

function emitTile(
  module: ModuleBuilder,
  f: FunctionBuilder,
  { rows, parts, a, aRow, aStep, b, bStep, steps, fma }: TileOfRows,
  c: Local,
  cRow: number,
  goOn: boolean,
): void {
  f.local.get(a), f.local.get(b), f.local.get(c), f.push(steps), f.i32.const(goOn ? 1 : 0)
  f.call(registerTile(module, { rows, vectors: parts.length, aRow, aStep, bStep, cRow, fma }))
}

/**
 * `y[r] = Σ_s weights[s][r] · x[s]` for the `count` rows (a multiple of 4) from `first` of the table, over the keys below `end`;
 * `finish` may change a row's vectors before they are stored. `weights` is `[S][length]`, x and y are tensors.
 */
export function emitWeightedRows(
  module: ModuleBuilder,
  f: FunctionBuilder,
  shape: AttentionShape,
  table: RowTable,
  of: {
    scratch: Local
    row: Local
    first: Local | number
    count: number
    end: Local
    /** Addresses in scratch: the weights, and {@link tileBytes} for the tile at hand. */
    weights: number
    tile: number
    /** Address of the head's first row of x. */
    x: Local
    y: Local
    fma: boolean
    finish?: (slot: Local, vector: Local) => void
  },
): void {
  const { scratch, x, y } = of
  f.scope(() => {
    const [a, b, c, slot, to, left] = f.locals("i32", 6)
    const vector = f.local("v128")
    f.address(scratch, of.tile), f.local.set(c)
    for (let group = 0; group < of.count; group += 4) {
      f.address(scratch, () => f.scaled(of.first, 4), 4 * group), f.local.set(slot)
      f.address(slot, of.weights), f.local.set(a)
      f.i32.const(rowsOf(shape) - group), f.address(of.row, of.first), f.i32.sub(), f.local.set(left)
      f.local.get(left), f.i32.const(0), f.i32.gtS()
      const columns = (offset: Local, parts: readonly number[]) => {
        f.address(x, offset), f.local.set(b)
        const [aRow, aStep, bStep] = [4, 4 * table.length, 4 * shape.K * shape.D]
        emitTile(
          module,
          f,
          { rows: 4, parts, a, aRow, aStep, b, bStep, steps: of.end, fma: of.fma },
          c,
          VECTOR_BYTES * parts.length,
          false,
        )
        for (let i = 0; i < 4; i++) {
          f.local.get(left), f.i32.const(i), f.i32.gtS()
          f.if(() => {
            f.address(y, offset, () => (f.local.get(slot), f.i32.load(table.offset + 4 * i))), f.local.set(to)
            for (const [j, part] of parts.entries()) {
              f.local.get(c), f.v128.load(VECTOR_BYTES * (i * parts.length + j)), f.local.set(vector)
              if (of.finish) f.address(slot, 4 * i), f.local.set(b), of.finish(b, vector)
              emitStorePart(f, to, vector, part, VECTOR_BYTES * j)
            }
          })
        }
      }
      f.if(() =>
        emitForColumns(f, shape.D, columnsOf(shape) / 4, (offset, parts) => f.scope(() => columns(offset, parts))),
      )
    }
  })
}

/** Sets `target` to the first float of sequence b's key/value head `head / G` in `tensor [B, S, K, D]`. */
export function emitHeadAddress(
  f: FunctionBuilder,
  shape: AttentionShape,
  tensor: Local,
  at: UnitLocals,
  target: Local,
): void {
  const { H, S, K, D } = shape
  f.scope(() => {
    const kvHead = f.local("i32")
    f.local.get(at.head), f.i32.const(H / K), f.i32.divU(), f.local.set(kvHead)
    f.address(tensor, () => f.scaled(() => f.address(() => f.scaled(at.b, S * K), kvHead), 4 * D)), f.local.set(target)
  })
}
