// kinglet bench: this machine's peak in matrix products. The works with published numbers live in a clone's bench/.

import { platform } from "#platform"
import { openDevice } from "../../backends/index.ts"
import { flopRate, plural } from "../numbers.ts"
import type { Output } from "../output.ts"
import { measurePeak } from "../peak.ts"

const SECONDS = 2

export interface BenchOptions {
  readonly threads?: number | undefined
  readonly blas: "auto" | "off"
  readonly device: "wasm" | "reference"
}

export async function benchCommand(
  work: string | undefined,
  { threads, blas, device: kind }: BenchOptions,
  output: Output,
): Promise<number> {
  if (work !== undefined) return sayWhere(work, output)
  await using device = await openDevice({
    kind,
    blas,
    allowV8Flags: true,
    ...(threads === undefined ? {} : { lanes: threads }),
  })
  const flopsPerSecond = await measurePeak(device, SECONDS)
  const { lanes, choices } = device
  await output.event({ device: kind, lanes, choices, engine: platform.engine, flopsPerSecond })
  await output.say(
    `  ${output.colors.bold(flopRate(flopsPerSecond))} in matrix products with ${plural(lanes, "lane")} (${flopRate(flopsPerSecond / lanes)} each), ${platform.engine}`,
    "",
    `  Works with published numbers run in a clone: npm run bench -- nanogpt-cpu`,
  )
  if (output.quiet) await output.answer(`${(flopsPerSecond / 1e9).toFixed(1)}\n`)
  return 0
}

async function sayWhere(work: string, output: Output): Promise<number> {
  const command = `npm run bench -- ${work}`
  await output.event({ work, command })
  await output.answer(`Benchmarks with published numbers run in a clone of Kinglet: ${command}\n`)
  return 0
}
