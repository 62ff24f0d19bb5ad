// The program of a worker that counts words: a module of its own in dist/, which `counting-team.ts` starts. It says that
// it is there, counts what it is sent, and gives its counts when asked.
import type { FromCounter, ToCounter } from "./counting-team.ts"
import { WordCounts } from "./word-counts.ts"

/** What a worker has on every platform. */
const scope = globalThis as unknown as {
  onmessage: (event: { readonly data: ToCounter }) => void
  postMessage(message: FromCounter): void
}

const counts = new WordCounts()

scope.onmessage = ({ data }) => {
  if (data.kind === "give") return scope.postMessage({ kind: "words", list: counts.list() })
  for (const text of data.texts) counts.add(text)
  scope.postMessage({ kind: "counted" })
}
scope.postMessage({ kind: "ready" })
