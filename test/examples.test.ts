// The examples, run as their first lines say: by Node in this folder, on the built package; each ends by itself.
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { beforeAll, describe, expect, it } from "vitest"
import { node, root, run, runWell } from "./support/package.ts"

const folder = join(root, "examples")
const names = readdirSync(folder).filter((name) => name.endsWith(".js"))

beforeAll(() => runWell(node, [join(root, "scripts", "build.mjs"), "--if-stale"], root), 300_000)

/** What the example prints; it must end well and say nothing else. */
async function outputOf(name: string): Promise<string> {
  const { status, stdout, stderr } = await run(node, [join("examples", name)], root, 60_000)
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" })
  return stdout
}

/** All numbers that `pattern` captures, in order. */
const numbers = (output: string, pattern: RegExp): number[] =>
  [...output.matchAll(pattern)].map((match) => Number(match[1]))

const first = (values: readonly number[]): number => values[0]!
const last = (values: readonly number[]): number => values.at(-1)!

/** What each example promises; an example without a row fails. */
const promises: { readonly [name: string]: (output: string) => void } = {
  "train.js": (output) => {
    const losses = numbers(output, /step \d+: ([\d.]+) nats/g)
    expect(losses).toHaveLength(6)
    expect(last(losses)).toBeLessThan(first(losses) / 4)
    expect(first(numbers(output, /held-out text: ([\d.]+) bits per byte/g))).toBeLessThan(1)
    expect(output.trimEnd().split("\n").at(-1)).toMatch(/^The kinglet [a-z ]+\.$/)
  },
  "stream-and-abort.js": (output) => {
    expect(output).toContain("1 2 3 4 5 6 7 8 9 0 1 2 3 4\n[aborted after 20 tokens]\n")
    expect(output).toContain(" 5 6 7 \n[stop]\n")
  },
  "custom-schedule.js": (output) => {
    const bars = [...output.matchAll(/rate (#+)$/gm)].map((match) => match[1]!.length)
    expect(bars).toEqual([20, 16, 7, 20, 16, 7, 20, 16, 7])
    const bits = numbers(output, /held out: ([\d.]+) bits per byte/g)
    expect(bits).toHaveLength(3)
    expect(last(bits)).toBeLessThan(first(bits))
    expect(output).toMatch(/^sample: "On day 7 /m)
    expect(output).toContain("finished after step 90")
  },
  "gated-convolution.js": (output) => {
    expect(first(numbers(output, /central differences: ([\d.e+-]+)/g))).toBeLessThan(1e-4)
    const losses = numbers(output, /step \d+: ([\d.]+) nats/g)
    expect(losses).toHaveLength(6)
    expect(last(losses)).toBeLessThan(first(losses) / 2)
  },
  "judge.js": (output) => {
    const [short, long] = numbers(output, /steps: ([\d.]+) bits per byte, [\d.]+ to [\d.]+$/gm)
    expect(long).toBeLessThan(short!)
    expect(first(numbers(output, /Kneser-Ney over bytes: ([\d.]+)/g))).toBeLessThan(short!)
    expect(first(numbers(output, /word order: (\d+) % of 6 pairs/g))).toBeGreaterThan(50)
    expect(first(numbers(output, /bits per byte, p = ([\d.e-]+)/g))).toBeLessThan(0.05)
  },
  "label-smoothing.js": (output) => {
    const heldOut = numbers(output, /held out ([\d.]+) nats/g)
    expect(heldOut).toHaveLength(3)
    expect(Math.max(...heldOut)).toBeLessThan(1)
    const [plain, smoothed, focal] = numbers(output, /training loss ([\d.]+)/g)
    expect(smoothed).toBeGreaterThan(plain!)
    expect(focal).toBeLessThan(plain!)
  },
}

describe.each(names)("examples/%s", (name) => {
  it("ends by itself and does what it shows", async () => {
    const check = promises[name]
    expect(check, "this example has no row in the test").toBeDefined()
    check!(await outputOf(name))
  })

  it("is less than 60 lines, says what it shows and how it is run, and enters by public doors", () => {
    const lines = readFileSync(join(folder, name), "utf8").trimEnd().split("\n")
    expect(lines.length).toBeLessThan(60)
    expect(lines[0]).toMatch(/^\/\/ /)
    expect(lines.slice(0, 4).join("\n")).toContain(`// Run: node examples/${name}`)
    for (const line of lines) expect(/ from "(.*)"$/.exec(line)?.[1] ?? "kinglet").toMatch(/^kinglet(\/\w+)?$/)
  })
})
