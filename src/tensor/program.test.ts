// What a program promises: every read sees the state before the run, and each state has one future.
import { describe, expect, it } from "vitest"
import { openReferenceDevice } from "../backends/index.ts"
import { ConfigError, ShapeError } from "../core/index.ts"
import { add, constant, input, negate, program, reshape, state, storageOf } from "./index.ts"

it("holds every node once, inputs before their users", () => {
  const x = input("x", [3])
  const y = add(x, x)
  const { nodes } = program({ outputs: { y, again: y, minus: negate(y) } })
  expect(nodes.map(({ op }) => op)).toEqual(["input", "add", "negate"])
})

it("lists the inputs and states that are needed, and no others", () => {
  const [x, s, unused] = [input("x", [2]), state("s", [2]), state("unused", [2])]
  const of = program({ outputs: { y: add(x, s) } })
  expect([of.inputs, of.states]).toEqual([{ x }, [s]])
  expect(of.states).not.toContain(unused)
})

describe("an output or a value that is an updated state", () => {
  it("is read before the update, as a view too, in f32 and i32", async () => {
    const [a, ids, other] = [state("a", [2]), state("ids", [2], "i32"), state("other", [2], "i32")]
    const workspace = openReferenceDevice().createWorkspace()
    const of = program({
      outputs: { a, view: reshape(a, [2, 1]), ids },
      updates: [
        { state: a, value: add(a, 1) },
        { state: ids, value: other },
        { state: other, value: ids },
      ],
    })
    const { f } = await workspace.compile({ f: of })
    workspace.write(a, [1, 2])
    workspace.write(ids, [3, 4])
    const { a: old, view, ids: oldIds } = await f.run()
    expect([old, view, oldIds].map((x) => [...x!])).toEqual([
      [1, 2],
      [1, 2],
      [3, 4],
    ])
    expect([a, ids, other].map((x) => [...workspace.read(x)])).toEqual([
      [2, 3],
      [0, 0],
      [3, 4],
    ])
  })

  it("has bytes of its own; a state that stays as it is does not", () => {
    const [a, b] = [state("a", [2]), state("b", [2])]
    const { outputs } = program({ outputs: { a, b }, updates: [{ state: a, value: negate(a) }] })
    expect([storageOf(outputs["a"]!) === a, storageOf(outputs["b"]!) === b]).toEqual([false, true])
  })
})

describe("refuses", () => {
  const s = state("s", [2])
  it("two inputs of one name", () => {
    expect(() => program({ outputs: { y: add(input("x", [2]), input("x", [2])) } })).toThrow('two inputs are named "x"')
  })
  it("two updates of one state", () => {
    const updates = [add(s, 1), add(s, 2)].map((value) => ({ state: s, value }))
    expect(() => program({ updates })).toThrow(ConfigError)
  })
  it("an update of what is no state", () => {
    expect(() => program({ updates: [{ state: add(s, 1), value: s }] })).toThrow("only state can be updated")
  })
  it("a value of another shape or dtype", () => {
    expect(() => program({ updates: [{ state: s, value: constant(1) }] })).toThrow(ShapeError)
    expect(() => program({ updates: [{ state: s, value: input("ids", [2], "i32") }] })).toThrow("f32 [2], got i32 [2]")
  })
})
