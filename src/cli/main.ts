// The command line's entrance: arguments in, exit code out. Commands are loaded when they are called, so that help is quick.
import { CommanderError } from "@commander-js/extra-typings"
import { platform, type Terminal } from "#platform"
import { InvariantError, KingletError } from "../core/index.ts"
import { colorsFor } from "./output.ts"
import { createProgram } from "./program.ts"

/** 0 done, 1 something the caller can fix, 2 wrong usage, 130 interrupted (128 + SIGINT). */
export type ExitCode = number

const USAGE = 2
const FIXABLE = 1

/**
 * Runs one command.
 *
 * @param argv      arguments without engine and script
 * @param terminal  the platform's own if not given
 * @returns         the exit code; nothing is thrown, and the process is left running
 */
export async function main(
  argv: readonly string[],
  terminal: Terminal | undefined = platform.terminal,
): Promise<ExitCode> {
  if (terminal === undefined) throw new InvariantError("the command line was started where there is no terminal")
  const ending = { code: 0 }
  const program = createProgram(terminal, (code) => (ending.code = code))
  try {
    if (argv.length === 0) program.outputHelp()
    else await program.parseAsync([...argv], { from: "user" })
    return ending.code
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : USAGE
    await report(error, terminal)
    return FIXABLE
  }
}

/** What the caller can fix in two lines; our own mistakes with their stack. */
async function report(error: unknown, { stderr }: Terminal): Promise<void> {
  const { red, dim } = colorsFor(stderr.isTTY)
  if (error instanceof KingletError) {
    const hint = error.hint === undefined ? "" : `${dim(`  hint: ${error.hint}`)}\n`
    return stderr.write(`${red("error:")} ${error.message}\n${hint}`)
  }
  await stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`)
}
