import { expect, it } from "vitest"
import { flattenTree, InvariantError, mapTree } from "./index.ts"

const withoutPrototype = <T>(entries: { [key: string]: T }): { [key: string]: T } =>
  Object.assign(Object.create(null), entries)

it("leaves have dotted paths in storage order", () => {
  const tree = { embed: 1, layers: [{ q: 2, k: 3 }, { q: 4 }], norm: 5 }
  expect(Object.entries(flattenTree<number>(tree))).toEqual([
    ["embed", 1],
    ["layers.0.q", 2],
    ["layers.0.k", 3],
    ["layers.1.q", 4],
    ["norm", 5],
  ])
  expect(flattenTree<number>(7)).toEqual(withoutPrototype({ "": 7 }))
})

it("a mapped tree has the same shape, and each leaf knows its path", () => {
  const tree = { a: [1, 2], b: { c: 3 } }
  expect(mapTree<number, string>(tree, (leaf, path) => `${path}=${leaf}`)).toEqual({
    a: ["a.0=1", "a.1=2"],
    b: { c: "b.c=3" },
  })
})

it("objects without a prototype are trees; other objects are leaves", () => {
  const leaf = new Float32Array(2)
  const tree = withoutPrototype({ weights: withoutPrototype({ w: leaf }) })
  expect(flattenTree<Float32Array>(tree)["weights.w"]).toBe(leaf)
})

it("no name is special, and two leaves never share a path", () => {
  const tree = JSON.parse('{"__proto__": {"x": 1}, "constructor": 2}')
  expect(Object.keys(flattenTree<number>(tree))).toEqual(["__proto__.x", "constructor"])
  expect(Object.keys(flattenTree<number>(JSON.parse('{"__proto__": 1}')))).toEqual(["__proto__"])
  expect(() => flattenTree<number>({ "a.b": 1, a: { b: 2 } })).toThrow(InvariantError)
})
