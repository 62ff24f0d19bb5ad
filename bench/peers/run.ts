// `npm run bench:peers -- [WORK] [--rounds N] [--only a,b] [--json]`: runs who is available, interleaved, and prints the ratios
// with machine, versions and commit. A claim is a ratio measured in one run; who is missing is printed as missing.
import { execFileSync, spawn } from "node:child_process"
import { existsSync } from "node:fs"
import { availableParallelism, cpus, release, totalmem, type } from "node:os"
import { join, resolve } from "node:path"
import { parseArgs } from "node:util"
import { type Command, type House, PEERS, type Peer, type Task } from "./peers.ts"
import { RECORDED } from "./recorded.ts"
import { type Facts, type Round, ratioOf, spreadOfFact, tableOf } from "./report.ts"
import { WORKS } from "./works.ts"

const USAGE = `usage: npm run bench:peers -- [WORK] [--rounds N] [--only NAME,NAME] [--json] [--data PATH] [--llmc DIR] [--through COMMAND]
works: ${Object.keys(WORKS).join(", ")}
--only takes parts of names: ${PEERS.map(({ name }) => name).join(" | ")}
--llmc names a checkout of llm.c that holds a built train_gpt2; --through starts every peer behind a command ("taskset -c 0,1")
`

const say = (line: string) => process.stderr.write(`${line}\n`)

function parse(argv: readonly string[]) {
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: {
      rounds: { type: "string", default: "5" },
      only: { type: "string", default: "" },
      json: { type: "boolean", default: false },
      data: { type: "string", default: process.env["KINGLET_DATA"] ?? join("..", "shared", "data") },
      llmc: { type: "string", default: process.env["LLMC_DIR"] ?? "" },
      through: { type: "string", default: "" },
    },
  })
  return { ...values, name: positionals[0] ?? "nanogpt-cpu" }
}

const wordsOf = (text: string, separator: string) => text.split(separator).filter((word) => word !== "")

/** What the command line asks for, checked. */
function requestOf(argv: readonly string[]) {
  const { name, rounds, data, llmc, only, through, json } = parse(argv)
  const work = WORKS[name]
  if (work === undefined || !(Number(rounds) >= 1)) throw new RangeError(USAGE)
  const text = resolve(data.endsWith(".txt") ? data : join(data, "tiny-shakespeare.txt"))
  if (work.kind === "training" && !existsSync(text))
    throw new RangeError(`${text} is missing\n  hint: --data names a folder with tiny-shakespeare.txt, or a text`)
  const parts = wordsOf(only, ",")
  const isWanted = (peer: Peer) => parts.length === 0 || parts.some((part) => peer.name.includes(part))
  const peers = PEERS.filter((peer) => peer.kind === work.kind && isWanted(peer))
  const house = { text, llmc: llmc === "" ? undefined : resolve(llmc) }
  return { name, work, rounds: Number(rounds), peers, house, through: wordsOf(through, " "), json }
}

/** Runs a program to its end; resolves with its last line of JSON, rejects with the last line of what it complained. */
function run({ argv, env = {}, proof }: Command, through: readonly string[]): Promise<Facts> {
  const [program, ...args] = [...through, ...argv]
  const child = spawn(program!, args, { env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "pipe"] })
  let [output, complaint] = ["", ""]
  child.stdout.on("data", (chunk) => (output += chunk))
  child.stderr.on("data", (chunk) => (complaint += chunk))
  return new Promise((fulfill, reject) => {
    child.on("error", reject)
    child.on("close", (status) => {
      const line = output.trim().split("\n").at(-1) ?? ""
      if (status !== 0 || !line.startsWith("{"))
        return reject(new Error(reasonIn(complaint) ?? `ended with ${status} and no facts`))
      if (proof !== undefined && !line.includes(`"${proof}":"`)) return reject(new Error(`it ran without ${proof}`))
      fulfill(factsIn(line))
    })
  })
}

/** What our own bench calls otherwise than the peers. */
interface OwnFacts {
  readonly commit?: string
  readonly decodeTokensPerSecond?: number
  readonly peakRssBytes?: number
}

function factsIn(line: string): Facts {
  const { commit: version, decodeTokensPerSecond, peakRssBytes, ...facts } = JSON.parse(line) as Facts & OwnFacts
  return {
    ...facts,
    ...(version === undefined ? {} : { version }),
    ...(decodeTokensPerSecond === undefined ? {} : { tokensPerSecond: decodeTokensPerSecond }),
    ...(peakRssBytes === undefined ? {} : { rssBytes: peakRssBytes }),
  }
}

/** The line of a stack trace that says something. */
const reasonIn = (complaint: string): string | undefined => {
  const lines = complaint.split("\n").map((line) => line.trim())
  return lines.find((line) => /error:/i.test(line)) ?? lines.filter((line) => line !== "").at(-1)
}

