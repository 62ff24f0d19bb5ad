import { describe, expect, it } from "vitest"
import { applyOp, crossEntropy, input } from "../../../tensor/index.ts"
import type { ModuleBuilder } from "../assembler.ts"
import { builds, check, noise, referenceOf, runKernel } from "./attention-harness.ts"
import { emitCrossEntropy, emitCrossEntropyGrad } from "./cross-entropy.ts"

const shapes = [
  { N: 1, V: 1 },
  { N: 5, V: 3 },
  { N: 7, V: 65 },
  { N: 6, V: 32 },
  { N: 3, V: 1021 },
  { N: 4, V: 50257 },
]
const targetsOf = (N: number, V: number) => Int32Array.from({ length: N }, (_, n) => (n % 3 === 1 ? -1 : (n * 17) % V))
const spread = [1, 80]
type Shape = (typeof shapes)[number]

const statisticsOf = ({ N, V }: Shape, size: number): Float32Array => {
  const node = crossEntropy(input("logits", [N, V]), input("targets", [N], "i32"))
  return Float32Array.from(referenceOf(node, [noise(N * V, 1, size), targetsOf(N, V)])[1])
}

describe.each(builds)("with fma %s", (fma) => {
  describe.each(spread)("and logits within ±%s", (size) => {
    it.each(shapes)("crossEntropy equals the reference, ignored rows included: %o", (shape) => {
      const { N, V } = shape
      const emit = (module: ModuleBuilder) => emitCrossEntropy(module, shape, { fma })
      const node = crossEntropy(input("logits", [N, V]), input("targets", [N], "i32"))
      check({ emit, inputs: [noise(N * V, 1, size), targetsOf(N, V)], outputs: [N, 2 * N] }, node)
    })

    it.each(shapes)("crossEntropyGrad equals the reference, also in place: %o", (shape) => {
      const { N, V } = shape
      const inputs = [noise(N * V, 1, size), targetsOf(N, V), statisticsOf(shape, size), noise(N, 2)]
      const test = {
        emit: (module: ModuleBuilder) => emitCrossEntropyGrad(module, shape, { fma }),
        inputs,
        outputs: [N * V],
      }
      const of = [input("z", [N, V]), input("t", [N], "i32"), input("s", [N, 2]), input("dNats", [N])]
      const [node] = applyOp("crossEntropyGrad", of, {})
      check(test, node)
      check({ ...test, inPlace: true }, node)
    })
  })

  it("rows that are all ignored give 0 and no gradient, and a target of V gives NaN", () => {
    const [N, V] = [2, 9]
    const inputs = [noise(N * V, 1), Int32Array.of(-1, -100)]
    const emit = (module: ModuleBuilder) => emitCrossEntropy(module, { N, V }, { fma })
    expect([...runKernel({ emit, inputs, outputs: [N, 2 * N] }, 1)[0]]).toEqual([0, 0])
    const past = [noise(N * V, 1), Int32Array.of(V, V + 100000000)]
    expect([...runKernel({ emit, inputs: past, outputs: [N, 2 * N] }, 1)[0]]).toEqual([NaN, NaN])
    const emitGrad = (module: ModuleBuilder) => emitCrossEntropyGrad(module, { N, V }, { fma })
    const all = [...inputs, noise(2 * N, 3), noise(N, 2)]
    const gradient = runKernel({ emit: emitGrad, inputs: all, outputs: [N * V] }, 1)[0]
    expect(gradient.every((x) => x === 0)).toBe(true)
  })
})
