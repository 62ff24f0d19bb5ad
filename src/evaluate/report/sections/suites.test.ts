import { expect, it } from "vitest"
import type { SuiteFacts } from "../facts.ts"
import { reportHtml } from "../report-html.ts"

const pageOf = (suite: Partial<SuiteFacts>) => {
  const suites = [{ name: "s", accuracy: 0.2, phenomena: [{ name: "p", accuracy: 0.2 }], ...suite }]
  return reportHtml({ version: 1, title: "t", runs: [{ name: "r", suites }] })
}

it("guessing is spoken of and drawn exactly if the suite can be guessed", async () => {
  const [cloze, pairs] = [await pageOf({}), await pageOf({ chance: 0.25 })]
  expect(cloze).not.toContain("Guessing")
  expect(cloze).not.toContain('stroke-dasharray="4 3"')
  expect(pairs).toContain("Guessing reaches 25.0 % (the dashed line).")
  expect(pairs).toContain('stroke-dasharray="4 3"')
})

it("baselines stand beside the model, the best first, with their notes and the sentence that one wins", async () => {
  const baselines = [
    { name: "unigram", accuracy: 0.1 },
    { name: "Kneser-Ney", accuracy: 0.3, note: "of order 5" },
  ]
  const page = await pageOf({ baselines, verdict: "Counting wins" })
  const rows = [
    ...page.matchAll(/<th scope="row">(\S+) <small>counts the training text<\/small><\/th><td[^>]*>([^<]+)/g),
  ]
  expect(rows.map(([, name, accuracy]) => [name, accuracy])).toEqual([
    ["Kneser-Ney", "30.0 %"],
    ["unigram", "10.0 %"],
  ])
  expect(page).toContain("<li>Counting wins</li>")
  expect(page).toContain("<li>Kneser-Ney: of order 5</li>")
})
