// What a matrix product is before any code exists: sizes, strides, tiles, scratch. Everything here is a pure function of
// the shape, because tiles and slices must never depend on the number of lanes.

/** `C[b] = op(A[b]) · op(B[b])`, row-major, `op(A)` is [M, K], `op(B)` is [K, N]. Strides count elements. */
export interface MatmulShape {
  readonly batch?: number
  readonly m: number
  readonly n: number
  readonly k: number
  /** A is stored as [K, M]. */
  readonly transposeA?: boolean
  /** B is stored as [N, K], as the weight of a linear layer is. */
  readonly transposeB?: boolean
  /** Distance between the matrices of a batch; 0 repeats one matrix. Contiguous by default. */
  readonly batchStrideA?: number
  readonly batchStrideB?: number
  readonly batchStrideC?: number
  /** Distance between stored rows. Contiguous by default. */
  readonly rowStrideA?: number
  readonly rowStrideB?: number
  readonly rowStrideC?: number
  /** Fast build: `f32x4.relaxed_madd`; else a product and a sum, each rounded. */
  readonly fma: boolean
  /** `C += ` instead of `C = `. */
  readonly accumulate?: boolean
  /** The register tile; it never changes the bits. */
  readonly tile?: TileShape
  /** Through the imported `sgemm`; its rows must not overlap. Bits are then the library's, and may depend on the lanes. */
  readonly blas?: boolean
}

/** Rows and columns of C that stay in registers while k runs. */
export interface TileShape {
  readonly rows: 4 | 6
  readonly columns: 8 | 16
}

/** 8 sums, 2 of B and 1 of A fit the 16 registers of every engine. The fastest tile is a matter of the engine: tile-probe.ts. */
export const SMALLEST_TILE: TileShape = { rows: 4, columns: 8 }

/** A shape before it is decided how it is computed. */
export type Product = Omit<MatmulShape, "fma" | "accumulate" | "tile" | "blas">

/** `12*64x64x32b`: batch, sizes, transposed operands. */
export const productName = ({ batch = 1, m, n, k, transposeA, transposeB }: Product): string =>
  `${batch > 1 ? `${batch}*` : ""}${m}x${n}x${k}${transposeA ? "a" : ""}${transposeB ? "b" : ""}`

/** A shape with every stride said. */
export type ResolvedMatmul = Required<MatmulShape>

export function resolveMatmul(shape: MatmulShape): ResolvedMatmul {
  const {
    batch = 1,
    m,
    n,
    k,
    transposeA = false,
    transposeB = false,
    accumulate = false,
    fma,
    tile = SMALLEST_TILE,
    blas = false,
  } = shape
  const rowStrideA = shape.rowStrideA ?? (transposeA ? m : k)
  const rowStrideB = shape.rowStrideB ?? (transposeB ? k : n)
  const rowStrideC = shape.rowStrideC ?? n
  const batchStrideA = shape.batchStrideA ?? (transposeA ? k : m) * rowStrideA
  const batchStrideB = shape.batchStrideB ?? (transposeB ? n : k) * rowStrideB
  const batchStrideC = shape.batchStrideC ?? m * rowStrideC
  const strides = { rowStrideA, rowStrideB, rowStrideC, batchStrideA, batchStrideB, batchStrideC }
  return { batch, m, n, k, transposeA, transposeB, accumulate, fma, tile, blas, ...strides }
}

/** Longest panel: 256 · 8 floats of B are 8 KB, a quarter of the smallest first-level cache in use; 16 columns take half of it. */
const MAX_PANEL_DEPTH = 256
/** Rows that share one packed panel of B: with 256 deep, 256 KB of A, half of a second-level cache. */
const MAX_BLOCK_ROWS = 256
/** Up to this many rows a product is limited by reading B, and B is read in place. */
const MAX_THIN_ROWS = 3

export type MatmulPath = "empty" | "blas" | "dot" | "stream" | "tiles"

