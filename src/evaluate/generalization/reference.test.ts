// Laws of the reference: it reads what it should, in long enough runs, and lets others have their turn.
import { expect, it, vi } from "vitest"
import { platform } from "#platform"
import { randomStream } from "../../core/index.ts"
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

/** Letters of which each follows from the five before it, by a rule drawn at random; one in fifty is drawn itself. */
function ruledIds(length: number): number[] {
  const ids = idsOf(5)
  const next = (recent: readonly number[]) => 97 + randomStream(2, ...recent).below(3)
  while (ids.length < length) ids.push(stream.below(50) === 0 ? 97 + stream.below(3) : next(ids.slice(-5)))
  return ids
}

it("bytes are judged by runs of up to six, though the end of a text is one symbol more than bytes", async () => {
  const ids = ruledIds(60)
  const ruled = { ...passages(0, 0), heldOut: [{ document: 0, ids, bytes: new Uint8Array(59) }] }
  const [nats] = await referenceNats({ ...ruled, others: [Int32Array.from(ruledIds(20_000))] }, 257, undefined)
  expect(nats! / 59).toBeLessThan(0.3) // 0.55 by runs of four
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
