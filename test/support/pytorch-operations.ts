// How each operation of test/fixtures/operations.json is built here. What PyTorch has no counterpart of says so.
import { ropeTables } from "../../src/nn/index.ts"
import {
  absolute,
  add,
  attention,
  broadcast,
  concatenate,
  crossEntropy,
  data,
  divide,
  erf,
  exp,
  gather,
  gradients,
  greater,
  log,
  matmul,
  max,
  maximum,
  minimum,
  multiply,
  negate,
  type Op,
  pad,
  reshape,
  rope,
  scatterAdd,
  select,
  sigmoid,
  slice,
  sqrt,
  subtract,
  sum,
  type Tensor,
  tanh,
  toFloat,
  transpose,
} from "../../src/tensor/index.ts"
import type { Build, Values } from "./numbers.ts"

export interface OperationFixture {
  readonly op: string
  readonly attributes: { readonly [name: string]: unknown }
  readonly inputs: readonly Values[]
  readonly output: Values
  /** The gradients are those of `Σ output · weights`; null where an input has none. */
  readonly weights?: readonly number[]
  readonly gradients?: readonly (readonly number[] | null)[]
}

/** biome-ignore lint/suspicious/noExplicitAny: attributes are plain JSON */
export type FixtureBuild = (x: readonly Tensor[], attributes: any) => Tensor

const unary =
  (op: (x: Tensor) => Tensor): FixtureBuild =>
  ([x]) =>
    op(x!)
const binary =
  (op: (a: Tensor, b: Tensor) => Tensor): FixtureBuild =>
  ([a, b]) =>
    op(a!, b!)
const axesOf = ({ firstAxis, lastAxis }: { firstAxis: number; lastAxis: number }): number[] =>
  Array.from({ length: lastAxis - firstAxis + 1 }, (_, i) => firstAxis + i)

const builders: { readonly [O in Op]: FixtureBuild | string } = {
  input: "no arithmetic",
  state: "no arithmetic",
  constant: "no arithmetic",
  data: "no arithmetic",
  random: "a generator of our own",
  toFloat: unary(toFloat),
  negate: unary(negate),
  exp: unary(exp),
  log: unary(log),
  sqrt: unary(sqrt),
  tanh: unary(tanh),
  sigmoid: unary(sigmoid),
  erf: unary(erf),
  absolute: unary(absolute),
  add: binary(add),
  subtract: binary(subtract),
  multiply: binary(multiply),
  divide: binary(divide),
  maximum: binary(maximum),
  minimum: binary(minimum),
  greater: binary(greater),
  select: ([c, a, b]) => select(c!, a!, b!),
  reshape: ([x], { shape }) => reshape(x!, shape),
  transpose: ([x], { permutation }) => transpose(x!, permutation),
  broadcast: ([x], { shape }) => broadcast(x!, shape),
  slice: ([x], { axis, start, end }) => slice(x!, axis, start, end),
  pad: ([x], { axis, before, after }) => pad(x!, axis, before, after),
  concatenate: (parts, { axis }) => concatenate(parts, axis),
  sum: ([x], attributes) => sum(x!, axesOf(attributes)),
  max: ([x], attributes) => max(x!, axesOf(attributes)),
  matmul: ([a, b], flags) => matmul(a!, b!, flags),
  gather: ([table, ids]) => gather(table!, ids!),
  packedLinear: "PyTorch's matmul, with W stored in another order",
  packedGather: "no arithmetic",
  scatterAdd: ([ids, x], { rows }) => scatterAdd(ids!, x!, rows),
  rope: ([x, position], { inverse, length, theta }) =>
    rope(x!, ropeTables(length, x!.shape[3]!, theta), position!, inverse),
  attention: ([q, k, v, position], options) => attention(q!, k!, v!, position!, options),
  attentionGrad: "PyTorch's gradients of attention",
  cacheWrite: "no arithmetic",
  crossEntropy: ([logits, targets]) => crossEntropy(logits!, targets!),
  crossEntropyGrad: "PyTorch's gradients of crossEntropy",
  linearCrossEntropy: "PyTorch's crossEntropy: operations.test.ts asks a head with the identity for its numbers",
  linearCrossEntropyGrad: "PyTorch's gradients of crossEntropy, in the same way",
}

/** Builders of the operations that the fixtures hold. */
export const fixtureBuilders: { readonly [op: string]: FixtureBuild } = Object.fromEntries(
  Object.entries(builders).flatMap(([op, build]) => (typeof build === "string" ? [] : [[op, build]])),
)

/** The output of a fixture, then the gradient for each input that has one. */
export function withFixtureGradients(fixture: OperationFixture, build = fixtureBuilders[fixture.op]!): Build {
  return (...x) => {
    const output = build(x, fixture.attributes)
    if (fixture.gradients === undefined) return output
    const loss = sum(multiply(output, data(Float32Array.from(fixture.weights!), output.shape)))
    return [
      output,
      ...gradients(
        loss,
        x.filter((_, index) => fixture.gradients![index] !== null),
      ),
    ]
  }
}
