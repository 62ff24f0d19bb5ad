// Options that several commands share, and how their values are read; and what every command is handed.
import { type Command, InvalidArgumentError, Option } from "@commander-js/extra-typings"
import { KingletError, parseCount, parseDuration } from "../core/index.ts"
import type { Output, OutputOptions } from "./output.ts"

/** Told the exit code by a command that ends otherwise than well. */
export type Finish = (code: number) => void

/** What a command is added to. */
export interface Door {
  readonly program: Command
  readonly finish: Finish
  output(options: OutputOptions): Output
}

// Values of options

/** A parser of core as one of commander: what does not fit is wrong usage. */
function checked<T>(parse: (text: string) => T): (text: string) => T {
  return (text) => {
    try {
      return parse(text)
    } catch (error) {
      throw error instanceof KingletError ? new InvalidArgumentError(error.message) : error
    }
  }
}

export const duration = checked((text) => parseDuration(text, "a budget"))
export const size = checked((text) => parseCount(text, "a size"))

export const whole =
  (least: number) =>
  (text: string): number => {
    const value = Number(text)
    if (!(Number.isSafeInteger(value) && value >= least))
      throw new InvalidArgumentError(`Expected a whole number from ${least}.`)
    return value
  }

export const between =
  (least: number, greatest: number) =>
  (text: string): number => {
    const value = text.trim() === "" ? Number.NaN : Number(text)
    if (!(value >= least && value <= greatest))
      throw new InvalidArgumentError(
        greatest === Infinity ? `Expected a number from ${least}.` : `Expected a number from ${least} to ${greatest}.`,
      )
    return value
  }

export function setting(
  text: string,
  before: readonly (readonly [string, string])[] | undefined,
): (readonly [string, string])[] {
  const at = text.indexOf("=")
  if (at < 1) throw new InvalidArgumentError("Expected key=value, such as optimizer.learningRate=0.01.")
  return [...(before ?? []), [text.slice(0, at), text.slice(at + 1)]]
}

export const collect = (text: string, before: readonly string[] | undefined): string[] => [...(before ?? []), text]

// Options that commands share

export const jsonOption = (what: string) => new Option("--json", what)
export const quietOption = () => new Option("-q, --quiet", "only what was asked for, no remarks")
export const seedOption = () => new Option("--seed <number>", "same seed, same result").argParser(whole(0))
export const threadsOption = () =>
  new Option("--threads <number>", "lanes that share the work (default: every core)").argParser(whole(1))
export const blasOption = () =>
  new Option("--blas <how>", "matrix products through the system's BLAS where it is faster, or never")
    .choices(["auto", "off"] as const)
    .default("auto" as const)
export const deviceOption = () =>
  new Option("--device <kind>", "where to compute").choices(["wasm", "reference"] as const).default("wasm" as const)
export const weightsOption = () =>
  new Option("--weights <format>", "how weights are stored: f16 takes half the memory and rounds to 11 bits")
    .choices(["f32", "f16"] as const)
    .default("f32" as const)
export const checkpointOption = () =>
  new Option("--checkpoint <which>", "lowest held-out loss, or the newest")
    .choices(["best", "last"] as const)
    .default("best" as const)
