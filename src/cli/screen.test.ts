import { describe, expect, it } from "vitest"
import { fakeTerminal } from "../../test/support/cli.ts"
import { createScreen } from "./screen.ts"

/** What a terminal of `columns` shows after `text`: cursor up, start of line, clear below, line feed. */
function shown(text: string, columns: number): string[] {
  const lines = [""]
  let [row, column] = [0, 0]
  for (const [part, up] of text.matchAll(/\x1b\[(?:(\d+)A|[?\d]*[A-Za-z])|[\s\S]/g)) {
    if (up !== undefined) row = Math.max(0, row - Number(up))
    else if (part === "\x1b[0J") lines.splice(row + 1), (lines[row] = lines[row]!.slice(0, column))
    else if (part === "\r") column = 0
    else if (part === "\n") (row += 1), (column = 0), (lines[row] ??= "")
    else if (!part.startsWith("\x1b")) {
      if (column === columns) (row += 1), (column = 0), (lines[row] ??= "")
      lines[row] = lines[row]!.slice(0, column) + part + lines[row]!.slice(column + 1)
      column += 1
    }
  }
  return lines
}

describe("the redrawn lines", () => {
  it("scrolled lines stay above, redrawn ones are there once, and nothing is left after the end", async () => {
    const terminal = fakeTerminal({ isTTY: true, columns: 30 })
    const screen = createScreen(terminal)
    screen.draw(["step 1", "loss 3"])
    screen.scroll(["held out 2.5"])
    screen.scroll(["sample", "the wren"])
    expect(shown(terminal.written.stdout, 30)).toEqual(["held out 2.5", "sample", "the wren", "step 1", "loss 3"])
    await screen.close()
    expect(shown(terminal.written.stdout, 30)).toEqual(["held out 2.5", "sample", "the wren", ""])
    expect(terminal.written.stdout.endsWith("\x1b[?25h")).toBe(true)
  })

  it("no drawn line reaches the edge, where it would wrap", () => {
    const terminal = fakeTerminal({ isTTY: true, columns: 10 })
    createScreen(terminal).draw(["a line that is much too long"])
    expect(shown(terminal.written.stdout, 10)).toEqual(["a line t…"])
  })

  it("draws at most ten times a second", () => {
    const terminal = fakeTerminal({ isTTY: true })
    const screen = createScreen(terminal)
    for (let count = 0; count < 50; count++) screen.draw([`step ${count}`])
    expect(terminal.written.stdout.match(/step/g)!.length).toBeLessThan(3)
  })
})
