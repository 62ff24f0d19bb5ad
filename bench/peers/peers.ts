// Who is measured, and how each is started. A peer is a program that runs once a round in a process of its own and ends with
// one line of JSON (`Facts`); what it needs and does not find is said in one sentence.
import { execFileSync } from "node:child_process"
import { closeSync, existsSync, mkdirSync, openSync, writeSync } from "node:fs"
import { availableParallelism } from "node:os"
import { join } from "node:path"
import { ggufLlama } from "./gguf-llama.ts"
import { onnxDecoder } from "./onnx-decoder.ts"
import type { DecodingWork, Work } from "./works.ts"

/** Where the parts lie; all paths are absolute. */
export interface House {
  /** This folder. */
  readonly folder: string
  /** The bundle of `bench/index.ts`. */
  readonly bench: string
  /** The text that training reads. */
  readonly text: string
  /** A built checkout of llm.c, if one was named. */
  readonly llmc: string | undefined
}

export interface Task {
  readonly name: string
  readonly work: Work
  readonly steps: number
}

export interface Command {
  readonly argv: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  /** A fact that names something; without it the row measured something else than it says. */
  readonly proof?: string
}

export type Start = Command | { readonly missing: string }

export interface Peer {
  readonly name: string
  readonly kind: Work["kind"]
  /** The ratio columns are those of our own rows. */
  readonly isOurs?: boolean
  /** It makes so many times fewer steps a round than the fastest; default 1. */
  readonly slowness?: number
  start(task: Task, house: House): Start
}

/** Output of a program, or undefined when there is none or it fails. */
function outputOf(program: string, ...args: string[]): string | undefined {
  try {
    return execFileSync(program, args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] })
  } catch {
    return undefined
  }
}

const memory = new Map<string, unknown>()

/** Looks once; every round asks again. */
function once<T>(key: string, look: () => T): T {
  if (!memory.has(key)) memory.set(key, look())
  return memory.get(key) as T
}

/** Node 22 or newer, which jax-js needs: the one installed beside the peers, or this one. */
const newerNode = ({ folder }: House): string | undefined => {
  const installed = join(folder, "node_modules", `node-${process.platform}-${process.arch}`, "bin", "node")
  if (existsSync(installed)) return installed
  return Number(process.versions.node.split(".")[0]) >= 22 ? process.execPath : undefined
}

/** A Python that has PyTorch; the system's first, for that is where a system package puts it. */
const pythonWithTorch = (): string | undefined =>
  once("python", () =>
    ["/usr/bin/python3", "python3", "python"].find(
      (python) => outputOf(python, "-c", "import torch; print(torch.__version__)") !== undefined,
    ),
  )

/** What the bench of this checkout can do, as its own usage tells: which works, which options. */
const usageOf = ({ bench }: House): string =>
  once("usage", () => {
    try {
      return execFileSync(process.execPath, [bench], { encoding: "utf8", stdio: ["ignore", "ignore", "pipe"] })
    } catch (error) {
      return (error as { stderr?: string }).stderr ?? ""
    }
  })

interface OwnOptions {
  readonly node?: string | undefined
  readonly blas?: "off" | "auto"
  readonly weights?: string
}

/** Our own row, through the same `bench/` that records our numbers. */
function kinglet({ name, work, steps }: Task, house: House, { node, blas = "off", weights }: OwnOptions): Start {
  const usage = usageOf(house)
  const own = work.kind === "decoding" ? "decode" : name
  if (!new RegExp(`works:.*\\b${own}\\b`).test(usage)) return { missing: `bench/ knows no work "${own}"` }
  if (blas === "auto" && !usage.includes("--blas")) return { missing: "bench/ knows no --blas" }
  const training = ["--steps", String(steps), "--data", house.text]
  const decoding = ["--threads", "1", ...(weights === undefined ? [] : ["--weights", weights])]
  const options = [
    ...(work.kind === "training" ? training : decoding),
    ...(usage.includes("--blas") ? ["--blas", blas] : []),
  ]
  const argv = [node ?? process.execPath, house.bench, own, "--json", ...options]
  return blas === "auto" ? { argv, proof: "blas" } : { argv }
}

const onNewerNode = (task: Task, house: House, options: OwnOptions = {}): Start => {
  const node = newerNode(house)
  return node === undefined ? { missing: "no Node 22 or newer" } : kinglet(task, house, { ...options, node })
}

/** A peer's own script on a package from this folder; `facts` are made only if the package is there. */
function script(file: string, packageName: string, house: House, facts: () => object, ...more: string[]): Start {
  if (!existsSync(join(house.folder, "node_modules", packageName)))
    return { missing: `${packageName} is not installed (npm install in bench/peers)` }
  return { argv: [newerNode(house) ?? process.execPath, join(house.folder, file), JSON.stringify(facts()), ...more] }
}

const trainer =
  (file: string, packageName: string): Peer["start"] =>
  ({ work, steps }, house) =>
    script(file, packageName, house, () => ({ ...work, steps, text: house.text }))

