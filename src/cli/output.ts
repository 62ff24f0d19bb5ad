// Where words go: results to stdout, notes to stderr, events as JSON lines. `--json` and `--quiet` are decided here, once.
import pico from "picocolors"
import type { Terminal } from "#platform"
import { platform } from "#platform"

export type Colors = ReturnType<typeof pico.createColors>

export interface OutputOptions {
  readonly json?: boolean | undefined
  readonly quiet?: boolean | undefined
}

export interface Output {
  readonly terminal: Terminal
  readonly json: boolean
  readonly quiet: boolean
  readonly colors: Colors
  /** Cells a line may take. */
  readonly width: number
  /** The screen is a person's: it can be redrawn. */
  readonly isLive: boolean
  /** For people, on stdout: nothing under --json and --quiet. */
  say(...lines: readonly string[]): Promise<void>
  /** What was asked for, on stdout: also under --quiet, not under --json. */
  answer(text: string): Promise<void>
  /** One JSON value a line on stdout, under --json only. */
  event(value: object): Promise<void>
  /** Remarks, on stderr: not under --quiet. */
  note(text: string): Promise<void>
}

/** Narrower than this nothing is laid out; wider lines are hard to read. */
const LEAST_WIDTH = 40
const GREATEST_WIDTH = 200

/** Colors where the stream is a terminal, unless NO_COLOR is set (no-color.org) or FORCE_COLOR asks for them. */
export function colorsFor(isTTY: boolean): Colors {
  const has = (name: string) => (platform.environment(name) ?? "") !== ""
  return pico.createColors(!has("NO_COLOR") && platform.environment("TERM") !== "dumb" && (isTTY || has("FORCE_COLOR")))
}

export function createOutput(terminal: Terminal, { json = false, quiet = false }: OutputOptions): Output {
  const { stdout, stderr } = terminal
  return {
    terminal,
    json,
    quiet,
    colors: colorsFor(stdout.isTTY),
    isLive: stdout.isTTY && !json && !quiet && platform.environment("TERM") !== "dumb",
    get width() {
      return Math.max(LEAST_WIDTH, Math.min(GREATEST_WIDTH, stdout.columns))
    },
    say: async (...lines) => {
      if (!json && !quiet) await stdout.write(lines.map((line) => `${line}\n`).join(""))
    },
    answer: async (text) => {
      if (!json) await stdout.write(text)
    },
    event: async (value) => {
      if (json) await stdout.write(`${JSON.stringify(value)}\n`)
    },
    note: async (text) => {
      if (!quiet) await stderr.write(`${text}\n`)
    },
  }
}
