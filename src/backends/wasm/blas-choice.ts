// Which products go through a BLAS. Our own kernels and the library are timed on the calling thread, once for each kind of
// slice that a lane computes; the outcome decides bits, so it is written down with a run and read back by `resume`.
import { platform } from "#platform"
import type { Blas } from "../../platform/platform.ts"
import { createModule } from "./assembler.ts"
import type { Build } from "./kernels/index.ts"
import { emitMatmul, matmulScratchBytes } from "./kernels/matmul.ts"
import { type Product, productName } from "./kernels/matmul-shape.ts"
import { PAGE_BYTES } from "./memory.ts"
import { type WasmModule, webAssembly } from "./webassembly.ts"

/** Sides beyond this change the ratio of the two speeds little; so a model has a handful of kinds, most of them 64x64x64. */
const LONGEST_SIDE = 64
/** Smaller slices gain a microsecond at best, and no two measurements of them agree. */
const LEAST_FLOPS = 2 * 64 * 64 * 32
/** A library that is hardly faster is not worth bits that are its own. */
const LEAST_ADVANTAGE = 1.1
/** FLOPs in one reading of the clock, and readings of each way, taken in turn: the best counts. */
const READING_FLOPS = 4e6
const READINGS = 5
/** How long V8 may take to replace its baseline code, where it may not be told to leave that out. */
const SETTLING_MS = 10

interface ChooserOptions {
  /** Loads the library when it is first wanted. */
  readonly find: () => Blas | undefined
  readonly build: Build
  readonly lanes: number
  readonly compile: (bytes: Uint8Array) => WasmModule
  /** `compile` gives optimized code at once. */
  readonly optimized: boolean
}

export interface BlasChooser {
  readonly find: ChooserOptions["find"]
  /** Those of `products`, by name, that the library computes faster; takes some 10 ms where a kind of slice is new. */
  choose(products: readonly Product[]): Promise<ReadonlySet<string>>
}

/** One for a device, so that its workspaces choose alike: by measuring (`auto`), every product, or undefined. */
export function createBlasChooser(how: "auto" | "always" | "off", options: ChooserOptions): BlasChooser | undefined {
  if (how === "off") return undefined
  return how === "always" ? { find: options.find, choose: chooseAll } : createMeasuring(options)
}

const chooseAll: BlasChooser["choose"] = async (products) => new Set(products.map(productName))

function createMeasuring(options: ChooserOptions): BlasChooser {
  const isFaster = new Map<string, boolean>()
  let last: Promise<unknown> = Promise.resolve()
  /** One after the other, so that each kind is measured once and all workspaces choose alike. */
  const inTurn: BlasChooser["choose"] = (products) => {
    const mine = last.then(() => choose(products))
    last = mine.catch(() => {})
    return mine
  }
  const choose = async (products: readonly Product[]): Promise<ReadonlySet<string>> => {
    const kinds = products.map((product) => sliceOf(product, options.lanes))
    const unknown = new Map(kinds.map((kind) => [productName(kind), kind]))
    for (const [name, kind] of unknown) if (isFaster.has(name) || flopsOf(kind) < LEAST_FLOPS) unknown.delete(name)
    const blas = unknown.size > 0 ? options.find() : undefined
    if (blas !== undefined)
      for (const [name, advantage] of advantages(unknown, blas, options)) {
        isFaster.set(name, advantage >= LEAST_ADVANTAGE)
        await platform.yieldToEventLoop()
      }
    return new Set(products.filter((_, i) => isFaster.get(productName(kinds[i]!))).map(productName))
  }
  return { find: options.find, choose: inTurn }
}

/** What one lane computes of one matrix of the batch, its sides cut to {@link LONGEST_SIDE}. */
function sliceOf({ m, n, k, transposeA = false, transposeB = false }: Product, lanes: number): Product {
  const [rows, columns] = n >= m ? [m, n / lanes] : [m / lanes, n]
  const cut = (side: number) => Math.min(Math.ceil(side), LONGEST_SIDE)
  return { m: cut(rows), n: cut(columns), k: cut(k), transposeA, transposeB }
}

const flopsOf = ({ m, n, k }: Product): number => 2 * m * n * k

/** How many times faster than our own kernel the library computes each of `kinds`. */
function* advantages(
  kinds: ReadonlyMap<string, Product>,
  blas: Blas,
  { build, compile, optimized }: ChooserOptions,
): Generator<[name: string, advantage: number]> {
  // Numbers do not change the time: all memories hold zeros.
  const memory = new webAssembly.Memory({ initial: PAGES, maximum: PAGES })
  const own = new webAssembly.Instance(compile(kernelsFor(kinds, build)), { env: { memory } }).exports
  const sgemm = blas.bind(memory)
  for (const [name, { m, n, k, transposeA, transposeB }] of kinds) {
    const { a, b, c } = PLACES
    const [lda, ldb] = [transposeA ? m : k, transposeB ? k : n]
    const library = () => sgemm(Number(transposeA), Number(transposeB), m, n, k, a, lda, b, ldb, 0, c, n)
    const repeats = Math.ceil(READING_FLOPS / (2 * m * n * k))
    yield [name, ratioOf(own[name]!, library, repeats, optimized ? 0 : SETTLING_MS)]
  }
}

const MATRIX_BYTES = 4 * LONGEST_SIDE ** 2
const PLACES = { a: 0, b: MATRIX_BYTES, c: 2 * MATRIX_BYTES, scratch: 3 * MATRIX_BYTES }
/** What the largest slice needs of the largest tile. */
const SCRATCH_BYTES = matmulScratchBytes({
  m: LONGEST_SIDE,
  n: LONGEST_SIDE,
  k: LONGEST_SIDE,
  transposeA: true,
  transposeB: true,
  fma: false,
  tile: { rows: 6, columns: 16 },
})
const PAGES = Math.ceil((PLACES.scratch + SCRATCH_BYTES) / PAGE_BYTES)

/** Our own kernel for each kind, exported under its name. */
function kernelsFor(kinds: ReadonlyMap<string, Product>, build: Build): Uint8Array {
  const module = createModule({ memory: { min: PAGES, max: PAGES, shared: false } })
  for (const [name, kind] of kinds) {
    const product = emitMatmul(module, { ...kind, ...build })
    module.function(name, [], [], true, (f) => {
      for (const argument of [...Object.values(PLACES), 0, 1]) f.i32.const(argument)
      f.call(product)
    })
  }
  return module.bytes()
}

/** Best time of `first` against best time of `second`, for at least `leastMs`. */
function ratioOf(first: () => unknown, second: () => unknown, repeats: number, leastMs: number): number {
  const end = platform.now() + leastMs
  let [bestFirst, bestSecond] = [Infinity, Infinity]
  for (let reading = 0; reading < READINGS || platform.now() < end; reading++) {
    bestFirst = Math.min(bestFirst, timeOf(first, repeats))
    bestSecond = Math.min(bestSecond, timeOf(second, repeats))
  }
  return bestFirst / bestSecond
}

function timeOf(call: () => unknown, repeats: number): number {
  const start = platform.now()
  for (let i = 0; i < repeats; i++) call()
  return platform.now() - start
}