/** Which code computes it: `dot` runs along k over rows of B, `stream` adds scaled rows of B, `tiles` is the general one, `blas` calls the system's. */
export function matmulPath({ batch, m, n, k, transposeA, transposeB, blas }: ResolvedMatmul): MatmulPath {
  if (batch * m * n * k === 0) return "empty"
  if (blas) return "blas"
  if (m > MAX_THIN_ROWS || transposeA) return "tiles"
  return transposeB ? "dot" : "stream"
}

/** Depth of a panel: k cut into equal multiples of 4 no deeper than {@link MAX_PANEL_DEPTH}. */
export function panelDepth({ k }: { readonly k: number }): number {
  const blocks = Math.ceil(k / MAX_PANEL_DEPTH)
  return Math.ceil(k / blocks / 4) * 4
}

/** As much of a shape as decides about its rows. */
interface RowsAndTile {
  readonly m: number
  readonly tile: { readonly rows: number }
}

/** Rows of a block: m cut into equal multiples of the tile, about {@link MAX_BLOCK_ROWS} at most. */
export function blockRows({ m, tile }: RowsAndTile): number {
  const blocks = Math.ceil(m / MAX_BLOCK_ROWS)
  return Math.ceil(m / blocks / tile.rows) * tile.rows
}

/** How the rows of C are cut into tiles: `whole` ones of the full height, then lower ones where `at` and `rows` say. */
export interface RowTiles {
  readonly whole: number
  readonly tail: readonly { readonly at: number; readonly rows: number }[]
}

/** What is over six rows, one six included, in heights that run at full speed: five rows run out of registers, two starve. */
const TAILS_OF_SIX = [[], [4, 3], [4, 4], [3], [4], [4, 4, 3]]

export function rowTiles({ m, tile }: RowsAndTile): RowTiles {
  const rest = m % tile.rows
  const heights = tile.rows === 6 && m > 6 ? TAILS_OF_SIX[rest] : rest > 4 ? [3, rest - 3] : rest > 0 ? [rest] : []
  const tail: { at: number; rows: number }[] = []
  let at = m - heights.reduce((sum, rows) => sum + rows, 0)
  const whole = at / tile.rows
  for (const rows of heights) tail.push({ at, rows }), (at += rows)
  return { whole, tail }
}

/** Columns of the last panel, narrower than the others; 0 where they fit exactly. */
export const narrowColumns = ({ n, tile }: ResolvedMatmul): number => n % tile.columns

/** Longest row of a transposed A, in numbers, that is read in place: the columns of longer ones fall into too few cache sets. */
const LONGEST_ROW_IN_PLACE = 128

/** Whether tiles of A are copied together first: a transposed A with long rows. */
export const packsA = ({ transposeA, rowStrideA }: ResolvedMatmul): boolean =>
  transposeA && rowStrideA > LONGEST_ROW_IN_PLACE

/** Lanes share out the longer side: splitting columns packs B once in all, splitting rows reads A once in all. */
export function splitsColumns({ m, n }: ResolvedMatmul): boolean {
  return n >= m
}

/** Byte offsets of the parts of a lane's scratch: one panel of B, one tile of C, the packed block of a transposed A. */
export function scratchLayout(shape: ResolvedMatmul) {
  const { rows, columns } = shape.tile
  const tile = panelDepth(shape) * columns * 4
  const packedA = tile + rows * columns * 4
  // 64 bytes more than the panel needs, or all panels would fall into the same cache sets
  const packedPanelBytes = panelDepth(shape) * rows * 4 + 64
  // the lower tiles of the tail lie behind the whole ones of a block
  const packedTail = packedA + (blockRows(shape) / rows) * packedPanelBytes
  const bytes = packsA(shape) ? packedTail + rowTiles(shape).tail.length * packedPanelBytes : packedA
  return { panel: 0, tile, packedA, packedPanelBytes, packedTail, bytes }
}

/** Bytes of scratch each lane needs, a multiple of 64; the address should be one too. */
export function matmulScratchBytes(shape: MatmulShape): number {
  const resolved = resolveMatmul(shape)
  return matmulPath(resolved) === "tiles" ? Math.ceil(scratchLayout(resolved).bytes / 64) * 64 : 0
}
