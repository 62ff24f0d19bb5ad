// kinglet doctor: what this machine offers, what is missing, and why it matters.

import { platform } from "#platform"
import { canPairVectors, detectFeatures, openDevice } from "../../backends/index.ts"
import { formatBytes, KINGLET_VERSION } from "../../core/index.ts"
import { flopRate, plural } from "../numbers.ts"
import type { Output } from "../output.ts"
import { measurePeak } from "../peak.ts"
import { table } from "../table.ts"

interface Finding {
  readonly name: string
  readonly state: "good" | "poor" | "missing"
  readonly what: string
  /** Why it matters, where it is not good. */
  readonly why?: string
}

interface Facts extends ReturnType<typeof detectFeatures> {
  readonly version: string
  readonly engine: string
  readonly cores: number
  readonly lanes: number
  /** Register tile of products. */
  readonly tile: string
  readonly totalBytes: number
  readonly freeBytes: number
  readonly flopsPerSecond: number
  /** The BLAS found, or null and why. */
  readonly blas: string | null
  readonly blasMissing?: string
}

/** Below this a model of a few million parameters does not train beside an ordinary desktop. */
const LITTLE_MEMORY = 2e9

export async function doctorCommand(output: Output): Promise<number> {
  const { findings, facts } = await examine()
  await output.event(facts)
  const { green, yellow, red, bold, dim } = output.colors
  const mark = { good: green("✓"), poor: yellow("!"), missing: red("✗") }
  const rows = findings.map(({ name, state, what, why }) => [
    mark[state],
    name,
    why === undefined ? what : `${what}: ${why}`,
  ])
  await output.say("", ...table([{}, { style: bold }, {}], rows, output.width), "")
  const wrong = findings.filter(({ state }) => state !== "good").length
  await output.say(
    wrong === 0
      ? `  ${dim("Nothing is missing. Next: npx kinglet start")}`
      : `  ${dim(`${plural(wrong, "remark")} above; training works unless a line is marked`)} ${red("✗")}`,
  )
  return findings.some(({ state }) => state === "missing") ? 1 : 0
}

async function examine(): Promise<{ facts: Facts; findings: Finding[] }> {
  const device = await openDevice({ allowV8Flags: true }).catch(() => undefined)
  try {
    const features = detectFeatures() // after the device has set the engine's flags
    const flopsPerSecond = device ? await measurePeak(device, 1) : 0
    const { totalBytes, freeBytes } = platform.memory()
    const cores = platform.cores()
    const lanes = device?.lanes ?? 0
    const tile = String(device?.tuning["tile"] ?? "none")
    const facts = {
      version: KINGLET_VERSION,
      engine: platform.engine,
      ...features,
      cores,
      lanes,
      tile,
      totalBytes,
      freeBytes,
      flopsPerSecond,
      ...blasFacts(),
    }
    return { facts, findings: findingsOf(facts) }
  } finally {
    await device?.close()
  }
}

function blasFacts(): Pick<Facts, "blas" | "blasMissing"> {
  const { blas, missing } = platform.findBlas()
  return blas ? { blas: blas.name } : { blas: null, blasMissing: missing! }
}

function findingsOf(facts: Facts): Finding[] {
  const { version, engine, simd, relaxedSimd, threads, cores, lanes, totalBytes, freeBytes, flopsPerSecond } = facts
  const { blas, blasMissing = "", tile } = facts
  const wide = tile.endsWith("x16") // faster than 8 columns only where V8 joins two vectors
  const narrow = canPairVectors() ? "8 columns were measured to be faster" : "not by V8 here"
  const finding = (good: boolean, otherwise: "poor" | "missing", name: string, what: string, why: string): Finding =>
    good ? { name, state: "good", what } : { name, state: otherwise, what, why }
  return [
    { name: "kinglet", state: "good", what: version },
    { name: "engine", state: "good", what: engine },
    finding(
      simd,
      "missing",
      "SIMD",
      simd ? "128-bit, four numbers at once" : "none",
      "kernels need it; use Node 20.19 or newer on a processor with SSE4.1 or NEON",
    ),
    finding(
      relaxedSimd,
      "poor",
      "relaxed SIMD",
      relaxedSimd ? "fused multiply-add" : "none",
      "products take about twice as long; newer engines have it",
    ),
    finding(
      threads,
      "poor",
      "shared memory",
      threads ? "lanes can share one memory" : "none",
      "one core does all the work",
    ),
    finding(
      wide || blas !== null,
      "poor",
      "256-bit",
      wide ? `V8 joins two vectors, tile ${tile}` : `${narrow}, tile ${tile}`,
      "Node 24 or newer computes products about twice as fast; so does a BLAS",
    ),
    finding(
      wide || blas !== null,
      "poor",
      "BLAS",
      blas ?? (wide ? `none, and hardly missed (${blasMissing})` : `none (${blasMissing})`),
      "optional; with koffi (npm install koffi) and OpenBLAS (Debian: libopenblas0-pthread) products take about half the time",
    ),
    finding(
      lanes > 1 || cores === 1,
      "poor",
      "lanes",
      `${lanes} on ${plural(cores, "core")}`,
      "more cores are there than are used",
    ),
    finding(
      totalBytes >= LITTLE_MEMORY,
      "poor",
      "memory",
      `${formatBytes(freeBytes)} free of ${formatBytes(totalBytes)}`,
      "training takes 16 bytes a parameter and its activations",
    ),
    finding(flopsPerSecond > 0, "missing", "peak", flopRate(flopsPerSecond), "no device could be opened"),
  ]
}
