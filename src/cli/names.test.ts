import { describe, expect, it } from "vitest"
import { unescaped } from "./commands/generate.ts"
import { documentation } from "./default-text.ts"
import { compact, percent, plural } from "./numbers.ts"
import { folderName } from "./run-folders.ts"

describe("names and words", () => {
  it("a run's folder is a name that every file system takes", () => {
    expect(folderName("stories")).toBe("stories")
    expect(folderName("My Book: Part 1?")).toBe("My-Book-Part-1")
    expect(folderName("../..")).toBe("text")
    expect(folderName("größe")).toBe("größe")
    expect(folderName("x".repeat(300))).toHaveLength(64)
  })

  it("numbers are short, and long enough", () => {
    expect([compact(0.02), compact(1234.5678), compact(92370), compact(1e-8), compact(3)]).toEqual([
      "0.02",
      "1235",
      "92,370",
      "1e-8",
      "3",
    ])
    expect([percent(0.5), percent(0.043)]).toEqual(["50 %", "4.3 %"])
    expect([plural(1, "lane"), plural(2, "lane")]).toEqual(["1 lane", "2 lanes"])
  })

  it("\\n and \\t on the command line are what they say", () => {
    expect(unescaped("a\\nb\\tc\\\\n")).toBe("a\nb\tc\\n")
  })

  it("the documentation of declarations is their comments without stars", () => {
    const source =
      "/**\n * Reads a file.\n *\n * ```js\n * read()\n * ```\n */\nexport function read(): void\n/* not this */\n/** Writes. */\nwrite(): void"
    expect(documentation(source)).toBe("Reads a file.\n\n```js\nread()\n```\n\nWrites.")
  })
})
