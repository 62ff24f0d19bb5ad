// Where lanes must meet: the calls of real programs, and the rule on regions of memory.
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { add, input, multiply, program, state, sum, type Tensor } from "../../tensor/index.ts"
import { createModule, type FunctionHandle } from "./assembler.ts"
import { barriersBefore, type Call, callsOf } from "./call-list.ts"
import { SMALLEST_TILE } from "./kernels/matmul-shape.ts"
import { planProgram } from "./planned-program.ts"

const region = (start: number, end: number) => ({ start, end })
type Regions = Pick<Call, "reads" | "writes">
const call = ({ reads, writes }: Regions): Call => ({
  target: {} as FunctionHandle,
  addresses: [],
  ownScratch: false,
  charge: { name: "", flops: 0, bytes: 0 },
  reads,
  writes,
})
const barriers = (calls: readonly Regions[]) => barriersBefore(calls.map(call))

describe("a call waits", () => {
  const writer = { reads: [], writes: [region(0, 64)] }
  it("if it reads what was written since the last barrier", () => {
    expect(barriers([writer, { reads: [region(60, 70)], writes: [] }])).toEqual([false, true])
  })
  it("if it writes what was written or read since", () => {
    expect(barriers([writer, writer])).toEqual([false, true])
    expect(barriers([{ reads: [region(0, 8)], writes: [] }, writer])).toEqual([false, true])
  })
  it("not if it touches other bytes, or only reads what others read", () => {
    const beside = { reads: [region(64, 80)], writes: [region(80, 96)] }
    expect(barriers([writer, beside, { reads: [region(64, 80)], writes: [] }])).toEqual([false, false, false])
  })
  it("once for all that went before", () => {
    const reader = { reads: [region(0, 64)], writes: [] }
    expect(barriers([writer, reader, reader])).toEqual([false, true, false])
  })
})

it("between any two calls that clash there is a barrier", () => {
  const some = fc.array(
    fc.tuple(fc.nat(20), fc.integer({ min: 1, max: 4 })).map(([start, size]) => region(start, start + size)),
    { maxLength: 3 },
  )
  const clash = (a: Regions, b: Regions) => {
    const meet = (x: Regions["reads"], y: Regions["reads"]) =>
      x.some((p) => y.some((q) => Math.max(p.start, q.start) < Math.min(p.end, q.end)))
    return meet(a.writes, b.reads) || meet(a.writes, b.writes) || meet(a.reads, b.writes)
  }
  fc.assert(
    fc.property(fc.array(fc.record({ reads: some, writes: some }), { maxLength: 12 }), (calls) => {
      const waits = barriers(calls)
      for (let b = 1; b < calls.length; b++)
        for (let a = 0; a < b; a++) if (clash(calls[a]!, calls[b]!)) expect(waits.slice(a + 1, b + 1)).toContain(true)
    }),
  )
})

describe("in a program", () => {
  const callsFor = (
    outputs: { readonly [name: string]: Tensor },
    updates: Parameters<typeof program>[0]["updates"],
  ) => {
    const planned = planProgram("p", program({ outputs, updates: updates ?? [] }), { fma: false, tile: SMALLEST_TILE })
    let end = 4096
    const known = new Map<Tensor, number>()
    const own = (tensor: Tensor) => known.get(tensor) ?? (known.set(tensor, (end += 65536)), end)
    const module = createModule({ memory: { min: 1, max: 1, shared: false } })
    const places = { own, arena: 1 << 24, scratch: 0, scratchBytesPerLane: 0 }
    return callsOf(module, planned, places, { fma: false, tile: SMALLEST_TILE })
  }

  it("updates of different states need no barrier between them", () => {
    const g = input("g", [])
    const updates = [0, 1, 2, 3].map((i) => {
      const s = state(`s${i}`, [64 + i])
      return { state: s, value: add(multiply(s, 2), g) }
    })
    expect(barriersBefore(callsFor({}, updates))).toEqual([false, false, false, false])
  })

  it("partial results of many long sums are added up behind one barrier", () => {
    const sums = Array.from({ length: 5 }, (_, i) => sum(multiply(state(`x${i}`, [9000]), 2 + i)))
    const calls = callsFor({ total: sums.reduce((a, b) => add(a, b)) }, [])
    expect(calls.map(({ charge }) => charge.name.split(" ")[0])).toEqual([
      ...Array(5).fill("sum"),
      ...Array(5).fill("partial"),
      "sweep",
    ])
    expect(barriersBefore(calls).filter(Boolean)).toHaveLength(2)
  })
})
