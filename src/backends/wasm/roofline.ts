// What this machine gives at most, to judge kernels by: multiply-adds of 128-bit vectors that touch no memory, and bytes of a
// stream longer than any cache. A kernel can be no faster than the lower of the two allows for its FLOPs and its bytes.
// @see Williams, Waterman & Patterson 2009, "Roofline", doi:10.1145/1498765.1498785
import { platform } from "#platform"
import {
  createModule,
  type FunctionBuilder,
  type FunctionHandle,
  type Local,
  type MemoryOptions,
  type ModuleBuilder,
} from "./assembler.ts"
import { canPairVectors, compileModule } from "./compile-module.ts"
import { detectFeatures, enableRelaxedSimd } from "./features.ts"
import { emitSlice } from "./kernels/lane-slice.ts"
import { CONTROL_BYTES, emitBarrier, type LanePool, openLanes, openLocalLane } from "./lanes.ts"
import { PAGE_BYTES } from "./memory.ts"
import { type WasmMemory, webAssembly } from "./webassembly.ts"

/** As in the device that is to be judged. */
export interface RooflineOptions {
  /** Lanes that are measured together; the number of cores when not given. */
  readonly lanes?: number
  /** A product and a sum instead of the fused multiply-add. */
  readonly strict?: boolean
  /** Lets the library set V8's flags; without them the peak is that of the code V8 gets to by itself. */
  readonly allowV8Flags?: boolean
}

/** Lane 0 while the others rest, or all lanes at once. */
export type Together = "one" | "all"

/** A rate of one lane alone, and of all lanes together. */
export type LaneRates = { readonly [T in Together]: number }

/** What a machine gives at most. */
export interface Roofline {
  readonly lanes: number
  /** Whether the multiply-adds were fused. */
  readonly fma: boolean
  /** In 128-bit vectors, whatever the engine could do with wider ones. */
  readonly flopsPerSecond: LaneRates
  /** The same sums where the engine joins two vectors to 256 bits (V8 13 and newer, with its flag); absent elsewhere. */
  readonly pairedFlopsPerSecond?: LaneRates
  /** Read from memory, in order. */
  readonly bytesPerSecond: LaneRates
}

/** Single measurements, for those who take them in turns with something else. */
export interface RooflineMeter {
  readonly lanes: number
  readonly fma: boolean
  /** Whether `flopsPerSecond` can be asked for paired vectors. */
  readonly pairs: boolean
  /** The best of `rounds`, each some 3 ms. */
  flopsPerSecond(together: Together, rounds: number, paired?: boolean): Promise<number>
  /** The best of `rounds`, each some 10 ms; the first call makes a memory of 272 MiB. */
  bytesPerSecond(together: Together, rounds: number): Promise<number>
  close(): Promise<void>
}

/**
 * Independent sums. A fused multiply-add takes 4 cycles and two begin in each: 8 would do. A product and a sum take 6 to 8, and
 * with 12 the strict build stayed a fifth below its peak (47 of 59 GFLOP/s). With x and a product, 14 fill the 16 registers.
 */
const SUMS = 14
/** Joined to 10. */
const PAIRED_SUMS = 20
/** Multiply-adds of each lane in a round: 3 ms at 58 GFLOP/s. */
const MULTIPLY_ADDS = 25_200_000
const FLOPS_PER_MULTIPLY_ADD = 8
/** More than any cache. */
const STREAM_BYTES = 272 * 2 ** 20
const STREAM_SUMS = 8
/** Bytes that each of two streams moves on in a turn: four vectors. */
const STREAM_STEP = 64
/** The best counts: the machine is shared, and its scheduler takes up to 100 ms to give each lane a core of its own. */
const ROUNDS = { multiplyAdds: 45, stream: 25 } as const

/** What the first page of a memory holds after the barrier's words: the host's order, the answer, and sums that nobody reads. */
const PLACE = { rounds: CONTROL_BYTES, seconds: CONTROL_BYTES + 8, sums: CONTROL_BYTES + 64 } as const

