// Which updates may be computed straight into their state: everything that would overwrite a number still to be read may not.
import { describe, expect, it } from "vitest"
import {
  add,
  cacheWrite,
  data,
  input,
  matmul,
  multiply,
  negate,
  program,
  reshape,
  schedule,
  state,
  sum,
  type Tensor,
  tanh,
  type Update,
} from "../../tensor/index.ts"
import { createAllocator, layoutArena } from "./layout.ts"

const layoutOf = (updates: readonly Update[], outputs: { [name: string]: Tensor } = {}) => {
  const of = program({ outputs, updates })
  return { of, layout: layoutArena(of, schedule(of), () => 0) }
}
/** Names of the states whose values are computed in place. */
const inPlace = (updates: readonly Update[], outputs?: { [name: string]: Tensor }): string[] =>
  [...layoutOf(updates, outputs).layout.inPlace.values()].map(({ node }) => (node.attributes as { name: string }).name)

const x = input("x", [3, 3])
const s = state("s", [3, 3])
const v = state("v", [3])
const cache = state("cache", [1, 4, 1, 2])
const rows = input("rows", [1, 2, 1, 2])
const position = input("position", [1], "i32")

describe("in place", () => {
  it("an update that reads its state at the index it writes, as a view too", () => {
    expect(inPlace([{ state: s, value: add(s, x) }])).toEqual(["s"])
    expect(inPlace([{ state: s, value: add(reshape(reshape(s, [9]), [3, 3]), x) }])).toEqual(["s"])
  })
  it("two states that become each other's numbers in one sweep", () => {
    const other = state("other", [3, 3])
    const updates = [
      { state: s, value: other },
      { state: other, value: s },
    ]
    expect(inPlace(updates)).toEqual(["s", "other"])
  })
  it("rows written into a cache, read afterwards as the new cache", () => {
    const value = cacheWrite(cache, rows, position)
    expect(inPlace([{ state: cache, value }], { y: sum(value) })).toEqual(["cache"])
  })
  it("a value that is an output too: it is read when all is done", () => {
    const value = add(s, x)
    expect(inPlace([{ state: s, value }], { value, y: matmul(value, x) })).toEqual(["s"])
  })
})

describe("not in place", () => {
  it("where a later step reads the old numbers, whole or as a view", () => {
    const value = tanh(s)
    expect(inPlace([{ state: s, value }], { y: matmul(value, s) })).toEqual([])
    expect(inPlace([{ state: s, value }], { y: matmul(reshape(s, [1, 9]), reshape(value, [9, 1])) })).toEqual([])
  })
  it("where the step reads other elements of the state than the one it writes", () => {
    expect(inPlace([{ state: v, value: sum(multiply(x, v), [1]) }])).toEqual([])
    expect(inPlace([{ state: s, value: matmul(s, x) }])).toEqual([])
  })
  it("where a cache's old rows are read later, or written over one another", () => {
    const value = cacheWrite(cache, rows, position)
    expect(inPlace([{ state: cache, value }], { y: sum(multiply(value, cache)) })).toEqual([])
    const shifted = cacheWrite(cache, cache, data(Int32Array.of(1)))
    expect(inPlace([{ state: cache, value: shifted }])).toEqual([])
  })
  it("a cache written into another state than its own", () => {
    const copy = state("copy", [1, 4, 1, 2])
    expect(inPlace([{ state: copy, value: cacheWrite(cache, rows, position) }])).toEqual([])
  })
  it("the second of two states that get the same value", () => {
    const [value, other] = [negate(s), state("other", [3, 3])]
    const updates = [s, other].map((each) => ({ state: each, value }))
    expect(inPlace(updates)).toEqual(["s"])
  })
})

it("what is computed in place takes no room in the arena; what is copied lives to the end", () => {
  const value = add(s, x)
  const { layout } = layoutOf([{ state: s, value }])
  expect([layout.offsets.has(value), layout.offsets.has(x)]).toEqual([false, true])
})

it("an allocator that is refused gives nothing and stays as it was", () => {
  const allocator = createAllocator(10, (end) => {
    if (end > 200) throw new Error("full")
  })
  expect([allocator.allocate(1), allocator.used]).toEqual([64, 128])
  expect(() => allocator.allocate(100)).toThrow("full")
  expect([allocator.allocate(64), allocator.used]).toEqual([128, 192])
})
