// llama.cpp, native, through node-llama-cpp: `llama.mjs TASK` on a file of gguf-llama.ts.
import { getLlama, LlamaLogLevel } from "node-llama-cpp"
import { measure, taskOf } from "./decoding.mjs"
import { versionOf } from "./training.mjs"

const task = taskOf()

await measure(task, versionOf("node-llama-cpp"), async () => {
  const llama = await getLlama({ build: "never", gpu: false, maxThreads: task.threads, logLevel: LlamaLogLevel.error })
  const model = await llama.loadModel({ modelPath: task.model })
  const context = await model.createContext({ contextSize: task.context, threads: task.threads, sequences: 1 })
  const sequence = context.getSequence()
  return async function* generate(prompt, count) {
    await sequence.clearHistory()
    let left = count
    for await (const id of sequence.evaluate(prompt, { temperature: 0, yieldEogToken: true })) {
      yield id
      if (--left === 0) return
    }
  }
})
process.exit(0)
