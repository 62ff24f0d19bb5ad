// kinglet bench: what this machine gives at most, and how near a training step, or the decoding of a token, comes to it.
import { platform } from "#platform"
import { type Device, type DeviceOptions, measureRoofline, openDevice, type Roofline } from "../../backends/index.ts"
import { formatBytes, formatCount } from "../../core/index.ts"
import {
  type Measured,
  measureDecoding,
  measureProducts,
  measureTraining,
  type ProductRate,
  type TrainingPreset,
} from "../bench-works.ts"
import { byteRate, count, flopRate, milliseconds, percent, plural } from "../numbers.ts"
import type { Output } from "../output.ts"
import { longestOf, type TimeShare, timeByGroup, timeByKernel } from "../roofline-share.ts"
import { beyondPeak, shareLines } from "../share-table.ts"
import { table } from "../table.ts"
import { transientLine } from "../transient-line.ts"

export type BenchWork = "train" | "decode"

export interface BenchOptions {
  readonly threads?: number | undefined
  readonly strict?: true | undefined
  readonly blas: "auto" | "off"
  readonly preset?: TrainingPreset | undefined
  readonly size?: number | undefined
  readonly profile?: true | undefined
}

const DEFAULT_PRESET = "nanogpt-cpu"
/** 120 MB of weights: more than most caches. */
const DEFAULT_SIZE = 30e6

/** Kernels that make up so much of the time are shown, the rest in one row; --json has all. */
const SHOWN_SHARE = 0.95

/** What is wrong with a combination of options, as a sentence; commander checks each alone. */
export function benchUsage(work: BenchWork | undefined, options: BenchOptions): string | undefined {
  const { profile, preset, size } = options
  if (profile && work === undefined) return "--profile needs a work: kinglet bench train --profile, or decode"
  if (preset !== undefined && work !== "train")
    return "--preset names a recipe to train: kinglet bench train --preset nanogpt-384"
  if (size !== undefined && work !== "decode")
    return "--size is of the model to decode with: kinglet bench decode --size 30M"
  return undefined
}

export async function benchCommand(
  work: BenchWork | undefined,
  options: BenchOptions,
  output: Output,
): Promise<number> {
  const { threads, blas, strict = false } = options
  const device: DeviceOptions = {
    blas,
    strict,
    allowV8Flags: true,
    ...(threads === undefined ? {} : { lanes: threads }),
  }
  const line = transientLine(output)
  try {
    line.tell("measuring the peak")
    const roofline = await measureRoofline(device)
    if (work === undefined) await benchMachine(roofline, device, output, line)
    else {
      const { preset = DEFAULT_PRESET, size = DEFAULT_SIZE } = options
      const measured = await (work === "train"
        ? measureTraining(preset, device, line.tell)
        : measureDecoding(size, device, line.tell))
      await line.clear()
      await tellWork({ work, measured, roofline, kernels: options.profile === true }, output)
    }
    return 0
  } finally {
    await line.clear()
  }
}

type Line = ReturnType<typeof transientLine>

/** What is said of the device that was measured. */
type DeviceFacts = Measured["device"]

async function benchMachine(roofline: Roofline, options: DeviceOptions, output: Output, line: Line): Promise<void> {
  line.tell("measuring products")
  await using device = await openDevice({ ...options, profile: true })
  const products = await measureProducts(device)
  await line.clear()
  const facts = { ...device, choices: { ...device.choices, ...blasChoice(options, device) } }
  await output.event({ ...factsOf(facts, roofline), products })
  await output.say("", ...machineLines(facts, roofline, output), "", ...productLines(products, roofline, output))
  await output.say(
    "",
    `  ${output.colors.dim("Next: kinglet bench train, kinglet bench decode; --profile shows every kernel")}`,
  )
  if (output.quiet) await output.answer(`${(roofline.flopsPerSecond.all / 1e9).toFixed(1)}\n`)
}

/** The library that products may go through, where one may be used. */
const blasChoice = ({ blas }: DeviceOptions, { choices }: Pick<Device, "choices">) => {
  const found = blas === "off" || choices["strict"] ? undefined : platform.findBlas().blas
  return found ? { blas: found.name } : {}
}

const factsOf = ({ lanes, choices, tuning }: DeviceFacts, roofline: Roofline) => ({
  engine: platform.engine,
  cores: platform.cores(),
  lanes,
  choices,
  tuning,
  roofline,
})

