// A head without stored logits against one with them: numbers, bits, bytes.
import { describe, expect, it } from "vitest"
import {
  type Build,
  evaluateOn,
  integers,
  ints,
  normal,
  relativeError,
  type Values,
} from "../../../../test/support/numbers.ts"
import { softcap as bend } from "../../../nn/index.ts"
import {
  broadcast,
  constant,
  crossEntropy,
  gradients,
  input,
  linearCrossEntropy,
  linearCrossEntropySum,
  matmul,
  multiply,
  program,
  sum,
  type Tensor,
} from "../../../tensor/index.ts"
import { openDevice } from "../../index.ts"

const targetsOf = (N: number, V: number): Values =>
  ints(
    [N],
    integers([N], 0, V, 4).values.map((t, i) => (i % 5 === 3 ? -1 : t)),
  )
/** More than one block, the last one lower. */
const [N, C, V] = [601, 5, 3001]
const inputs = [normal([N, C], 1), normal([V, C], 2), targetsOf(N, V), normal([N], 3)]

const stored = (x: Tensor, weight: Tensor, targets: Tensor, softcap: number): Tensor => {
  const logits = matmul(x, weight, { transposeB: true })
  return crossEntropy(softcap === 0 ? logits : bend(logits, softcap), targets)
}
const withGradients = (loss: Tensor, x: Tensor, weight: Tensor): Tensor[] => [loss, ...gradients(loss, [x, weight])]

const storedSum =
  (softcap: number): Build =>
  (x, w, targets, rowWeights) =>
    withGradients(sum(multiply(stored(x!, w!, targets!, softcap), rowWeights!)), x!, w!)
const blockSum =
  (softcap: number): Build =>
  (x, w, targets, rowWeights) =>
    withGradients(linearCrossEntropySum(x!, w!, targets!, rowWeights!, { softcap }), x!, w!)

describe.each([0, 2])("a head in blocks, softcap %i,", (softcap) => {
  it("has the loss and the gradients of one with stored logits, whether they are made along or afterwards", async () => {
    await using device = await openDevice({ lanes: 2 })
    const afterwards: Build = (x, w, targets, rowWeights) =>
      withGradients(sum(multiply(linearCrossEntropy(x!, w!, targets!, { softcap }), rowWeights!)), x!, w!)
    const expected = await evaluateOn(device, inputs, storedSum(softcap))
    for (const build of [blockSum(softcap), afterwards])
      for (const [i, result] of (await evaluateOn(device, inputs, build)).entries())
        expect(relativeError(result, expected[i]!), `result ${i}`).toBeLessThan(1e-5)
  })

  it("gives the same bits on 1, 2 and 3 lanes in the strict build, and each row the nats of stored logits", async () => {
    const run = async (lanes: number) => {
      await using device = await openDevice({ lanes, strict: true, blas: "off" })
      return await evaluateOn(device, inputs, (x, w, targets, rowWeights) => [
        linearCrossEntropy(x!, w!, targets!, { softcap }),
        stored(x!, w!, targets!, softcap),
        ...(blockSum(softcap)(x!, w!, targets!, rowWeights!) as Tensor[]),
      ])
    }
    const [blocks, whole, ...rest] = await run(1)
    expect(blocks).toEqual(whole)
    for (const lanes of [2, 3]) expect(await run(lanes)).toEqual([blocks, whole, ...rest])
  })
})

it("the plan holds a block of logits, not all of them", async () => {
  await using device = await openDevice({ lanes: 1 })
  const [rows, width, words] = [2048, 16, 4096]
  const [x, w, t] = [input("x", [rows, width]), input("w", [words, width]), input("t", [rows], "i32")]
  const workspace = device.createWorkspace()
  const total = linearCrossEntropySum(x, w, t, broadcast(constant(1), [rows]))
  const [dX, dWeight] = gradients(total, [x, w])
  await workspace.compile({ head: program({ outputs: { total, dX: dX!, dWeight: dWeight! } }) })
  const tensors = 2 * 4 * width * (rows + words)
  expect(workspace.plannedBytes).toBeLessThan(tensors + 5 * 1024 * 1024)
  expect(workspace.plannedBytes).toBeLessThan((4 * rows * words) / 4)
  workspace.close()
})