interface Measured {
  readonly rounds: readonly Round[]
  readonly missing: Readonly<Record<string, string>>
}

type Request = ReturnType<typeof requestOf>

const stepsOf = ({ work }: Pick<Task, "work">, { slowness = 1 }: Peer): number =>
  work.kind === "training" ? Math.max(4, Math.round(work.stepsPerRound / slowness)) : 0

/** One round of one peer: its facts, or why there are none. */
async function measureOne(task: Omit<Task, "steps">, peer: Peer, house: House, through: readonly string[]) {
  const start = peer.start({ ...task, steps: stepsOf(task, peer) }, house)
  if ("missing" in start) return start.missing
  return run(start, through).catch((error: Error) => `failed: ${error.message}`)
}

/** All peers once, in their order, then again: neighbours in time share the machine's mood. Who fails once is left out. */
async function measure({ name, work, peers, rounds: count, through }: Request, house: House): Promise<Measured> {
  const missing: Record<string, string> = {}
  const rounds: Record<string, Facts>[] = []
  for (let round = 1; round <= count; round++) {
    const facts: Record<string, Facts> = {}
    for (const peer of peers.filter((each) => missing[each.name] === undefined)) {
      const result = await measureOne({ name, work }, peer, house, through)
      if (typeof result === "string") missing[peer.name] = result
      else facts[peer.name] = result
      const outcome = typeof result === "string" ? result : `${result.tokensPerSecond.toFixed(1)} tokens/s`
      say(`round ${round} of ${count}: ${peer.name}: ${outcome}`)
    }
    rounds.push(facts)
  }
  return { rounds, missing }
}

function commit(): string {
  try {
    const git = (...args: string[]) => execFileSync("git", args, { encoding: "utf8" }).trim()
    return git("rev-parse", "--short", "HEAD") + (git("status", "--porcelain") === "" ? "" : "+changes")
  } catch {
    return "unknown"
  }
}

const machine = () => ({
  processor: cpus()[0]?.model.trim() ?? "unknown",
  cores: availableParallelism(),
  memoryGiB: Number((totalmem() / 2 ** 30).toFixed(1)),
  system: `${type()} ${release()}`,
})

/** The same facts as the table, for programs. */
function jsonOf({ name, work, rounds: count }: Request, { rounds, missing }: Measured, who: Present): string {
  const peers = who.names.map((peer) => ({
    name: peer,
    ...rounds.find((round) => round[peer] !== undefined)![peer],
    tokensPerSecond: spreadOfFact(rounds, peer, "tokensPerSecond"),
    msPerStep: spreadOfFact(rounds, peer, "msPerStep"),
    rssBytes: spreadOfFact(rounds, peer, "rssBytes"),
    speedOf: Object.fromEntries(who.ours.map((own) => [own, ratioOf(rounds, own, peer, "tokensPerSecond")])),
    memoryOf: Object.fromEntries(who.ours.map((own) => [own, ratioOf(rounds, own, peer, "rssBytes")])),
  }))
  return JSON.stringify({ work: name, ...work, rounds: count, machine: machine(), commit: commit(), peers, missing })
}

function textOf({ name, rounds: count }: Request, { rounds, missing }: Measured, who: Present): string {
  const { processor, cores, memoryGiB, system } = machine()
  return [
    `${name}: medians of ${count} interleaved rounds; ratios are medians of the ratios within each round`,
    `${processor}, ${cores} cores, ${memoryGiB} GiB, ${system}; kinglet at ${commit()}`,
    "",
    ...tableOf(rounds, who.names, who.ours),
    "",
    ...Object.entries(missing).map(([peer, reason]) => `missing: ${peer}: ${reason}`),
    ...(RECORDED[name] ?? []).map((line) => `recorded elsewhere, not measured here: ${line}`),
  ].join("\n")
}

interface Present {
  readonly names: readonly string[]
  readonly ours: readonly string[]
}

/** Who has facts of at least one round. */
function presentOf(peers: readonly Peer[], rounds: readonly Round[]): Present {
  const present = peers.filter(({ name }) => rounds.some((round) => round[name] !== undefined))
  const ours = present.filter(({ isOurs }) => isOurs)
  return { names: present.map(({ name }) => name), ours: ours.map(({ name }) => name) }
}

/** The harness; `folder` is this folder, `bench` the bundle of our own benchmark. */
export async function main(argv: readonly string[], where: Pick<House, "folder" | "bench">): Promise<void> {
  const request = requestOf(argv)
  const measured = await measure(request, { ...where, ...request.house })
  const who = presentOf(request.peers, measured.rounds)
  process.stdout.write(`${(request.json ? jsonOf : textOf)(request, measured, who)}\n`)
}
