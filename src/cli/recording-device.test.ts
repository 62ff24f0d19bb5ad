import { expect, it } from "vitest"
import { openDevice } from "../backends/index.ts"
import { input, program, sum } from "../tensor/index.ts"
import { recordingOf } from "./recording-device.ts"

const total = program({ outputs: { y: sum(input("x", [4])) } })

it("a recording tells where the time of a program went that others compiled, even after its workspace is closed", async () => {
  await using device = await openDevice({ local: true, profile: true })
  const recording = recordingOf(device)
  const workspace = recording.device.createWorkspace()
  const { step } = await workspace.compile({ step: total })
  expect(await step.run({ x: [1, 2, 3, 4] })).toEqual({ y: Float32Array.of(10) })
  expect(workspace.plannedBytes).toBeGreaterThan(0)
  workspace.close()
  expect(recording.profileOf("step").map(({ name }) => name.split(" ")[0])).toEqual(["sum"])
  expect(recording.profileOf("another")).toEqual([])
})

it("a recording takes over what another one chose, and leaves the device to its owner", async () => {
  await using device = await openDevice({ local: true })
  const asked: unknown[] = []
  const watched = {
    ...device,
    createWorkspace: (recorded?: object) => (asked.push(recorded), device.createWorkspace()),
  }
  recordingOf(watched, { blasProducts: "4x4x4" }).device.createWorkspace()
  expect(asked).toEqual([{ blasProducts: "4x4x4" }])
  expect(recordingOf(device).choices).toEqual({})
})
