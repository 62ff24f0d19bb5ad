// What the decoding peers share: a prompt of fixed ids, greedy tokens, and the clock. One whole generation is made before the
// one that counts.

import { median } from "./training.mjs"

/** The task of this process: shape, model file. */
export const taskOf = () => JSON.parse(process.argv[2] ?? "{}")

export const promptOf = ({ promptTokens, vocabSize }) =>
  Array.from({ length: promptTokens }, (_, index) => (index * 977 + 256) % vocabSize)

/** Loads, then times `generate(prompt, count)`, an async iterable of ids, and prints one line of facts. */
export async function measure(task, version, load) {
  const began = performance.now()
  const generate = await load()
  const loadMs = performance.now() - began
  const round = async () => {
    const times = [performance.now()]
    for await (const _ of generate(promptOf(task), task.decodeTokens + 1)) times.push(performance.now())
    return times
  }
  await round()
  const times = await round() // its first token ends the prefill
  if (times.length !== task.decodeTokens + 2)
    throw new Error(`expected ${task.decodeTokens + 1} tokens, got ${times.length - 1}`)
  const prefillTokensPerSecond = (1000 * task.promptTokens) / (times[1] - times[0])
  const tokensPerSecond = 1000 / median(times.slice(2).map((time, index) => time - times[index + 1]))
  const facts = { version, engine: `node ${process.versions.node}`, tokensPerSecond, prefillTokensPerSecond, loadMs }
  console.log(JSON.stringify({ ...facts, rssBytes: process.resourceUsage().maxRSS * 1024 }))
}
