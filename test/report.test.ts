// The report in real Chromium, on a phone, a laptop and a large screen, light and dark: nothing is cut, all can be read, and
// the page asks for nothing.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { pathToFileURL } from "node:url"
import { type Browser, type Page } from "playwright-core"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { reportHtml } from "../src/evaluate/index.ts"
import { hasChromium, launchChromium } from "./support/chromium.ts"
import { comparedFacts, emptyFacts, oddFacts, seededFacts, singleFacts } from "./support/report-facts.ts"

const cases = {
  "three seeds": seededFacts(),
  "two recipes": comparedFacts(),
  nothing: emptyFacts,
  "one point": singleFacts(),
  "odd values": oddFacts(),
}
const widths = [380, 900, 1600]
const schemes = ["light", "dark"] as const

const folder = mkdtempSync(join(tmpdir(), "kinglet-report-"))
const pathOf = (name: string): string => join(folder, `${name.replaceAll(" ", "-")}.html`)

describe.skipIf(!hasChromium())("in Chromium,", () => {
  let browser: Browser

  beforeAll(async () => {
    browser = await launchChromium()
    for (const [name, facts] of Object.entries(cases)) writeFileSync(pathOf(name), await reportHtml(facts))
  })
  afterAll(async () => {
    await browser.close()
    rmSync(folder, { recursive: true })
  })

  /** Shows a report with everything opened and runs `look` on it. */
  async function show<T>(name: string, width: number, colorScheme: "light" | "dark", look: (page: Page) => Promise<T>) {
    const page = await browser.newPage({ viewport: { width, height: 900 }, colorScheme })
    const said: string[] = []
    page.on("console", (message) => said.push(message.text()))
    page.on("pageerror", (error) => said.push(error.message))
    page.on("request", (request) => said.push(request.url()))
    await page.goto(pathToFileURL(pathOf(name)).href)
    const openAll = "for (const each of document.querySelectorAll('details')) each.open = true"
    await page.evaluate(openAll)
    const found = await look(page)
    await page.close()
    return { found, said: said.filter((line) => line !== pathToFileURL(pathOf(name)).href) }
  }

  describe.each(Object.keys(cases))("a report of %s", (name) => {
    it.each(widths)(
      "is as wide as a screen of %i pixels, asks for nothing and complains about nothing",
      async (width) => {
        const look = (page: Page) => page.evaluate<number>("document.documentElement.scrollWidth - innerWidth")
        expect(await show(name, width, "light", look)).toEqual({ found: 0, said: [] })
      },
    )

    it("shows one drawing of each chart, at 380 and at 900 pixels, with letters of at least 10 pixels", async () => {
      for (const width of [380, 720, 900]) {
        const { found } = await show(name, width, "light", (page) => page.evaluate<Drawings>(drawingsShown))
        expect(found.shown).toBe(found.all / 2)
        expect(found.smallestLetters).toBeGreaterThanOrEqual(10)
      }
    })

    it.each(schemes)("has a contrast of at least 4.5 between text and page, %s", async (scheme) => {
      const { found } = await show(name, 900, scheme, (page) => page.evaluate<string[]>(faintTexts))
      expect(found).toEqual([])
    })
  })

  it.each(schemes)("lines, bars and symbols stand out from the page by at least 3 to 1, %s", async (scheme) => {
    const { found } = await show("odd values", 900, scheme, (page) => page.evaluate<string[]>(faintMarks))
    expect(found).toEqual([])
  })

  it("prints light, and every chart on one page", async () => {
    const page = await browser.newPage({ colorScheme: "dark" })
    await page.goto(pathToFileURL(pathOf("two recipes")).href)
    await page.emulateMedia({ media: "print", colorScheme: "dark" })
    expect(await page.evaluate("getComputedStyle(document.body).backgroundColor")).toBe("rgb(255, 255, 255)")
    const breaks = "[...document.querySelectorAll('.drawing')].map((each) => getComputedStyle(each).breakInside)"
    expect(new Set(await page.evaluate<string[]>(breaks))).toEqual(new Set(["avoid"]))
    await page.close()
  })
})

interface Drawings {
  readonly all: number
  readonly shown: number
  readonly smallestLetters: number
}

/** How many drawings there are and can be seen, and the size of their smallest letters on the screen. */
const drawingsShown = `(() => {
  const all = [...document.querySelectorAll("svg.chart")]
  const shown = all.filter((svg) => svg.getBoundingClientRect().width > 0)
  const sizes = shown.map((svg) => 12 * svg.getBoundingClientRect().width / svg.viewBox.baseVal.width)
  return { all: all.length, shown: shown.length, smallestLetters: Math.min(99, ...sizes) }
})()`

/** Relative luminance and contrast as WCAG 2 defines them; backgrounds are opaque or absent. */
const contrast = `
const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true })
const rgb = (color) => {
  canvas.clearRect(0, 0, 1, 1)
  canvas.fillStyle = color
  canvas.fillRect(0, 0, 1, 1)
  return [...canvas.getImageData(0, 0, 1, 1).data]
}
const linear = (value) => (value <= 0.04045 * 255 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4)
const luminance = ([r, g, b]) => 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b)
const background = (element) => {
  for (let each = element; each; each = each.parentElement) {
    const color = rgb(getComputedStyle(each).backgroundColor)
    if (color[3] === 255) return color
  }
  return [255, 255, 255, 255]
}
const contrast = (color, element) => {
  const [light, dark] = [luminance(rgb(color)), luminance(background(element))].sort((a, b) => b - a)
  return (light + 0.05) / (dark + 0.05)
}`

const faintTexts = `(() => {
  ${contrast}
  const found = new Set()
  for (const element of document.querySelectorAll("body *")) {
    if (![...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim() !== "")) continue
    const style = getComputedStyle(element)
    const color = element instanceof SVGElement ? style.fill : style.color
    const ratio = contrast(color, element)
    if (ratio < 4.5) found.add([element.localName, element.className, color, ratio.toFixed(2)].join(" "))
  }
  return [...found]
})()`

const faintMarks = `(() => {
  ${contrast}
  const names = ["--accent", "--warn", "--quiet", ...[1, 2, 3, 4, 5, 6].map((number) => "--series-" + number)]
  const style = getComputedStyle(document.documentElement)
  return names.filter((name) => !(contrast(style.getPropertyValue(name).trim(), document.body) >= 3))
})()`
