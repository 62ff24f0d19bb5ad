// What Node and a page both do: learn a vocabulary on several threads, learn it again on one, and compare.
import { trainBpe } from "kinglet/tokenizer"

/** Longer than a batch, with some twenty thousand distinct words. */
const TEXT = Array.from({ length: 20_000 }, (_, n) => `w${((n * n) % 99_991).toString(26)}`).join(" ")

/** Gives the text again and again until `threads` count or the patience ends, and a few times more. */
export async function countOn(threads: number, patienceMs: number) {
  const deadline = performance.now() + patienceMs
  let [seen, rounds] = [1, 0]
  function* texts() {
    for (let more = 8; more > 0; rounds++) {
      if (seen === threads || performance.now() > deadline) more--
      yield TEXT
    }
  }
  const onProgress = (progress: { threads?: number }) => (seen = Math.max(seen, progress.threads ?? 1))
  const many = await trainBpe(texts(), { vocabSize: 600, threads, onProgress })
  const one = await trainBpe(new Array<string>(rounds).fill(TEXT), { vocabSize: 600, threads: 1 })
  return { threads: seen, vocabSize: many.vocabSize, isSame: many.toJson() === one.toJson() }
}
