// Gradients against central differences: both sides of the difference are computed in one graph in f64, so that h can be small.
import { describe, expect, it } from "vitest"
import {
  asList,
  type Build,
  differentiated,
  evaluate,
  normal,
  relativeError,
  type Values,
  weighted,
} from "../../test/support/numbers.ts"
import { operationCases } from "../../test/support/operation-cases.ts"
import {
  add,
  crossEntropy,
  exp,
  gradients,
  input,
  matmul,
  mean,
  multiply,
  type Op,
  square,
  subtract,
  sum,
} from "./index.ts"

const H = 2 ** -13
/** Central differences cost two runs an element. */
const MAX_ELEMENTS = 200

/** `(loss(x + h·e) - loss(x - h·e)) / 2h` for every element of input `index`, each rounded only at the end. */
async function centralDifferences(inputs: readonly Values[], build: Build, index: number): Promise<number[]> {
  const n = inputs.length
  const difference: Build = (...x) => {
    const loss = (at: readonly (typeof x)[number][]) => weighted(asList(build(...at)).slice(0, 1))
    return multiply(subtract(loss(x.slice(0, n)), loss(x.slice(n))), 1 / (2 * H))
  }
  const moved = (element: number, by: number): Values[] =>
    inputs.map((x, i) => (i === index ? { ...x, values: x.values.map((v, e) => (e === element ? v + by : v)) } : x))
  const slopes: number[] = []
  for (let e = 0; e < inputs[index]!.values.length; e++)
    slopes.push((await evaluate([...moved(e, H), ...moved(e, -H)], difference))[0]![0]!)
  return slopes
}

async function checkGradients(inputs: readonly Values[], build: Build, wrt?: readonly number[]): Promise<void> {
  const which = inputs.flatMap(({ dtype }, i) => ((wrt === undefined ? dtype === "f32" : wrt.includes(i)) ? [i] : []))
  const exact = await evaluate(inputs, (...x) =>
    gradients(weighted(asList(build(...x)).slice(0, 1)), differentiated(x, wrt)),
  )
  for (const [position, index] of which.entries()) {
    const error = relativeError(exact[position]!, await centralDifferences(inputs, build, index))
    expect(error, `input ${index} of [${inputs.map(({ shape }) => `[${shape}]`)}]`).toBeLessThan(1e-5)
  }
}

const isSmall = (inputs: readonly Values[]) =>
  inputs.reduce((total, { values }) => total + values.length, 0) <= MAX_ELEMENTS
const differentiable = (Object.entries(operationCases) as [Op, (typeof operationCases)[Op]][]).filter(
  ([, row]) => row.noGradient === undefined,
)

describe("gradients", () => {
  it.each(differentiable)("%s: the gradient is the slope of the loss", async (_, { awkward, wrt }) => {
    const small = awkward.filter(({ inputs }) => isSmall(inputs))
    expect(small.length).toBeGreaterThan(0)
    for (const { inputs, build } of small) await checkGradients(inputs, build, wrt)
  })

  it("add up over all uses of a tensor", async () => {
    const build: Build = (x) => add(multiply(x!, x!), exp(add(x!, square(x!))))
    await checkGradients([normal([7], 1, 0.5)], build)
  })

  it("are zero for what the loss does not depend on", async () => {
    const [dx, dy] = await evaluate([normal([3]), normal([2, 2])], (x, y) => gradients(sum(square(x!)), [x!, y!]))
    expect([...dx!]).toEqual(normal([3]).values.map((v) => Math.fround(2 * v)))
    expect([...dy!]).toEqual([0, 0, 0, 0])
  })

  it("refuse a loss that is not one number, and second derivatives of fused losses", () => {
    const [x, t] = [input("x", [2, 3]), input("t", [2], "i32")]
    expect(() => gradients(square(x), [x])).toThrow("the loss must be a scalar, got [2, 3]")
    const [dx] = gradients(mean(crossEntropy(matmul(x, x, { transposeB: true }), t)), [x])
    expect(() => gradients(sum(dx!), [x])).toThrow("second derivatives are not defined")
  })
})
