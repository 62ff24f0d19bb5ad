import { expect, it } from "vitest"
import { add, input, matmul, multiply, program, state, sum } from "../../tensor/index.ts"
import { openWasmDevice } from "./index.ts"

it("a profile names each call by what it computes: a sweep that writes straight into a state is an update", async () => {
  await using device = await openWasmDevice({ local: true, profile: true })
  const [x, w, total] = [input("x", [4, 8]), state("w", [8, 8]), state("total", [4, 8])]
  const y = matmul(multiply(x, x), w)
  const { run, profile } = (
    await device
      .createWorkspace()
      .compile({ step: program({ outputs: { sum: sum(y) }, updates: [{ state: total, value: add(total, y) }] }) })
  ).step
  await run({ x: new Float32Array(32) })
  const times = profile!()
  expect(times.map(({ name }) => name.split(" ")[0]).sort()).toEqual(["matmul", "sum", "sweep", "update"])
  expect(times.find(({ name }) => name.startsWith("matmul"))).toMatchObject({
    name: "matmul [4, 8] [8, 8]",
    flops: 2 * 4 * 8 * 8,
    bytes: 4 * (32 + 64 + 32),
  })
})

it("a device that was not asked to tells no profile", async () => {
  await using device = await openWasmDevice({ local: true })
  const { step } = await device.createWorkspace().compile({ step: program({ outputs: { y: sum(input("x", [4])) } }) })
  expect(step.profile).toBeUndefined()
})
