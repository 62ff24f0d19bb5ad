// Random graphs with gradients and state updates, run several times on the reference and on wasm: the oracle of the schedule,
// the memory plan and updates in place. A few seconds with a fixed seed here; KINGLET_FUZZ_SECONDS=600 for as long as one
// likes, from a new seed each time.
import fc from "fast-check"
import { afterAll, expect, it } from "vitest"
import { normal, reference, relativeError } from "../../test/support/numbers.ts"
import { type Shape, sizeOf } from "../core/index.ts"
import {
  absolute,
  add,
  broadcast,
  cacheWrite,
  concatenate,
  constant,
  data,
  divide,
  erf,
  exp,
  gather,
  gradients,
  input,
  isOp,
  log,
  matmul,
  max,
  maximum,
  mean,
  minimum,
  multiply,
  negate,
  type Program,
  pad,
  program,
  random,
  reshape,
  scatterAdd,
  select,
  sigmoid,
  slice,
  sqrt,
  square,
  state,
  subtract,
  sum,
  type Tensor,
  tanh,
  transpose,
  type Update,
} from "../tensor/index.ts"
import { openDevice, type Workspace } from "./index.ts"

const SECONDS = Number(process.env["KINGLET_FUZZ_SECONDS"] ?? 0)
const RUNS = 3
const TOLERANCE = 1e-4
/** Values are of the order of 1; what is smaller than this is compared as if it were this large. */
const FLOOR = 1e-2
/** Cases that share a workspace: its arena grows under programs compiled before. */
const CASES_A_WORKSPACE = 20
/** Tensors grow no larger. */
const MAX_ELEMENTS = 400

/** One decision of the graph's builder: what to do, and with which tensors. */
type Choice = readonly [what: number, first: number, second: number]

/** The graph under construction: choices pick from `pool`, results go back to it. */
interface Graph {
  readonly pool: Tensor[]
  readonly states: readonly Tensor[]
  readonly ids: Tensor
  readonly seed: Tensor
  readonly updates: Update[]
}

const pick = <T>(from: readonly T[], at: number): T => from[at % from.length]!

/** Keeps numbers of the order of 1 whatever the operation. */
const calm = (x: Tensor, factor = 1): Tensor => tanh(multiply(x, factor))

/** `x` under `shape`: the same elements where their number agrees, else a mean that stretches. */
function fit(x: Tensor, shape: Shape, bare = false): Tensor {
  if (sizeOf(x.shape) === sizeOf(shape)) return reshape(x, shape)
  return bare ? mean(x) : broadcast(mean(x), shape)
}

const axisOf = (x: Tensor, at: number): number => at % x.shape.length
const stretches = (a: Shape, b: Shape): boolean =>
  [...b].reverse().every((size, i) => [size, 1, undefined].includes(a.at(-1 - i)) || size === 1)

function columnsOf(x: Tensor): Tensor {
  return reshape(x, [-1, x.shape.at(-1) ?? 1])
}

/** Smooth operations: what gradients flow through. `y` stretches with `x`, or is made to fit. */
const smooth: readonly ((x: Tensor, y: Tensor, at: number, graph: Graph) => Tensor)[] = [
  (x) => tanh(x),
  (x) => negate(sigmoid(x)),
  (x) => erf(x),
  (x) => exp(calm(x)),
  (x) => log(add(square(x), 1.5)),
  (x) => sqrt(add(square(x), 0.5)),
  (x, y) => add(x, y),
  (x, y) => subtract(y, x),
  (x, y) => multiply(x, y),
  (x, y) => divide(x, add(square(y), 1)),
  (x, y) =>
    select(
      data(
        Float32Array.from({ length: sizeOf(x.shape) }, (_, i) => i % 2),
        x.shape,
      ),
      x,
      y,
    ),
  (x, _, at) => reshape(x, at % 2 ? [sizeOf(x.shape)] : [1, ...x.shape]),
  (x) => reshape(x, [...x.shape, 1]),
  (x) => add(reshape(reshape(tanh(x), [-1]), x.shape), x), // read through a view, next to the step that writes it
  (x) => add(reshape(tanh(reshape(x, [1, ...x.shape])), x.shape), reshape(x, [1, ...x.shape])),
  (x) => (x.shape.length < 2 ? x : transpose(x)),
  (x, _, at) => broadcast(x, [2 + (at % 2), ...x.shape]),
  (x, _, at) => (x.shape.length === 0 ? x : mean(x, [axisOf(x, at)])),
  (x, _, at) => (x.shape.length === 0 ? x : multiply(sum(x, [axisOf(x, at)], { keepAxes: true }), 0.3)),
  (x, _, at) => (x.shape.length === 0 ? x : pad(x, axisOf(x, at), at % 3, 1)),
  (x, _, at) => (x.shape.length === 0 ? x : slice(x, axisOf(x, at), 0, Math.ceil(x.shape[axisOf(x, at)]! / 2))),
  (x, y, at) => (x.shape.length === 0 ? x : concatenate([x, fit(y, x.shape), x], axisOf(x, at))),
  (x) => calm(matmul(columnsOf(x), columnsOf(x), { transposeB: true }), 0.2),
  (x) => calm(matmul(columnsOf(x), columnsOf(x), { transposeA: true }), 0.2),
  (x, _, at, { seed }) => multiply(x, random(seed, x.shape, at)),
  (x, _, __, { ids }) => gather(columnsOf(x), ids),
  (x, _, __, { ids }) => calm(scatterAdd(ids, fit(x, [ids.shape[0]!, 2]), 3)),
]

