// Laws of batches: same seed, same batches; resuming equals never stopping; each token predicted once per epoch.
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { DataError } from "../core/index.ts"
import {
  type Batch,
  type Batches,
  type BatchState,
  createBatches,
  evaluationWindows,
  IGNORED_TARGET,
  memoryTokens,
  openShards,
  permutation,
  type TokenSource,
  writeShards,
} from "./index.ts"

/** Token i is i, so that a batch shows its positions. */
const counting = (length: number): TokenSource => memoryTokens(Int32Array.from({ length }, (_, i) => i))

/** The same source, answering later, as a disk would. */
const slow = (source: TokenSource): TokenSource => ({
  ...source,
  read: async (start, count) => source.read(start, count),
})

async function take(batches: Batches, count: number): Promise<Batch[]> {
  const taken: Batch[] = []
  for (let i = 0; i < count; i++) taken.push(await batches.next())
  return taken
}

/** Row by row: the real targets, each checked to follow its input. */
function rowsOf({ inputs, targets }: { inputs: Int32Array; targets: Int32Array }, T: number): number[][] {
  return Array.from({ length: targets.length / T }, (_, row) => {
    const real: number[] = []
    for (let t = row * T; t < (row + 1) * T; t++) {
      if (targets[t] === IGNORED_TARGET) continue
      expect(targets[t]).toBe(inputs[t]! + 1)
      expect(real.length === 0 || targets[t] === real.at(-1)! + 1).toBe(true)
      real.push(targets[t]!)
    }
    return real
  })
}

const sizes = fc.record({
  length: fc.integer({ min: 17, max: 300 }),
  B: fc.integer({ min: 1, max: 7 }),
  T: fc.integer({ min: 1, max: 16 }),
  seed: fc.integer({ min: 0, max: 2 ** 31 }),
})

describe("permutation", () => {
  it("is a bijection for any size and key", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 3000 }), fc.nat(), (size, seed) => {
        const order = permutation(size, seed, "test")
        const seen = new Set(Array.from({ length: size }, (_, index) => order(index)))
        expect(seen.size).toBe(size)
        expect(Math.max(...seen)).toBe(size - 1)
      }),
    )
  })

  it("stays in range and does not repeat for sizes beyond 32 bits", () => {
    const size = 3e10 + 7
    const order = permutation(size, 1)
    const seen = new Set(Array.from({ length: 2000 }, (_, index) => order(index)))
    expect(seen.size).toBe(2000)
    for (const value of seen) expect(value >= 0 && value < size && Number.isInteger(value)).toBe(true)
    expect([...seen].filter((value) => value > size / 2).length).toBeGreaterThan(850)
  })

  it("scatters: neighbors land apart, every place is equally likely, another key is another order", () => {
    const size = 1000
    const counts = new Array<number>(10).fill(0)
    let fixed = 0
    for (let seed = 0; seed < 200; seed++) {
      const order = permutation(size, seed)
      counts[Math.floor(order(0) / 100)]!++
      for (let i = 0; i < 100; i++) fixed += Math.abs(order(i + 1) - order(i)) === 1 ? 1 : 0
    }
    for (const count of counts) expect(count).toBeGreaterThan(5) // 20 expected
    expect(fixed).toBeLessThan(100) // 40 expected
  })
})

describe("batches of windows", () => {
  it("each target is seen exactly once per epoch, in windows of consecutive tokens, and every row is used", async () => {
    await fc.assert(
      fc.asyncProperty(sizes, async ({ length, B, T, seed }) => {
        const batches = createBatches(counting(length), { batchSize: B, sequenceLength: T, seed })
        const rows = (await take(batches, 3 * (batches.batchesPerEpoch + 2))).flatMap((batch) => rowsOf(batch, T))
        for (const row of rows) expect(row.length).toBeGreaterThan(0)
        for (let at = 0, epoch = 0; epoch < 3; epoch++) {
          const targets: number[] = []
          while (targets.length < length - 1) targets.push(...rows[at++]!)
          expect(targets.sort((a, b) => a - b)).toEqual(Array.from({ length: length - 1 }, (_, i) => i + 1))
        }
      }),
    )
  })

  it("the phase and the order change from epoch to epoch", async () => {
    const batches = createBatches(counting(1000), { batchSize: 1, sequenceLength: 10, seed: 1 })
    const firsts = new Map<number, number[]>()
    for (const { inputs, epoch } of await take(batches, 500))
      firsts.set(epoch, [...(firsts.get(epoch) ?? []), inputs[0]!])
    expect(firsts.size).toBe(5)
    expect(new Set([0, 1, 2, 3].map((epoch) => firsts.get(epoch)![5]! % 10)).size).toBeGreaterThan(1)
    expect(firsts.get(0)!.slice(0, 20)).not.toEqual(
      firsts
        .get(0)!
        .toSorted((a, b) => a - b)
        .slice(0, 20),
    )
  })
})

