import { DOMParser, type Element, XMLSerializer } from "@xmldom/xmldom"
import { describe, expect, it } from "vitest"
import {
  comparedFacts,
  emptyFacts,
  HOSTILE,
  oddFacts,
  seededFacts,
  singleFacts,
} from "../../../test/support/report-facts.ts"
import { ConfigError } from "../../core/index.ts"
import type { ReportFacts, RunFacts } from "./facts.ts"
import { printable } from "./html.ts"
import { reportHtml } from "./report-html.ts"

const cases: readonly [string, ReportFacts][] = [
  ["three seeds", seededFacts()],
  ["two recipes", comparedFacts()],
  ["nothing", emptyFacts],
  ["one point", singleFacts()],
  ["odd values", oddFacts()],
]

/** Drawings of a page, parsed as XML: a mistake in them throws. */
function drawings(page: string): Element[] {
  const found = page.match(/<svg [^]*?<\/svg>/g) ?? []
  const onError = (level: string, message: string) => {
    if (level !== "warning") throw new Error(message)
  }
  const svg = 'xmlns="http://www.w3.org/2000/svg"'
  const declared = found.map((text) => (text.includes("xmlns=") ? text : text.replace("<svg ", `<svg ${svg} `)))
  return declared.map((text) => new DOMParser({ onError }).parseFromString(text, "image/svg+xml").documentElement!)
}

const charts = (page: string): Element[] => drawings(page).filter((svg) => svg.getAttribute("role") === "img")

const markupOf = (svg: Element): string => new XMLSerializer().serializeToString(svg)

const runWith = (run: Partial<RunFacts>): ReportFacts => ({ version: 1, title: "t", runs: [{ name: "r", ...run }] })