type ModelForm = "onnx" | "f32.gguf" | "f16.gguf"

const MODEL_FORMS: { readonly [F in ModelForm]: (work: DecodingWork) => readonly Uint8Array[] } = {
  onnx: onnxDecoder,
  "f32.gguf": (work) => ggufLlama(work, "f32"),
  "f16.gguf": (work) => ggufLlama(work, "f16"),
}

/** The work's shape as a file, written anew by each run of the harness. */
const modelFile = (work: Work, form: ModelForm, { folder }: House): string =>
  once(form, () => {
    const path = join(folder, ".cache", `model.${form}`)
    mkdirSync(join(folder, ".cache"), { recursive: true })
    const file = openSync(path, "w")
    for (const piece of MODEL_FORMS[form](work as DecodingWork)) writeSync(file, piece)
    closeSync(file)
    return path
  })

const decoder =
  (file: string, packageName: string, form: ModelForm, ...more: string[]): Peer["start"] =>
  ({ work }, house) =>
    script(file, packageName, house, () => ({ ...work, model: modelFile(work, form, house) }), ...more)

function pytorch({ work, steps }: Task, house: House, env: Command["env"] = {}, ...more: string[]): Start {
  const python = pythonWithTorch()
  if (python === undefined) return { missing: "no Python with PyTorch (Debian: apt-get install python3-torch)" }
  const threads = availableParallelism()
  const task = JSON.stringify({ ...work, steps, text: house.text, threads })
  return { argv: [python, join(house.folder, "nanogpt.py"), task, ...more], env }
}

function compiledPytorch(task: Task, house: House): Start {
  const python = pythonWithTorch()
  const version = python && outputOf(python, "-c", "import torch; print(torch.__version__)")?.trim()
  if (version?.startsWith("1.")) return { missing: `torch.compile needs PyTorch 2; found ${version}` }
  return pytorch(task, house, {}, "compiled")
}

/** Its program is built by whoever has a checkout; this house holds neither its source nor the way to build it. */
function llmc({ work, steps }: Task, house: House): Start {
  if (house.llmc === undefined) return { missing: "no checkout of llm.c named (--llmc DIR or LLMC_DIR)" }
  if (!existsSync(join(house.llmc, "train_gpt2"))) return { missing: `no built train_gpt2 in ${house.llmc}` }
  if (work.kind !== "training" || work.context !== 64) return { missing: "its program knows only a context of 64" }
  const task = JSON.stringify({ ...work, steps, text: house.text })
  return { argv: [process.execPath, join(house.folder, "llmc.mjs"), task, house.llmc] }
}

type Row = Omit<Peer, "kind">

const TRAINING: readonly Row[] = [
  { name: "kinglet", isOurs: true, start: (task, house) => kinglet(task, house, {}) },
  { name: "kinglet newer Node", isOurs: true, start: onNewerNode },
  { name: "kinglet BLAS", isOurs: true, start: (task, house) => kinglet(task, house, { blas: "auto" }) },
  { name: "PyTorch eager", start: pytorch },
  {
    // On a machine that is not quite idle its spinning threads wait for each other: 124-410 ms a step became 50.
    name: "PyTorch passive",
    start: (task, house) => pytorch(task, house, { OMP_WAIT_POLICY: "passive" }),
  },
  { name: "PyTorch compiled", start: compiledPytorch },
  { name: "jax-js", slowness: 4, start: trainer("jax.mjs", "@jax-js/jax") },
  { name: "TensorFlow.js wasm", slowness: 6, start: trainer("tfjs.mjs", "@tensorflow/tfjs-backend-wasm") },
  { name: "llm.c", start: llmc },
]

const DECODING: readonly Row[] = [
  { name: "kinglet f32", isOurs: true, start: (task, house) => kinglet(task, house, { weights: "f32" }) },
  { name: "kinglet f16", isOurs: true, start: (task, house) => kinglet(task, house, { weights: "f16" }) },
  {
    name: "kinglet f32 newer Node",
    isOurs: true,
    start: (task, house) => onNewerNode(task, house, { weights: "f32" }),
  },
  { name: "onnxruntime-web f32", start: decoder("onnxruntime.mjs", "onnxruntime-web", "onnx", "web") },
  { name: "onnxruntime-node f32", start: decoder("onnxruntime.mjs", "onnxruntime-node", "onnx", "node") },
  { name: "llama.cpp f32", start: decoder("llama.mjs", "node-llama-cpp", "f32.gguf") },
  { name: "llama.cpp f16", start: decoder("llama.mjs", "node-llama-cpp", "f16.gguf") },
]

const ofKind = (kind: Peer["kind"], rows: readonly Row[]): readonly Peer[] => rows.map((row) => ({ kind, ...row }))

export const PEERS: readonly Peer[] = [...ofKind("training", TRAINING), ...ofKind("decoding", DECODING)]
