// A few lines at the bottom of the terminal that are redrawn in place, while other lines scroll above them.
import { platform, type Terminal } from "#platform"
import { fit, widthOf } from "./text.ts"

export interface Screen {
  /** Shows `lines` instead of those shown before. */
  draw(lines: readonly string[]): void
  /** Prints `lines` above, for good. */
  scroll(lines: readonly string[]): void
  /** Takes the redrawn lines away and gives the cursor back. */
  close(): Promise<void>
}

const HIDE_CURSOR = "\x1b[?25l"
const SHOW_CURSOR = "\x1b[?25h"
const CLEAR_BELOW = "\x1b[0J"
/** The terminal shows what lies between at once, where it knows how. Contour's synchronized output, mode 2026. */
const [BEGIN, END] = ["\x1b[?2026h", "\x1b[?2026l"]

/** At most ten redraws a second; one that is due too early is left out, the next one comes. */
const LEAST_MS = 100

export function createScreen({ stdout }: Terminal): Screen {
  let shown: string[] = []
  let drawnAtMs = -Infinity
  let last = Promise.resolve()
  const write = (text: string): void => {
    last = stdout.write(text)
  }
  /** To the start of the first line shown, even if the window has become narrower since. */
  const back = (): string => {
    const rows = shown.reduce((sum, line) => sum + Math.max(1, Math.ceil(widthOf(line) / stdout.columns)), 0)
    return `${rows > 1 ? `\x1b[${rows - 1}A` : ""}\r${CLEAR_BELOW}`
  }
  const show = (above: readonly string[], lines: readonly string[]): void => {
    const fitting = lines.map((line) => fit(line, stdout.columns - 1))
    const scrolled = above.map((line) => `${line}\n`).join("")
    write(`${BEGIN}${HIDE_CURSOR}${back()}${scrolled}${fitting.join("\n")}${END}`)
    shown = fitting
  }
  return {
    draw(lines) {
      const now = platform.now()
      if (now - drawnAtMs < LEAST_MS) return
      drawnAtMs = now
      show([], lines)
    },
    scroll: (lines) => show(lines, shown),
    async close() {
      write(`${back()}${SHOW_CURSOR}`)
      shown = []
      await last
    },
  }
}
