import { expect, it } from "vitest"
import { openReferenceDevice } from "../backends/index.ts"
import { crossEntropy, gather, gradients, input, matmul, mean, program, state } from "./index.ts"

it("quick", async () => {
  const w = state("w", [4, 3]); const e = state("e", [3, 3])
  const ids = input("ids", [5], "i32"), t = input("t", [5], "i32")
  const loss = mean(crossEntropy(matmul(gather(e, ids), w, { transposeB: true }), t))
  const [dw] = gradients(loss, [w])
  const d = openReferenceDevice().createWorkspace()
  const { f } = await d.compile({ f: program({ outputs: { loss, dw: dw! } }) })
  d.write(w, Array.from({ length: 12 }, (_, i) => Math.sin(i))); d.write(e, Array.from({ length: 9 }, (_, i) => Math.cos(i)))
  const feed = { ids: [0, 1, 2, 1, 0], t: [0, 1, 2, 3, -1] }
  const r = await f.run(feed)
  const x = Array.from({ length: 12 }, (_, i) => Math.sin(i)); x[5]! += 1e-4; d.write(w, x); const a = (await f.run(feed)).loss![0]!
  x[5]! -= 2e-4; d.write(w, x); const b = (await f.run(feed)).loss![0]!
  expect((a - b) / 2e-4).toBeCloseTo(r.dw![5]!, 3)
})