/** Machine, engine and choices, then the two peaks. */
function machineLines({ lanes, choices, tuning }: DeviceFacts, roofline: Roofline, output: Output): string[] {
  const { flopsPerSecond, pairedFlopsPerSecond, bytesPerSecond, fma } = roofline
  const both = (rate: (value: number) => string, { one, all }: { one: number; all: number }) =>
    lanes === 1 ? rate(one) : `${rate(one)} a lane, ${output.colors.bold(rate(all))} together`
  const rows = [
    ["machine", `${plural(platform.cores(), "core")}, ${formatBytes(platform.memory().totalBytes)}`],
    ["engine", platform.engine],
    ["lanes", String(lanes)],
    ["tile", String(tuning["tile"])],
    ["BLAS", choices["blas"] === undefined ? "none" : `${choices["blas"]}, for products it is faster at`],
    ["peak", `${both(flopRate, flopsPerSecond)}: 128-bit ${fma ? "multiply-add" : "multiply, then add"}`],
    ...(pairedFlopsPerSecond
      ? [["paired", `${both(flopRate, pairedFlopsPerSecond)}: vectors joined to 256 bits`]]
      : []),
    ["memory", `${both(byteRate, bytesPerSecond)}: read in order`],
  ]
  return table([{ style: output.colors.cyan }, {}], rows, output.width)
}

function productLines(products: readonly ProductRate[], roofline: Roofline, output: Output): string[] {
  const peak = roofline.flopsPerSecond.all
  const rows = products.map(({ side, flopsPerSecond }) => [
    `${side} x ${side} x ${side}`,
    flopRate(flopsPerSecond),
    percent(flopsPerSecond / peak),
  ])
  const columns = [
    { title: "product", style: output.colors.cyan },
    { title: "speed", align: "right" },
    { title: "of peak", align: "right", style: output.colors.bold },
  ] as const
  return [
    ...table(columns, rows, output.width),
    ...beyondPeak(
      products.some((x) => x.flopsPerSecond > peak),
      output,
    ),
  ]
}

interface WorkFacts {
  readonly work: BenchWork
  readonly measured: Measured
  readonly roofline: Roofline
  /** Whether every kernel is shown, instead of groups of them. */
  readonly kernels: boolean
}

async function tellWork({ work, measured, roofline, kernels }: WorkFacts, output: Output): Promise<void> {
  const { device, times, ...facts } = measured
  const peak = { flopsPerSecond: roofline.flopsPerSecond.all, bytesPerSecond: roofline.bytesPerSecond.all }
  const groups = timeByGroup(times, peak)
  const shown = timeByKernel(times, peak)
  const tokensPerSecond = measured.tokens / measured.seconds
  await output.event({
    ...factsOf(device, roofline),
    ...facts,
    tokensPerSecond,
    flopsPerSecond: measured.flops / measured.seconds,
    groups,
    ...(kernels ? { kernels: shown } : {}),
  })
  await output.say(
    "",
    ...machineLines(device, roofline, output),
    "",
    ...(work === "train"
      ? trainingLines(measured, roofline, output)
      : decodingLines(measured, groups, roofline, output)),
    "",
    `  Each kernel timed by itself, ${milliseconds(groups.reduce((sum, { seconds }) => sum + seconds, 0))} ms in all:`,
    "",
    ...(kernels ? shareLines(longestOf(shown, SHOWN_SHARE), "kernel", output) : shareLines(groups, "group", output)),
  )
  if (!kernels) await output.say("", `  ${output.colors.dim("--profile shows every kernel")}`)
  if (output.quiet) await output.answer(`${tokensPerSecond.toPrecision(4)}\n`)
}

function trainingLines(measured: Measured, roofline: Roofline, { colors }: Output): string[] {
  const { work, parameters, tokens, flops, seconds, plannedBytes } = measured
  const peak = roofline.flopsPerSecond.all
  return [
    `  ${colors.bold(work)}: ${formatCount(parameters)} parameters, ${count(tokens)} tokens a step, ${formatBytes(plannedBytes)}`,
    `  ${milliseconds(seconds)} ms a step, ${count(tokens / seconds)} tokens/s`,
    `  ${flopRate(flops / seconds)}, ${colors.bold(percent(flops / seconds / peak))} of the 128-bit peak`,
  ]
}

/** Decoding reads each weight once a token: its products' bytes are what the memory has to give. */
function decodingLines(
  measured: Measured,
  groups: readonly TimeShare[],
  roofline: Roofline,
  { colors }: Output,
): string[] {
  const { parameters, seconds, plannedBytes } = measured
  const bytes = groups.find(({ name }) => name === "products")?.bytes ?? 0
  const peak = roofline.bytesPerSecond.all
  return [
    `  ${colors.bold("one token")}: ${formatCount(parameters)} parameters, ${formatBytes(plannedBytes)}`,
    `  ${milliseconds(seconds)} ms a token, ${count(1 / seconds)} tokens/s`,
    `  ${byteRate(bytes / seconds)} of weights, ${colors.bold(percent(bytes / seconds / peak))} of what the memory gives`,
  ]
}