/** Values for a state: read at the same index, stretched, as a view, moved, or not at all. */
const nextValues: readonly ((own: Tensor, x: Tensor, graph: Graph, at: number) => Tensor)[] = [
  (own, x) => calm(add(multiply(own, 0.5), fit(x, own.shape, true))),
  (own, x) => fit(x, own.shape),
  (own) => add(multiply(own, 0.5), mean(own, [0], { keepAxes: true })),
  (own) => (own.shape.length === 2 && own.shape[0] === own.shape[1] ? transpose(own) : sigmoid(own)),
  (own, _, { states }, at) => fit(pick(states, at), own.shape),
  (own, _, { updates }, at) => (updates.length === 0 ? negate(own) : fit(pick(updates, at).value, own.shape)),
  (own) => reshape(tanh(reshape(own, [-1])), own.shape),
  (own, x) => (own.shape.length === 1 ? product(x, own) : negate(own)),
  () => constant(0.25),
]
/** These have no gradient. */
const cacheWrites: typeof nextValues = [
  (own, x, _, at) => writeRows(own, fit(x, own.shape), at),
  (own) => writeRows(own, own, 1),
]

/** Each element depends on all of `own`, in one step. */
function product(x: Tensor, own: Tensor): Tensor {
  const n = own.shape[0]!
  return sum(multiply(multiply(fit(x, [n, n]), 1 / n), own), [1])
}

/** Rows of x over rows of `own`, as into a cache. */
function writeRows(own: Tensor, x: Tensor, at: number): Tensor {
  if (own.shape.length !== 4)
    return reshape(writeRows(reshape(own, asCache(own)), reshape(x, asCache(own)), at), own.shape)
  const [B, S] = own.shape as [number, number]
  return cacheWrite(own, x, data(new Int32Array(B).fill(at % S)))
}

const asCache = (own: Tensor): Shape => [1, own.shape[0]!, 1, sizeOf(own.shape.slice(1))]

function extend(graph: Graph, [what, first, second]: Choice): void {
  const [x, other] = [pick(graph.pool, first), pick(graph.pool, second)]
  const y = stretches(x.shape, other.shape) || stretches(other.shape, x.shape) ? other : fit(other, x.shape, true)
  const result = pick(smooth, what)(x, y, second, graph)
  if (sizeOf(result.shape) <= MAX_ELEMENTS && result.shape.length < 5) graph.pool.push(result)
}

function update(graph: Graph, values: typeof nextValues, [what, first, second]: Choice): void {
  const own = pick(graph.states, first)
  if (graph.updates.some(({ state: taken }) => taken === own)) return
  const value = pick(values, what)(own, pick(graph.pool, second), graph, second)
  graph.updates.push({ state: own, value: broadcast(value, own.shape) })
  graph.pool.push(graph.updates.at(-1)!.value)
}

/** Gradient descent on whatever there is, for every state that has no update yet. */
function descend(graph: Graph): void {
  const free = graph.states.filter((own) => graph.updates.every(({ state: taken }) => taken !== own))
  const loss = graph.pool.slice(-4).reduce((total: Tensor, x) => add(total, mean(square(calm(x)))), constant(0))
  for (const [i, gradient] of gradients(loss, free).entries()) {
    graph.updates.push({ state: free[i]!, value: subtract(free[i]!, multiply(gradient, 0.3)) })
    graph.pool.push(gradient)
  }
}

