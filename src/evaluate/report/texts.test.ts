import { expect, it } from "vitest"
import type { ReportFacts, RunFacts } from "./facts.ts"
import { reportHtml } from "./report-html.ts"
import { textsOf } from "./texts.ts"

const runOf = (name: string, bitsPerByte: number, sha256?: string): RunFacts => ({
  name,
  group: "two seeds",
  parameters: 1000,
  result: { text: "held out", bitsPerByte, ...(sha256 === undefined ? {} : { sha256 }) },
})
const page = (...runs: RunFacts[]) => reportHtml({ version: 1, title: "t", runs } satisfies ReportFacts)
const apart = [runOf("a", 2.5, "1234567890ab"), runOf("b", 2.25, "abcdef012345")]

it("texts of one name are one exactly if their hashes are, and else are named by their first 8 digits", () => {
  expect(textsOf(apart).map(({ name }) => name)).toEqual(["held out (12345678)", "held out (abcdef01)"])
  expect(textsOf([runOf("a", 2, "12"), runOf("b", 3, "12")]).map(({ name }) => name)).toEqual(["held out"])
  expect(textsOf([runOf("a", 2), runOf("b", 3)]).map(({ name }) => name)).toEqual(["held out"])
})

it("runs on different texts of one name are not ranked, drawn on one front or averaged, and a note says why", async () => {
  const html = await page(...apart)
  expect(html).not.toContain("the best of")
  expect(html).toContain("measured on 2 different texts, whose bits per byte do not compare. a needs 2.500")
  expect(html).toContain("The seeds of two seeds were measured on different texts")
  expect(html).toContain("it takes two runs on the same text")
  expect(html).not.toContain("2.375")
})

it("runs on the same text are ranked", async () => {
  const html = await page(runOf("a", 2.5, "12"), runOf("b", 2.25, "12"))
  expect(html).toContain("b, the best of 2 runs, needs 2.250 bits per byte on held out.")
  expect(html).not.toContain("different texts")
})
