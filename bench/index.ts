// `npm run bench -- WORK [--json] [--steps N] [--data PATH] [--threads N] [--strict] [--blas auto|off] [--seed N]
// [--weights f32|f16]`: measures one work and says on what it was measured. Nothing here is a test; the numbers of record are
// in LOG.md.
import { execFileSync } from "node:child_process"
import { existsSync } from "node:fs"
import { join } from "node:path"
import { parseArgs } from "node:util"
import { benchDecode } from "./decode.ts"
import { benchEvaluation } from "./evaluation.ts"
import { benchMatmul } from "./matmul.ts"
import { benchTokenizer } from "./tokenizer.ts"
import { benchTraining, TRAINING_WORKS } from "./training.ts"

const DATA = process.env["KINGLET_DATA"] ?? join(process.cwd(), "..", "shared", "data")
const WORKS = [...Object.keys(TRAINING_WORKS), "tokenizer", "matmul", "decode", "evaluation"]

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: "boolean", default: false },
    steps: { type: "string" },
    data: { type: "string" },
    threads: { type: "string" },
    seed: { type: "string" },
    weights: { type: "string", default: "f32" },
    strict: { type: "boolean", default: false },
    blas: { type: "string", default: "auto" },
  },
})

function commit(): string {
  try {
    const changed = execFileSync("git", ["status", "--porcelain"], { encoding: "utf8" }).trim() !== ""
    return (
      execFileSync("git", ["rev-parse", "--short", "HEAD"], { encoding: "utf8" }).trim() + (changed ? "+changes" : "")
    )
  } catch {
    return "unknown"
  }
}

function dataFor(work: string): string {
  const path = values.data ?? join(DATA, work === "tokenizer" ? "eltec-eng.jsonl.gz" : "tiny-shakespeare.txt")
  if (!existsSync(path)) throw new Error(`the text ${path} is missing; name another with --data PATH`)
  return path
}

function weightsOf(text: string): "f32" | "f16" {
  if (text === "f32" || text === "f16") return text
  throw new Error(`weights are f32 or f16, got ${text}`)
}

async function measure(work: string): Promise<object> {
  const blas = values.blas === "off" ? "off" : "auto"
  if (work === "matmul") return benchMatmul({ shapes: positionals.slice(1), strict: values.strict, blas })
  if (work === "decode")
    return benchDecode({ threads: Number(values.threads ?? 1), weights: weightsOf(values.weights) })
  if (work === "evaluation") {
    const pairs = join(DATA, "blimp.jsonl.gz")
    if (!existsSync(pairs)) throw new Error(`the pairs ${pairs} are missing`)
    return benchEvaluation({
      data: dataFor(work),
      pairs,
      ...(values.threads ? { threads: Number(values.threads) } : {}),
    })
  }
  const onProgress = (line: string) => process.stderr.write(`${line}\n`)
  const number = (text: string | undefined) => (text === undefined ? {} : { value: Number(text) })
  if (work === "tokenizer")
    return benchTokenizer({ data: dataFor(work), ...(values.threads ? { threads: Number(values.threads) } : {}) })
  const [steps, threads, seed] = [number(values.steps), number(values.threads), number(values.seed)]
  return benchTraining({
    work,
    data: dataFor(work),
    strict: values.strict,
    blas,
    onProgress,
    ...("value" in steps ? { steps: steps.value! } : {}),
    ...("value" in threads ? { threads: threads.value! } : {}),
    ...("value" in seed ? { seed: seed.value! } : {}),
  })
}

const show = (value: unknown): string =>
  typeof value === "number" && !Number.isInteger(value) ? value.toPrecision(5) : String(value)

/** One line a fact; those of an object stand indented below its name. */
function* linesOf(facts: object, indent = ""): Generator<string> {
  for (const [key, value] of Object.entries(facts))
    if (typeof value !== "object" || value === null) yield `${indent}${key.padEnd(20 - indent.length)} ${show(value)}\n`
    else yield* [`${indent}${key}\n`, ...linesOf(value, `${indent}  `)]
}

async function main(): Promise<void> {
  const work = positionals[0]
  if (work === undefined || !WORKS.includes(work)) {
    process.stderr.write(
      `usage: npm run bench -- WORK [--json] [--steps N] [--data PATH] [--threads N] [--strict] [--blas auto|off] [--seed N] [--weights f32|f16]\nworks: ${WORKS.join(", ")}\n`,
    )
    process.exitCode = 2
    return
  }
  const result = { ...(await measure(work)), commit: commit() }
  if (values.json) process.stdout.write(`${JSON.stringify(result)}\n`)
  else for (const line of linesOf(result)) process.stdout.write(line)
}

await main()