/** Operations with edges, on results only: beside an edge the rounding of two backends may fall on both sides. */
const edges: readonly ((x: Tensor) => Tensor)[] = [
  (x) => x,
  absolute,
  (x) => maximum(x, 0.1),
  (x) => minimum(x, mean(x)),
  (x) => max(x),
  (x) => (x.shape.length < 2 ? x : max(x, [0])),
]

interface Case {
  readonly sizes: readonly [number, number]
  readonly choices: readonly Choice[]
  readonly updates: readonly Choice[]
  readonly outputs: readonly Choice[]
  readonly descends: boolean
}

function build({ sizes, choices, updates, outputs, descends }: Case): Program {
  const [m, n] = sizes
  const states = [[m, n], [m, n], [n], [m, m], [m, 1], [1, m, 1, n], [2, n, 1, 2]].map((shape, i) =>
    state(`s${i}`, shape),
  )
  const inputs = [[m, n], [n], []].map((shape, i) => input(`x${i}`, shape))
  const [ids, seed] = [input("ids", [4], "i32"), input("seed", [], "i32")]
  const graph: Graph = { pool: [...inputs, ...states], states, ids, seed, updates: [] }
  for (const [at, choice] of choices.entries()) {
    extend(graph, choice)
    if (updates[at] !== undefined) update(graph, descends ? nextValues : [...nextValues, ...cacheWrites], updates[at])
  }
  if (descends) descend(graph)
  const shown = outputs.map(([what, first]) =>
    pick(edges, what)(pick(graph.pool, graph.pool.length - 1 - (first % graph.pool.length))),
  )
  return program({ outputs: Object.fromEntries(shown.map((x, i) => [`y${i}`, x])), updates: graph.updates })
}

const numbersFor = (x: Tensor, seed: number): ArrayLike<number> =>
  isOp(x.node, "input") && x.dtype === "i32"
    ? Array.from({ length: sizeOf(x.shape) }, (_, i) => (seed + i) % 4)
    : normal(x.shape, seed, 0.7).values

/** Everything a program shows in `RUNS` runs, and its states afterwards. */
async function observe(workspace: Workspace, of: Program): Promise<(readonly [string, Float32Array])[]> {
  const { f } = await workspace.compile({ f: of })
  for (const [i, own] of of.states.entries()) workspace.write(own, numbersFor(own, 50 + i))
  const seen: (readonly [string, Float32Array])[] = []
  for (let run = 0; run < RUNS; run++) {
    const feed = Object.entries(of.inputs).map(([name, x], i) => [name, numbersFor(x, 7 * run + i)] as const)
    const results = await f.run(Object.fromEntries(feed))
    for (const [name, values] of Object.entries(results)) seen.push([`${name} of run ${run}`, values])
  }
  return [...seen, ...of.states.map((own, i) => [`state ${i}`, workspace.read(own)] as const)]
}

const choice: fc.Arbitrary<Choice> = fc.tuple(fc.nat(1000), fc.nat(1000), fc.nat(1000))
const size = fc.constantFrom(1, 2, 3, 4, 7, 17)
const cases: fc.Arbitrary<Case> = fc.record({
  sizes: fc.tuple(size, size),
  choices: fc.array(choice, { minLength: 1, maxLength: 25 }),
  updates: fc.array(choice, { maxLength: 8 }),
  outputs: fc.array(choice, { minLength: 1, maxLength: 5 }),
  descends: fc.boolean(),
})

const wasm = await openDevice({ kind: "wasm", local: true, strict: true })
afterAll(() => wasm.close())

/** A device's workspace, replaced by a new one from time to time. */
function workspaces(create: () => Workspace): () => Workspace {
  let [used, workspace] = [0, create()]
  return () => {
    if (used++ % CASES_A_WORKSPACE === 0 && used > 1) workspace.close(), (workspace = create())
    return workspace
  }
}

it(
  "any graph shows the same numbers and leaves the same states on wasm as on the reference",
  async () => {
    const [onReference, onWasm] = [reference, wasm].map((device) => workspaces(() => device.createWorkspace()))
    const agree = fc.asyncProperty(cases, async (one) => {
      const graph = build(one)
      const [expected, actual] = [await observe(onReference!(), graph), await observe(onWasm!(), graph)]
      for (const [i, [name, values]] of actual.entries())
        expect(relativeError(values, expected[i]![1], FLOOR), name).toBeLessThan(TOLERANCE)
    })
    const limit = { interruptAfterTimeLimit: 1000 * SECONDS, numRuns: 1_000_000 }
    await fc.assert(agree, SECONDS > 0 ? limit : { seed: 1, numRuns: 300 })
  },
  1000 * (120 + 2 * SECONDS),
)
