// The schedule on small graphs whose right answer is known, and its law on any: nothing is read before it is written.
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import {
  add,
  broadcast,
  exp,
  input,
  matmul,
  mean,
  multiply,
  program,
  readsOf,
  reshape,
  resultsOf,
  type Step,
  schedule,
  slice,
  square,
  state,
  storageOf,
  subtract,
  sum,
  type Tensor,
  tanh,
  transpose,
} from "./index.ts"

const stepsOf = (...outputs: Tensor[]): Step[] =>
  schedule(program({ outputs: Object.fromEntries(outputs.map((x, i) => [`y${i}`, x])) }))
const kindsOf = (steps: readonly Step[]): string[] =>
  steps.map((step) => (step.kind === "op" ? step.node.op : step.kind))

const x = input("x", [4, 6])
const row = input("row", [6])

it("a chain of elementwise operations is one sweep that stores its end", () => {
  const [step, ...others] = stepsOf(tanh(add(multiply(x, 2), row)))
  expect(others).toEqual([])
  expect(step).toMatchObject({ kind: "elementwise", body: { shape: [4, 6], leaves: [x, row] } })
  expect(step!.writes.length).toBe(1)
})

it("a reduction takes its operand's expression with it", () => {
  expect(kindsOf(stepsOf(sum(multiply(x, x), [1])))).toEqual(["reduction"])
})

it("what is stretched, viewed or multiplied as a matrix is stored first", () => {
  const y = tanh(row)
  for (const user of [add(x, y), reshape(y, [2, 3]), matmul(x, reshape(y, [6, 1]))])
    expect(stepsOf(user)[0]!.writes).toEqual([y])
})

it("a costly value used twice is computed once, a cheap one twice", () => {
  const [costly, cheap] = [exp(x), multiply(x, 2)]
  expect(kindsOf(stepsOf(sum(multiply(costly, row), [1]), sum(costly, [1])))).toEqual([
    "elementwise",
    "reduction",
    "reduction",
  ])
  expect(kindsOf(stepsOf(sum(multiply(cheap, row), [1]), sum(cheap, [1])))).toEqual(["reduction", "reduction"])
})

it("neighboring sweeps over one shape are merged, and read one another's results from registers", () => {
  const y = tanh(x)
  const [step, ...others] = stepsOf(y, add(y, 1))
  expect(others).toEqual([])
  expect(step).toMatchObject({ kind: "elementwise", body: { leaves: [x] } })
})

it("a view under the same shape is the same value in a merged sweep", () => {
  const y = tanh(x)
  const [step, ...others] = stepsOf(y, add(reshape(reshape(y, [24]), [4, 6]), y))
  expect(others).toEqual([])
  expect(step).toMatchObject({ body: { leaves: [x] } })
})

it("a sweep that reads another one's result under another shape comes after it", () => {
  const y = tanh(input("z", [1, 6]))
  const steps = stepsOf(y, add(reshape(y, [6]), input("w", [1, 6])))
  expect(kindsOf(steps)).toEqual(["elementwise", "elementwise"])
})

const grow: readonly ((a: Tensor, b: Tensor) => Tensor)[] = [
  (a, b) => add(a, b),
  (a) => exp(a),
  (a, b) => subtract(tanh(a), b),
  (a) => transpose(transpose(a)),
  (a) => reshape(reshape(a, [-1]), a.shape),
  (a, b) => multiply(a, mean(b, [0])),
  (a, b) => add(a, broadcast(sum(b), a.shape)),
  (a, b) => matmul(matmul(a, b, { transposeB: true }), b),
  (a, b) => add(a, broadcast(slice(b, 0, 1, 2), a.shape)),
]

it("every step reads inputs, states, fixed numbers or what an earlier step wrote, and nothing is written twice", () => {
  const choices = fc.array(fc.tuple(fc.nat(), fc.nat(), fc.nat()), { minLength: 1, maxLength: 30 })
  fc.assert(
    fc.property(choices, (made) => {
      const own = state("s", [4, 6])
      const pool: Tensor[] = [x, own]
      for (const [what, a, b] of made)
        pool.push(grow[what % grow.length]!(pool[a % pool.length]!, pool[b % pool.length]!))
      const of = program({ outputs: { y: pool.at(-1)! }, updates: [{ state: own, value: pool.at(-2)! }] })
      const written = new Set<Tensor>()
      const isThere = (tensor: Tensor) => written.has(tensor) || ["input", "state", "constant"].includes(tensor.node.op)
      for (const step of schedule(of)) {
        for (const tensor of readsOf(step)) expect(isThere(tensor)).toBe(true)
        for (const tensor of step.writes) expect(written.has(tensor), "written twice").toBe(false)
        for (const tensor of step.writes) written.add(tensor)
      }
      for (const tensor of [...Object.values(of.outputs), ...of.updates.map(({ value }) => value)])
        expect(isThere(storageOf(tensor))).toBe(true)
    }),
  )
})

describe("sums over all elements", () => {
  const big = [64, 128]
  const [g, p] = [input("g", big), state("p", big)]
  const next = subtract(p, multiply(g, 0.1))
  const norms = { change: sum(square(subtract(next, p))), before: sum(square(p)) }

  it("of what a sweep reads and makes are made on its way", () => {
    const [step, ...others] = schedule(program({ outputs: norms, updates: [{ state: p, value: next }] }))
    expect(others).toEqual([])
    expect(step).toMatchObject({
      kind: "elementwise",
      writes: [next],
      reductions: [{ reduce: "sum" }, { reduce: "sum" }],
    })
    expect(resultsOf(step!)).toEqual([next, norms.change, norms.before])
  })

  it("stay apart where the sweep walks other elements, where something they read is not there yet, and where they are short", () => {
    const late = matmul(next, transpose(next))
    const spread = { outputs: { y: sum(multiply(next, slice(late, 1, 0, 1))) }, updates: [{ state: p, value: next }] }
    expect(kindsOf(schedule(program(spread)))).toContain("reduction")
    const q = state("q", [6])
    const short = { outputs: { y: sum(square(multiply(q, 3))) }, updates: [{ state: q, value: multiply(q, 2) }] }
    expect(kindsOf(schedule(program(short)))).toContain("reduction")
  })
})
