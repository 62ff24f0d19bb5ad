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
  /** Through the imported `sgemm`; its rows must not overlap. Bits are then the library's, and may depend on the lanes. */
  readonly blas?: boolean
}

/** A shape before it is decided how it is computed. */
export type Product = Omit<MatmulShape, "fma" | "accumulate" | "blas">

/** `12*64x64x32b`: batch, sizes, transposed operands. */
export const productName = ({ batch = 1, m, n, k, transposeA, transposeB }: Product): string =>
  `${batch > 1 ? `${batch}*` : ""}${m}x${n}x${k}${transposeA ? "a" : ""}${transposeB ? "b" : ""}`

/** A shape with every stride said. */
export type ResolvedMatmul = Required<MatmulShape>

export function resolveMatmul(shape: MatmulShape): ResolvedMatmul {
  const { batch = 1, m, n, k, transposeA = false, transposeB = false, accumulate = false, fma, blas = false } = shape
  const rowStrideA = shape.rowStrideA ?? (transposeA ? m : k)
  const rowStrideB = shape.rowStrideB ?? (transposeB ? k : n)
  const rowStrideC = shape.rowStrideC ?? n
  const batchStrideA = shape.batchStrideA ?? (transposeA ? k : m) * rowStrideA
  const batchStrideB = shape.batchStrideB ?? (transposeB ? n : k) * rowStrideB
  const batchStrideC = shape.batchStrideC ?? m * rowStrideC
  const strides = { rowStrideA, rowStrideB, rowStrideC, batchStrideA, batchStrideB, batchStrideC }
  return { batch, m, n, k, transposeA, transposeB, accumulate, fma, blas, ...strides }
}

/** Rows and columns of the register tile: 8 sums, 2 of B and 1 of A fit the 16 registers V8 gives on Node 20. */
export const TILE_ROWS = 4
export const TILE_COLUMNS = 8
/** Longest panel: 256 · 8 floats of B are 8 KB, a quarter of the smallest first-level cache in use. */
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
export function panelDepth({ k }: ResolvedMatmul): number {
  const blocks = Math.ceil(k / MAX_PANEL_DEPTH)
  return Math.ceil(k / blocks / 4) * 4
}

/** Rows of a block: m cut into equal multiples of the tile no taller than {@link MAX_BLOCK_ROWS}. */
export function blockRows({ m }: ResolvedMatmul): number {
  const blocks = Math.ceil(m / MAX_BLOCK_ROWS)
  return Math.ceil(m / blocks / TILE_ROWS) * TILE_ROWS
}

/** Lanes share out the longer side: splitting columns packs B once in all, splitting rows reads A once in all. */
export function splitsColumns({ m, n }: ResolvedMatmul): boolean {
  return n >= m
}

/** Byte offsets of the parts of a lane's scratch: one panel of B, one tile of C, the packed block of a transposed A. */
export function scratchLayout(shape: ResolvedMatmul) {
  const tile = panelDepth(shape) * TILE_COLUMNS * 4
  const packedA = tile + TILE_ROWS * TILE_COLUMNS * 4
  // 64 bytes more than the panel needs, or all panels would fall into the same cache sets
  const packedPanelBytes = panelDepth(shape) * TILE_ROWS * 4 + 64
  const bytes = packedA + (shape.transposeA ? (blockRows(shape) / TILE_ROWS) * packedPanelBytes : 0)
  return { panel: 0, tile, packedA, packedPanelBytes, bytes }
}

/** Bytes of scratch each lane needs, a multiple of 64; the address should be one too. */
export function matmulScratchBytes(shape: MatmulShape): number {
  const resolved = resolveMatmul(shape)
  return matmulPath(resolved) === "tiles" ? Math.ceil(scratchLayout(resolved).bytes / 64) * 64 : 0
}
