// llm.c: `llmc.mjs TASK FOLDER` runs the program FOLDER/train_gpt2 as it is, on files of ours in a folder of its own. Its main
// reads GPT-2's files by fixed names, knows only batch 4 and context 64, and pads the vocabulary to a multiple of 128: its
// tokens a second are of smaller steps than the others', with a head twice as wide.
import { spawn } from "node:child_process"
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { availableParallelism, tmpdir } from "node:os"
import { join } from "node:path"
import { median, normals, taskOf, tokensOf } from "./training.mjs"

const BATCH = 4
const CONTEXT = 64
const HEADER_WORDS = 256

const task = taskOf()
const { layers: L, heads: H, width: C, vocabSize: V } = task
const padded = Math.ceil(V / 128) * 128

const bytes = (values) => new Uint8Array(values.buffer)

/** 256 words, the first of which are given. */
function header(...words) {
  const all = new Int32Array(HEADER_WORDS)
  all.set(words)
  return bytes(all)
}

/** GPT-2's tensors in their order, all layers of one kind together: random matrices, gains of one, biases of zero. */
function checkpoint() {
  const matrix = (count, deviation = 0.02) => bytes(normals(count, deviation, count))
  const residual = (count) => matrix(count, 0.02 / Math.sqrt(2 * L))
  const fill = (count, value) => bytes(new Float32Array(count).fill(value))
  const norm = (count) => [fill(count, 1), fill(count, 0)]
  return [
    header(20240326, 3, CONTEXT, V, L, H, C, padded),
    ...[matrix(padded * C), matrix(CONTEXT * C)],
    ...[...norm(L * C), matrix(L * 3 * C * C), fill(L * 3 * C, 0), residual(L * C * C), fill(L * C, 0)],
    ...[...norm(L * C), matrix(L * 4 * C * C), fill(L * 4 * C, 0), residual(L * 4 * C * C), fill(L * C, 0)],
    ...norm(C),
  ]
}

const tokens = (ids) => [header(20240520, 1, ids.length), bytes(Uint16Array.from(ids))]

/** Every id is one byte; id 0 ends a text. */
const tokenizer = () => [
  header(20240328, 2, V, 0),
  Uint8Array.from({ length: 2 * V }, (_, index) => (index % 2 === 0 ? 1 : 32 + (index >> 1))),
]

function writeFiles(folder) {
  const data = join(folder, "dev", "data", "tinyshakespeare")
  mkdirSync(data, { recursive: true })
  const ids = tokensOf(task.text)
  const cut = Math.floor(ids.length * 0.9)
  const files = {
    [join(folder, "gpt2_124M.bin")]: checkpoint(),
    [join(folder, "gpt2_tokenizer.bin")]: tokenizer(),
    [join(data, "tiny_shakespeare_train.bin")]: tokens(ids.subarray(0, cut)),
    [join(data, "tiny_shakespeare_val.bin")]: tokens(ids.subarray(cut)),
  }
  for (const [path, pieces] of Object.entries(files)) writeFileSync(path, Buffer.concat(pieces))
}

/** Peak bytes of another process, where the system tells. */
function peakBytes(pid) {
  try {
    return 1024 * Number(/VmHWM:\s*(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0)
  } catch {
    return 0
  }
}

/** Runs the program; what it prints, and the most memory it was seen to hold. */
function run(program, cwd) {
  const env = { ...process.env, OMP_NUM_THREADS: String(availableParallelism()) }
  const child = spawn(program, { cwd, env, stdio: ["ignore", "pipe", "inherit"] })
  let [output, rssBytes] = ["", 0]
  const timer = setInterval(() => (rssBytes = Math.max(rssBytes, peakBytes(child.pid))), 50)
  child.stdout.on("data", (chunk) => (output += chunk))
  return new Promise((resolve, reject) => {
    child.on("error", reject)
    child.on("close", (status) => {
      clearInterval(timer)
      if (status === 0) resolve({ output, rssBytes })
      else reject(new Error(`train_gpt2 ended with ${status}: ${output.trim().split("\n").at(-1)}`))
    })
  })
}

const folder = mkdtempSync(join(tmpdir(), "kinglet-llmc-"))
try {
  writeFiles(folder)
  const { output, rssBytes } = await run(join(process.argv[3], "train_gpt2"), folder)
  const steps = [...output.matchAll(/train loss ([\d.]+) \(took ([\d.]+) ms\)/g)].map(([, ...facts]) =>
    facts.map(Number),
  )
  const msPerStep = median(steps.slice(1).map(([, milliseconds]) => milliseconds))
  const tokensPerSecond = (1000 * BATCH * CONTEXT) / msPerStep
  const facts = { version: `batch ${BATCH}`, engine: "native", steps: steps.length, msPerStep, tokensPerSecond }
  console.log(JSON.stringify({ ...facts, ...(rssBytes > 0 ? { rssBytes } : {}), lossNats: steps.at(-1)[0] }))
} finally {
  rmSync(folder, { recursive: true, force: true })
}
