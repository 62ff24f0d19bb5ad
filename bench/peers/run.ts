// `npm run bench:peers -- [WORK] [--rounds N] [--only a,b] [--json]`: runs who is available, interleaved, and prints the ratios
// with machine, versions and commit. A claim is a ratio measured in one run; who is missing is printed as missing.
import { execFileSync, spawn } from "node:child_process"
import { existsSync } from "node:fs"
import { availableParallelism, cpus, release, totalmem, type } from "node:os"
import { join } from "node:path"
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

function optionsOf(argv: readonly string[]) {
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
  const name = positionals[0] ?? "nanogpt-cpu"
  const work = WORKS[name]
  const rounds = Number(values.rounds)
  if (work === undefined || !Number.isInteger(rounds) || rounds < 1) throw new RangeError(USAGE)
  return { ...values, rounds, name, work }
}

/** Runs a program to its end; resolves with its last line of JSON, rejects with the last line of what it complained. */
function run({ argv, env = {}, proof }: Command, through: string): Promise<Facts> {
  const [program, ...args] = [...through.split(" ").filter((word) => word !== ""), ...argv]
  const child = spawn(program!, args, { env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "pipe"] })
  let [output, complaint] = ["", ""]
  child.stdout.on("data", (chunk) => (output += chunk))
  child.stderr.on("data", (chunk) => (complaint += chunk))
  return new Promise((resolve, reject) => {
    child.on("error", reject)
    child.on("close", (status) => {
      const line = output.trim().split("\n").at(-1) ?? ""
      if (status !== 0 || !line.startsWith("{"))
        return reject(new Error(reasonIn(complaint) ?? `ended with ${status} and no facts`))
      if (proof !== undefined && !line.includes(`"${proof}":"`)) return reject(new Error(`it ran without ${proof}`))
      resolve(factsIn(line))
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

const stepsOf = ({ work }: Pick<Task, "work">, { slowness = 1 }: Peer): number =>
  work.kind === "training" ? Math.max(4, Math.round(work.stepsPerRound / slowness)) : 0

/** All peers once, in their order, then again: neighbours in time share the machine's mood. */
async function measure(
  task: Omit<Task, "steps">,
  peers: readonly Peer[],
  house: House,
  count: number,
  through: string,
) {
  const missing: Record<string, string> = {}
  const rounds: Round[] = []
  for (let round = 1; round <= count; round++) {
    const facts: Record<string, Facts> = {}
    for (const peer of peers) {
      if (missing[peer.name] !== undefined) continue
      const start = peer.start({ ...task, steps: stepsOf(task, peer) }, house)
      if ("missing" in start) missing[peer.name] = start.missing
      else
        await run(start, through).then(
          (result) => (facts[peer.name] = result),
          (error: Error) => (missing[peer.name] = `failed in round ${round}: ${error.message}`),
        )
      const result = facts[peer.name]
      say(
        `round ${round} of ${count}: ${peer.name}: ${result ? `${result.tokensPerSecond.toFixed(1)} tokens/s` : missing[peer.name]}`,
      )
    }
    rounds.push(facts)
  }
  return { rounds, missing } satisfies Measured
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
function summaryOf({ rounds, missing }: Measured, names: readonly string[], ours: readonly string[]) {
  const peers = names.map((name) => ({
    name,
    ...rounds.find((round) => round[name] !== undefined)![name],
    tokensPerSecond: spreadOfFact(rounds, name, "tokensPerSecond"),
    msPerStep: spreadOfFact(rounds, name, "msPerStep"),
    rssBytes: spreadOfFact(rounds, name, "rssBytes"),
    speedOf: Object.fromEntries(ours.map((own) => [own, ratioOf(rounds, own, name, "tokensPerSecond")])),
    memoryOf: Object.fromEntries(ours.map((own) => [own, ratioOf(rounds, own, name, "rssBytes")])),
  }))
  return { peers, missing }
}

/** The harness; `folder` is this folder, `bench` the bundle of our own benchmark. */
export async function main(argv: readonly string[], where: Pick<House, "folder" | "bench">): Promise<void> {
  const options = optionsOf(argv)
  const { name, work, rounds: count, only, json } = options
  const text = options.data.endsWith(".txt") ? options.data : join(options.data, "tiny-shakespeare.txt")
  if (work.kind === "training" && !existsSync(text))
    throw new RangeError(
      `the text ${text} is missing\n  hint: name a folder with tiny-shakespeare.txt, or a .txt, with --data PATH`,
    )
  const house = { ...where, text, llmc: options.llmc === "" ? undefined : options.llmc }
  const wanted = only.split(",").filter((part) => part !== "")
  const peers = PEERS.filter(
    (peer) => peer.kind === work.kind && (wanted.length === 0 || wanted.some((part) => peer.name.includes(part))),
  )
  const measured = await measure({ name, work }, peers, house, count, options.through)
  const present = peers.filter((peer) => measured.rounds.some((round) => round[peer.name] !== undefined))
  const names = present.map((peer) => peer.name)
  const ours = present.filter((peer) => peer.isOurs).map((peer) => peer.name)
  const facts = { work: name, ...work, rounds: count, machine: machine(), commit: commit() }
  if (json) process.stdout.write(`${JSON.stringify({ ...facts, ...summaryOf(measured, names, ours) })}\n`)
  else
    process.stdout.write(
      `${[...headOf(facts), "", ...tableOf(measured.rounds, names, ours), ...tailOf(name, measured)].join("\n")}\n`,
    )
}

type HeadFacts = { work: string; rounds: number; machine: ReturnType<typeof machine>; commit: string }

const headOf = ({
  work,
  rounds,
  machine: { processor, cores, memoryGiB, system },
  commit: at,
}: HeadFacts): string[] => [
  `${work}: medians of ${rounds} interleaved rounds; ratios are medians of the ratios within each round`,
  `${processor}, ${cores} cores, ${memoryGiB} GiB, ${system}; kinglet at ${at}`,
]

function tailOf(work: string, { missing }: Measured): string[] {
  const absent = Object.entries(missing).map(([name, reason]) => `missing: ${name}: ${reason}`)
  const recorded = (RECORDED[work] ?? []).map((line) => `recorded elsewhere, not measured here: ${line}`)
  return ["", ...absent, ...recorded]
}