describe("random batches", () => {
  it("every row is a full window, offsets are uniform over all places, the last included", async () => {
    const [length, T] = [40, 16]
    const batches = createBatches(counting(length), { batchSize: 50, sequenceLength: T, seed: 3, mode: "random" })
    const starts = (await take(batches, 40)).flatMap((batch) =>
      rowsOf(batch, T).map((row) => (expect(row.length).toBe(T), row[0]! - 1)),
    )
    const counts = Array.from({ length: length - T }, (_, at) => starts.filter((start) => start === at).length)
    expect(counts.reduce((a, b) => a + b)).toBe(2000)
    for (const count of counts) expect(Math.abs(count - 2000 / 24)).toBeLessThan(50)
  })

  it("the epoch counts whole passes' worth of tokens", async () => {
    const batches = createBatches(counting(101), { batchSize: 2, sequenceLength: 10, seed: 3, mode: "random" })
    expect((await take(batches, 11)).map((batch) => batch.epoch)).toEqual([0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 2])
  })
})

describe.each(["windows", "random"] as const)("any batches, mode %s", (mode) => {
  const make = (source: TokenSource, { B, T, seed }: { B: number; T: number; seed: number }) =>
    createBatches(source, { batchSize: B, sequenceLength: T, seed, mode })

  it("same seed, same batches, in memory or fetched ahead; another seed, others", async () => {
    await fc.assert(
      fc.asyncProperty(sizes, async ({ length, ...options }) => {
        const expected = await take(make(counting(length), options), 12)
        expect(await take(make(counting(length), options), 12)).toEqual(expected)
        expect(await take(make(slow(counting(length)), options), 12)).toEqual(expected)
      }),
    )
    const options = { B: 4, T: 8 }
    const one = await take(make(counting(500), { ...options, seed: 1 }), 3)
    expect(await take(make(counting(500), { ...options, seed: 2 }), 3)).not.toEqual(one)
  })

  it("resuming from a stored state gives what never stopping gives, fetched ahead or not", async () => {
    await fc.assert(
      fc.asyncProperty(sizes, fc.nat(40), fc.boolean(), async ({ length, ...options }, stop, disk) => {
        const source = disk ? slow(counting(length)) : counting(length)
        const batches = make(source, options)
        await take(batches, stop)
        const state = JSON.parse(JSON.stringify(batches.state())) as BatchState
        const expected = await take(batches, 8)
        const resumed = make(source, options)
        await take(resumed, 3)
        resumed.restore(state)
        expect(resumed.state()).toEqual(state)
        expect(await take(resumed, 8)).toEqual(expected)
      }),
    )
  })

  it("the state of other batches, a text shorter than a window and sizes that are none are refused", () => {
    const options = { B: 4, T: 8, seed: 1 }
    const state = make(counting(500), options).state()
    expect(() => make(counting(501), options).restore(state)).toThrow(/tokens was 500 and is 501/)
    expect(() => make(counting(500), { ...options, T: 9 }).restore(state)).toThrow(/sequenceLength was 8 and is 9/)
    expect(() => make(counting(8), options)).toThrow(DataError)
    expect(make(counting(9), options).batchesPerEpoch).toBe(1)
    expect(() => make(counting(500), { ...options, B: 0 })).toThrow(/batchSize must be a positive integer, got 0/)
  })

  it("a reading that fails is told with its batch, and leaves no other promise behind", async () => {
    let reads = 0
    const failing: TokenSource = {
      ...counting(100),
      read: async (start, count) => {
        if (++reads > 4) throw new RangeError("disk")
        return counting(100).read(start, count)
      },
    }
    const batches = make(failing, { B: 2, T: 8, seed: 1 })
    await take(batches, 2)
    await new Promise((resolve) => setTimeout(resolve, 5))
    await expect(batches.next()).rejects.toThrow("disk")
  })

  it("batches from shards on disk equal those from memory", async () => {
    const dir = mkdtempSync(join(tmpdir(), "kinglet-batches-"))
    const text = Array.from({ length: 999 }, (_, i) => String.fromCharCode(i)).join("")
    const encode = (s: string) => Int32Array.from({ length: s.length }, (_, i) => s.charCodeAt(i))
    async function* one() {
      yield { id: "one", text }
    }
    await writeShards(one(), { vocabSize: 1000, endOfText: 999, encode }, dir, { shardTokens: 64 })
    const shards = await openShards(dir, { memoryBytes: 0 })
    const options = { B: 3, T: 50, seed: 9 }
    expect(await take(make(shards, options), 30)).toEqual(await take(make(counting(1000), options), 30))
    await shards.close()
    rmSync(dir, { recursive: true })
  })
})

describe("evaluation windows", () => {
  it("every token but the first is a target exactly once, in order, the rest is ignored", async () => {
    await fc.assert(
      fc.asyncProperty(sizes, fc.integer({ min: 2, max: 16 }), async ({ B, T, length }, few) => {
        for (const size of [few, length]) {
          const windows = evaluationWindows(slow(counting(size)), T, B)
          const targets: number[] = []
          let batches = 0
          for await (const batch of windows) {
            expect(batch.inputs.length).toBe(B * T)
            targets.push(...rowsOf(batch, T).flat())
            batches++
          }
          expect(targets).toEqual(Array.from({ length: size - 1 }, (_, i) => i + 1))
          expect({ batches, targets: targets.length }).toEqual({ batches: windows.batches, targets: windows.targets })
        }
      }),
    )
    expect(() => evaluationWindows(counting(1), 8, 2)).toThrow(DataError)
  })
})
