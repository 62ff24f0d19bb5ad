import { it } from "vitest"
import { openDevice } from "./backends/index.ts"
import { evaluate, evaluateOn, normal, relativeError, withGradients, ints, integers } from "../test/support/numbers.ts"
import { linearCrossEntropy, crossEntropy, matmul, type Tensor } from "./tensor/index.ts"
import { softcap as cap } from "./nn/index.ts"
it("x", async () => {
  for (const strict of [true, false]) {
  const device = await openDevice({ lanes: 1, strict, allowV8Flags: true })
  const [N, C, V] = [101, 3, 11003]
  const inputs = [normal([N, C], 1, 2), normal([V, C], 2), ints([N], integers([N], 0, V, 4).values.map((t, i) => (i % 5 === 3 ? -1 : t)))]
  for (const softcap of [0, 3]) {
    const fused = withGradients((x, w, t) => linearCrossEntropy(x!, w!, t!, { softcap }))
    const plain = withGradients((x, w, t) => { const l = matmul(x!, w!, { transposeB: true }); return crossEntropy(softcap ? cap(l, softcap) : l, t!) as Tensor })
    const want = await evaluate(inputs, plain)
    for (const [name, b] of [["fused", fused], ["plain", plain]] as const) {
      const got = await evaluateOn(device, inputs, b)
      console.log(strict, softcap, name, got.map((g, i) => relativeError(g, want[i]!).toExponential(2)).join(" "))
    }
  }
  await device.close()
  }
}, 60000)