describe.each(cases)("a report of %s", (_, facts) => {
  it("is self-contained: no script, no request, no address but its own anchors", async () => {
    const page = await reportHtml(facts)
    const tags = [...page.matchAll(/<[a-z][^<>]*>/gi)].map(([tag]) => tag.replace(/"[^"]*"/g, ""))
    expect(tags.filter((tag) => /^<(script|img|link|iframe|object|embed|base|form)\b/i.test(tag))).toEqual([])
    expect(tags.filter((tag) => /\s(src|srcset|xlink:href|on[a-z]+)=/i.test(tag))).toEqual([])
    expect(/@import|url\(/.exec(page)).toBeNull()
    const links = [...page.matchAll(/\shref="([^"]*)"/g)].map(([, target]) => target!)
    expect(links.filter((target) => !target.startsWith("#"))).toEqual([])
    expect(links.filter((target) => !page.includes(` id="${target.slice(1)}"`))).toEqual([])
  })

  it("has the same bytes each time", async () => {
    expect((await reportHtml(structuredClone(facts))) === (await reportHtml(facts))).toBe(true)
  })

  it("draws well-formed charts without a coordinate that is no number, each for wide and narrow, with a label and a table", async () => {
    const page = await reportHtml(facts)
    const all = charts(page)
    for (const svg of all) {
      expect(svg.getAttribute("aria-label")).toMatch(/\w{3}/)
      expect(/NaN|Infinity|undefined|⚠/.exec(markupOf(svg))).toBeNull()
    }
    const classes = all.map((svg) => svg.getAttribute("class"))
    expect(classes.filter((name) => name === "chart wide").length).toBe(all.length / 2)
    expect(page.match(/<details class="numbers"><summary>The numbers/g)?.length ?? 0).toBe(all.length / 2)
  })

  it("uses no color but variables of its style, so that both themes come from one drawing", async () => {
    const colors = charts(await reportHtml(facts)).flatMap((svg) =>
      [...markupOf(svg).matchAll(/\s(?:fill|stroke)="([^"]+)"/g)].map(([, color]) => color!),
    )
    expect(colors.filter((color) => !/^(none|currentColor|var\(--[a-z0-9-]+\))$/.test(color))).toEqual([])
  })

  it("closes every element it opens", async () => {
    const page = await reportHtml(facts)
    for (const name of [
      "main",
      "section",
      "figure",
      "details",
      "table",
      "tr",
      "td",
      "th",
      "dl",
      "ul",
      "li",
      "p",
      "svg",
    ])
      expect([name, page.match(new RegExp(`<${name}[ >]`, "g"))?.length]).toEqual([
        name,
        page.match(new RegExp(`</${name}>`, "g"))?.length,
      ])
  })
})

it("markup in any name, note, prompt or sample is text on the page", async () => {
  const page = await reportHtml(oddFacts())
  const escaped = printable(HOSTILE)
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replaceAll("'", "&#39;")
  expect(page.includes(`<title>${escaped}</title>`)).toBe(true)
  expect(page.split(escaped).length).toBeGreaterThan(20)
  expect(/<(script|img)/.exec(page)).toBeNull()
  expect(page.match(/<\/style>/g)).toHaveLength(1)
})

describe("the sentence of the headline", () => {
  const sentence = async (facts: ReportFacts) => /<p class="verdict">(.*?)<\/p>/.exec(await reportHtml(facts))![1]
  const result = { text: "t", bitsPerByte: 2, interval: undefined }
  const measured = (...bits: number[]) => {
    const baselines = bits.map((bitsPerByte, index) => ({ name: `b${index}`, bitsPerByte }))
    return sentence(runWith({ result: { text: result.text, bitsPerByte: result.bitsPerByte, baselines } }))
  }

  it("says that a baseline wins, and which", async () => {
    expect(await measured(3, 1.5)).toBe(
      "r needs 2.000 bits per byte on t. A baseline wins: b1 needs 1.500, 0.500 less.",
    )
  })

  it("says that none does, and how far the best one is", async () => {
    expect(await measured(3, Number.NaN, 2.5)).toContain("No baseline reaches that: the best one, b2, needs 2.500")
  })

  it("is the given one where one is given", async () => {
    expect(await sentence({ ...emptyFacts, verdict: "Enough <said>." })).toBe("Enough &lt;said&gt;.")
  })
})

it("what is absent is said in one line each, with the command where one can measure it", async () => {
  const page = await reportHtml(emptyFacts)
  expect(page.match(/not measured: run <code>kinglet/g)).toHaveLength(6)
  expect(page.match(/not known: no run tells/g)).toHaveLength(4)
  expect(page).toContain("<code>kinglet evaluate RUN --suite blimp</code>")
  const full = await reportHtml(comparedFacts())
  expect(/not measured|not known/.exec(full)).toBeNull()
})

it("three seeds are one line with a band, three recipes three lines without", async () => {
  const areas = async (facts: ReportFacts) => {
    const [loss] = charts(await reportHtml(facts))
    const labels = [...loss!.getElementsByTagName("g")].map((g) => g.getAttribute("aria-label"))
    return ["area", "line"].map((kind) => labels.filter((label) => label === kind).length)
  }
  const facts = seededFacts()
  expect(await areas(facts)).toEqual([1, 4]) // the median, and the held-out loss of each run
  expect(await areas({ ...facts, runs: facts.runs.map((run) => ({ ...run, group: run.name })) })).toEqual([0, 6])
})

it("a run is on the Pareto front exactly if none is smaller or as small, and better or as good", async () => {
  const runs = [
    ["small", 1e5, 3],
    ["large", 1e6, 2],
    ["worse", 1e6, 2.5],
    ["larger, worse", 2e6, 2.2],
    ["as large and good", 1e6, 2],
  ].map(([name, parameters, bitsPerByte]) => ({ name, parameters, result: { text: "t", bitsPerByte } }) as RunFacts)
  const page = await reportHtml({ version: 1, title: "t", runs })
  const rows = [...page.matchAll(/<tr><th scope="row">([^<]*)<\/th>(?:(?!<\/tr>).)*on the front"[^>]*>([^<]*)</g)]
  const front = rows.filter(([, , isFront]) => isFront === "yes").map(([, name]) => name)
  expect([rows.length, front.toSorted()]).toEqual([5, ["as large and good", "large", "small"]])
})

it("facts of another version are refused in one sentence", async () => {
  const facts = { ...emptyFacts, version: 2 } as unknown as ReportFacts
  await expect(reportHtml(facts)).rejects.toThrow(ConfigError)
  await expect(reportHtml(facts)).rejects.toThrow("made from facts of version 1, got version 2")
})
