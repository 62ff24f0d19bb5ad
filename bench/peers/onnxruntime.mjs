// ONNX Runtime, f32: `onnxruntime.mjs TASK node|web`, native or as WebAssembly, on the graph of onnx-decoder.ts.
import { readFileSync } from "node:fs"
import { measure, taskOf } from "./decoding.mjs"
import { versionOf } from "./training.mjs"

const task = taskOf()
const { layers: L, keyValueHeads: K, width, heads, threads } = task
const isWeb = process.argv[3] === "web"
const name = isWeb ? "onnxruntime-web" : "onnxruntime-node"
const { env, InferenceSession, Tensor } = await import(name)

const slots = Array.from({ length: L }, (_, layer) => [`${layer}.key`, `${layer}.value`]).flat()
const emptyCache = () =>
  Object.fromEntries(slots.map((slot) => [slot, new Tensor("float32", new Float32Array(0), [1, K, 0, width / heads])]))

function argmax(logits) {
  let best = 0
  for (let id = 1; id < logits.length; id++) if (logits[id] > logits[best]) best = id
  return best
}

/** Greedy ids; every step hands the cache of the one before back in. */
async function* generate(session, prompt, count) {
  let [cache, ids, total] = [emptyCache(), prompt, 0]
  for (let token = 0; token < count; token++) {
    total += ids.length
    const results = await session.run({
      ids: new Tensor("int64", BigInt64Array.from(ids, BigInt), [1, ids.length]),
      lengths: new Tensor("int32", Int32Array.of(total - 1), [1]),
      total: new Tensor("int32", Int32Array.of(total), []),
      ...Object.fromEntries(slots.map((slot) => [`past.${slot}`, cache[slot]])),
    })
    cache = Object.fromEntries(slots.map((slot) => [slot, results[`present.${slot}`]]))
    ids = [argmax(results.logits.data)]
    yield ids[0]
  }
}

if (isWeb) env.wasm.numThreads = threads
await measure(task, versionOf(name), async () => {
  const source = isWeb ? readFileSync(task.model) : task.model
  const options = { graphOptimizationLevel: "all", intraOpNumThreads: threads, interOpNumThreads: 1 }
  const session = await InferenceSession.create(source, options)
  return (prompt, count) => generate(session, prompt, count)
})
// Its native side leaves threads behind that keep the process alive.
process.exit(0)
