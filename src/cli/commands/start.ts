// kinglet start: the first two minutes with Kinglet, on text that is already here or on the paths given.
import { formatDuration } from "../../core/index.ts"
import type { DataSource } from "../../data/index.ts"
import { defaultText } from "../default-text.ts"
import type { Output } from "../output.ts"
import { wrap } from "../text.ts"
import { trainCommand } from "./train.ts"

export interface StartOptions {
  readonly budget: number
  readonly threads?: number | undefined
  readonly blas: "auto" | "off"
}

export async function start(
  paths: readonly string[],
  { budget, threads, blas }: StartOptions,
  output: Output,
): Promise<number> {
  const source: DataSource | undefined =
    paths.length === 0 ? await defaultText(output.terminal.packageFolder) : undefined
  const what = source ? "the documentation inside the tools of this package" : paths.join(", ")
  const lines = wrap(
    `Kinglet trains a small language model on ${what}: about ${formatDuration(budget)} in all.`,
    output.width - 2,
  )
  await output.say(...lines.map((line) => `  ${output.colors.bold(line)}`), "")
  const options = { budget, threads, blas, seed: 1, device: "wasm", baselines: true } as const
  return trainCommand(source ? "inline" : paths, options, output, source)
}
