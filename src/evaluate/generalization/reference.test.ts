// Laws of the reference: it reads what it should, in long enough runs, and lets others have their turn.
import { expect, it, vi } from "vitest"
import { platform } from "#platform"
import { randomStream } from "../../core/index.ts"
import { bytesTokenizer } from "../../tokenizer/index.ts"
import { trainKneserNey } from "../baselines/kneser-ney.ts"
import type { Passage, Passages } from "./passages.ts"
import { referenceNats } from "./reference.ts"

const stream = randomStream(1, "reference")
const idsOf = (length: number) => Array.from({ length }, () => 97 + stream.below(3))
const passagesOf = (count: number, length: number): Passage[] =>
  Array.from({ length: count }, () => ({ document: 0, ids: idsOf(length), bytes: new Uint8Array(length - 1) }))

const passages = (train: number, heldOut: number): Passages => ({
  train: passagesOf(train, 9),
  heldOut: passagesOf(heldOut, 9),
  others: [Int32Array.from(idsOf(2000))],
  tokens: 9,
  trainBytes: 2000,
  heldOutBytes: 9 * heldOut,
})

it("bytes are judged by runs of six, though the end of a text is one symbol more", async () => {
  const { vocabSize } = bytesTokenizer()
  const drawn = passages(0, 8)
  const model = trainKneserNey(Uint16Array.from(drawn.others[0]!), { order: 6, vocabSize })
  const expected = drawn.heldOut.map(({ ids }) => model.scoreNats(ids) - model.scoreNats(ids.slice(0, 1)))
  expect(await referenceNats(drawn, vocabSize, undefined)).toEqual(expected)
})

it("the event loop gets a turn between passages", async () => {
  let now = 0
  const clock = vi.spyOn(platform, "now").mockImplementation(() => (now += 10))
  const turn = vi.spyOn(platform, "yieldToEventLoop").mockResolvedValue()
  const turnsFor = async (heldOut: number) => {
    turn.mockClear()
    await referenceNats(passages(4, heldOut), 257, undefined)
    return turn.mock.calls.length
  }
  try {
    expect((await turnsFor(400)) - (await turnsFor(40))).toBeGreaterThanOrEqual(360)
  } finally {
    clock.mockRestore()
    turn.mockRestore()
  }
})
