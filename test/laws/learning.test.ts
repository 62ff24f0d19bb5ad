// A model that is new knows nothing, and one that is shown the same again and again knows it by heart.
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { type Device, openDevice } from "../../src/backends/index.ts"
import { fitOneBatch, styles } from "./support.ts"

let device: Device
beforeAll(async () => {
  device = await openDevice({ lanes: 2 })
})
afterAll(() => device.close())

describe.each(Object.entries(styles))("%s style", (_, configOf) => {
  const config = configOf({ vocabSize: 61, hiddenSize: 32, numHiddenLayers: 2, maxPositionEmbeddings: 16 })

  it("the loss starts near ln V, and one batch of random tokens is learned by heart to below 0.01 nats", async () => {
    const losses = await fitOneBatch(device, config, 250)
    expect(losses[0]).toBeGreaterThan(Math.log(61) - 0.1)
    expect(losses[0]).toBeLessThan(Math.log(61) + 0.1)
    expect(losses.at(-1)).toBeLessThan(0.01)
  })
})
