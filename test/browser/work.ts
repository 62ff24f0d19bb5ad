// What a page and Node both do, to be compared: ten strict steps, a digest of the parameters' bits, and a text.
import { type Device, generate, openDevice, train } from "kinglet"
import { defaultRecipe } from "kinglet/train"

const birds = ["kinglet", "wren", "robin", "finch"]
const texts = Array.from({ length: 24 }, (_, n) => `On day ${n} the ${birds[n % 4]} sang ${(n * n) % 7} times.\n`)

export interface Work {
  readonly lanes: number
  /** FNV-1a over the bytes of all parameters in order. */
  readonly bits: string
  readonly loss: number
  readonly text: string
}

export async function work(lanes: number): Promise<Work> {
  const device = await openDevice({ lanes, strict: true })
  const result = await workOn(device)
  await device.close()
  return result
}

async function workOn(device: Device): Promise<Work> {
  const base = defaultRecipe({ hiddenSize: 32, numHiddenLayers: 2, sequenceLength: 32, batchSize: 8, steps: 10 })
  const recipe = { ...base, sampling: { everySteps: 0, prompt: "", tokens: 0 } }
  const { model, parameters, summary } = await train(recipe, { device, data: texts }).result
  let text = ""
  for await (const piece of generate(model, "On day ", { maxTokens: 40, seed: 3, topK: 5 })) text += piece.text
  await model.close()
  return { lanes: device.lanes, bits: digest(Object.values(parameters)), loss: summary.loss!, text }
}

function digest(arrays: readonly Float32Array[]): string {
  let hash = 0x811c9dc5
  for (const { buffer, byteOffset, byteLength } of arrays)
    for (const byte of new Uint8Array(buffer, byteOffset, byteLength)) hash = Math.imul(hash ^ byte, 0x01000193)
  return (hash >>> 0).toString(16).padStart(8, "0")
}