/**
 * The best of some rounds each; about a second in all.
 *
 * @throws DeviceError  if a worker cannot be started, or there is no memory of 272 MiB
 */
export async function measureRoofline(options: RooflineOptions = {}): Promise<Roofline> {
  const meter = await openRooflineMeter(options)
  const both = async (measure: (together: Together) => Promise<number>): Promise<LaneRates> => ({
    one: await measure("one"),
    all: await measure("all"),
  })
  try {
    const { lanes, fma, pairs } = meter
    const flopsPerSecond = await both((together) => meter.flopsPerSecond(together, ROUNDS.multiplyAdds))
    const paired = pairs
      ? await both((together) => meter.flopsPerSecond(together, ROUNDS.multiplyAdds, true))
      : undefined
    const bytesPerSecond = await both((together) => meter.bytesPerSecond(together, ROUNDS.stream))
    return { lanes, fma, flopsPerSecond, ...(paired ? { pairedFlopsPerSecond: paired } : {}), bytesPerSecond }
  } finally {
    await meter.close()
  }
}

/** Opens lanes of its own; `close` ends them. */
export async function openRooflineMeter(options: RooflineOptions = {}): Promise<RooflineMeter> {
  const { strict = false, allowV8Flags = false, lanes = platform.cores() } = options
  const fma = !strict && enableRelaxedSimd(platform, allowV8Flags)
  const pool = detectFeatures().threads ? openLanes(lanes) : openLocalLane()
  const load = loader(pool, allowV8Flags)
  const pairs = allowV8Flags && canPairVectors()
  const plain = once(() => load(1, emitMultiplyAdds(fma, SUMS), false))
  const paired = once(() => load(1, emitMultiplyAdds(fma, PAIRED_SUMS), true))
  const stream = once(() => load(1 + STREAM_BYTES / PAGE_BYTES, emitStream, false))
  return {
    lanes: pool.count,
    fma,
    pairs,
    async flopsPerSecond(together, rounds, wide = false) {
      const seconds = await (await (wide ? paired() : plain()))(together, rounds)
      return (MULTIPLY_ADDS * FLOPS_PER_MULTIPLY_ADD * (together === "all" ? pool.count : 1)) / seconds
    },
    bytesPerSecond: async (together, rounds) => STREAM_BYTES / (await (await stream())(together, rounds)),
    close: () => pool.close(),
  }
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined
  return () => (made ??= make())
}

/** Seconds of the fastest of so many calls of a kernel. */
type Timed = (together: Together, rounds: number) => Promise<number>
/** Defines `(lane, lanes)`. */
type Emit = (module: ModuleBuilder) => FunctionHandle

/** Loads a kernel in all lanes, in a memory in which every page is really there, and calls it once, so that it is compiled. */
function loader(pool: LanePool, allowV8Flags: boolean) {
  return async (pages: number, emit: Emit, pair: boolean): Promise<Timed> => {
    const shared = detectFeatures().threads
    const bytes = assembleRounds({ min: pages, max: pages, shared }, emit)
    const memory: WasmMemory = new webAssembly.Memory({ initial: pages, maximum: pages, shared })
    const buffer = memory.buffer as ArrayBuffer
    new Uint8Array(buffer, PAGE_BYTES).fill(1)
    const handle = await pool.load(memory, compileModule(bytes, allowV8Flags, pair))
    const words = new DataView(buffer)
    const seconds: Timed = async (together, rounds) => {
      words.setInt32(PLACE.rounds, rounds, true)
      await pool.run(handle, together)
      return words.getFloat64(PLACE.seconds, true) / 1000
    }
    await seconds("all", 1)
    return seconds
  }
}

/** Exports `all`, in which every lane has its part, and `one`, in which lane 0 is alone. */
function assembleRounds(memory: MemoryOptions, emit: Emit): Uint8Array {
  const module = createModule({ memory })
  const now = module.importFunction("env", "now", [], ["f64"])
  const barrier = emitBarrier(module)
  const rounds = emitRounds(module, emit(module), barrier, now)
  module.function("all", ["i32", "i32"], [], true, (f, lane, lanes) => {
    f.local.get(lane!), f.local.get(lanes!), f.call(rounds)
  })
  module.function("one", ["i32", "i32"], [], true, (f, lane) => {
    f.local.get(lane!), f.i32.eqz()
    f.if(() => (f.i32.const(0), f.i32.const(1), f.call(rounds)))
  })
  return module.bytes()
}

/**
 * Calls the kernel as often as asked; lane 0 keeps the shortest time, in milliseconds. It reads the clock before the barrier that
 * opens a round and after the one that ends it: no lane begins earlier or ends later, so lanes that had to take turns on one
 * core never pass for lanes that ran together.
 */
function emitRounds(
  module: ModuleBuilder,
  kernel: FunctionHandle,
  barrier: FunctionHandle,
  now: FunctionHandle,
): FunctionHandle {
  return module.function("rounds", ["i32", "i32"], [], false, (f, lane, lanes) => {
    const [round, end] = f.locals("i32", 2)
    const [start, shortest] = f.locals("f64", 2)
    const meet = () => (f.local.get(lanes!), f.call(barrier))
    f.assign(end!, () => (f.i32.const(PLACE.rounds), f.i32.load()))
    f.f64.const(Infinity), f.local.set(shortest!)
    f.forRange(
      round!,
      () => f.i32.const(0),
      end!,
      1,
      () => {
        f.call(now), f.local.set(start!)
        meet()
        f.local.get(lane!), f.local.get(lanes!), f.call(kernel)
        meet()
        f.call(now), f.local.get(start!), f.f64.sub()
        f.local.get(shortest!), f.f64.min(), f.local.set(shortest!)
      },
    )
    f.local.get(lane!), f.i32.eqz()
    f.if(() => (f.i32.const(PLACE.seconds), f.local.get(shortest!), f.f64.store()))
  })
}

/**
 * `sum = x · sum + x`. The sum is a factor, too: an engine may compute a product of two numbers that do not change only once,
 * and then nothing but additions would be counted.
 */
const emitMultiplyAdds =
  (fma: boolean, count: number): Emit =>
  (module) =>
    module.function("multiplyAdds", ["i32", "i32"], [], false, (f) => {
      const [turn, x] = [f.local("i32"), f.local("v128")]
      const sums = f.locals("v128", count)
      f.i32.const(PLACE.sums), f.v128.load32Splat(), f.local.set(x)
      f.forRange(turn, 0, MULTIPLY_ADDS / count, 1, () => {
        for (const sum of sums) {
          f.local.get(x), f.local.get(sum)
          if (fma) f.local.get(x), f.f32x4.relaxedMadd()
          else f.f32x4.mul(), f.local.get(x), f.f32x4.add()
          f.local.set(sum)
        }
      })
      storeAll(f, sums)
    })

/** One long sum of a lane's share, as two streams, which machines give faster than one. */
const emitStream: Emit = (module) =>
  module.function("stream", ["i32", "i32"], [], false, (f, lane, lanes) => {
    const [start, end, at] = f.locals("i32", 3)
    const sums = f.locals("v128", STREAM_SUMS)
    const address = (unit: Local) => f.address(PAGE_BYTES, () => f.scaled(unit, STREAM_STEP))
    emitSlice(f, { lane: lane!, lanes: lanes!, scratch: lane! }, STREAM_BYTES / 2 / STREAM_STEP, start!, end!)
    f.assign(end!, () => address(end!))
    f.forRange(
      at!,
      () => address(start!),
      end!,
      STREAM_STEP,
      () => {
        for (const [i, sum] of sums.entries()) {
          f.local.get(at!), f.v128.load((i % 2) * (STREAM_BYTES / 2) + 8 * (i - (i % 2)))
          f.local.get(sum), f.f32x4.add(), f.local.set(sum)
        }
      },
    )
    storeAll(f, sums)
  })

/** Results must be stored, or the engine leaves out the work. */
function storeAll(f: FunctionBuilder, sums: readonly Local[]): void {
  for (const [i, sum] of sums.entries()) f.i32.const(PLACE.sums), f.local.get(sum), f.v128.store(16 * i)
}
