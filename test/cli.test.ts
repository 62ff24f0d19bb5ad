// The command line as a stranger meets it: help, wrong usage, the road from a text to a resumed run, JSON, Ctrl-C.
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest"
import { platform } from "#platform"
import { bundleCli, type FakeTerminal, fakeTerminal, run, startCli } from "./support/cli.ts"

const folder = mkdtempSync(join(tmpdir(), "kinglet-cli-"))
const before = process.cwd()
const birds = ["wren", "kinglet", "finch", "robin", "sings", "over", "the", "small", "garden"]
const text = Array.from({ length: 90 }, (_, line) =>
  Array.from({ length: 9 }, (_, word) => birds[(line * 7 + word * word * 3) % birds.length]).join(" "),
).join(".\n\n")
/** One layer of width 32 over 16 tokens: seconds on the slowest machine. */
const TINY = ["hiddenSize=32", "numAttentionHeads=2", "numHiddenLayers=1", "batchSize=2", "sequenceLength=16"].flatMap(
  (setting) => ["--set", setting],
)

beforeAll(() => {
  writeFileSync(join(folder, "birds.txt"), text)
  process.chdir(folder) // runs/NAME lies in the working folder
})
afterAll(() => {
  process.chdir(before)
  rmSync(folder, { recursive: true, force: true })
})

const jsonLines = (output: string): { type?: string; [key: string]: unknown }[] =>
  output
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as { type?: string })

const COMMANDS = [
  ["start"],
  ["train"],
  ["generate"],
  ["chat"],
  ["evaluate"],
  ["compare"],
  ["report"],
  ["resume"],
  ["tokenizer"],
  ["tokenizer", "train"],
  ["tokenizer", "encode"],
  ["tokenizer", "decode"],
  ["data"],
  ["data", "list"],
  ["data", "get"],
  ["bench"],
  ["doctor"],
]

describe("help", () => {
  it.each(COMMANDS.map((command) => [command.join(" "), command] as const))(
    "kinglet %s --help teaches on stdout, in 80 columns, with examples",
    async (_, command) => {
      const { code, stdout, stderr } = await run([...command, "--help"])
      expect(code).toBe(0)
      expect(stderr).toBe("")
      expect(stdout).toMatch(/^Usage: kinglet/)
      expect(stdout).toContain("Examples:\n  $ ")
    },
  )

  it("kinglet alone and kinglet --help are the same page and name every command", async () => {
    const [alone, asked] = [await run([]), await run(["--help"])]
    expect(alone).toEqual(asked)
    for (const [name] of COMMANDS) expect(alone.stdout).toMatch(new RegExp(`^  ${name}`, "m"))
  })

  it("says its version", async () => {
    const { version } = JSON.parse(readFileSync(join(before, "package.json"), "utf8")) as { version: string }
    expect(await run(["--version"])).toEqual({ code: 0, stdout: `${version}\n`, stderr: "" })
  })
})

describe("wrong usage ends with 2 and two lines", () => {
  it.each([
    ["an unknown command", ["trian", "a.txt"], /unknown command 'trian'\n {2}hint: did you mean train\?/],
    [
      "an unknown option",
      ["train", "a.txt", "--stepz", "3"],
      /unknown option '--stepz'\n {2}hint: did you mean --steps\?/,
    ],
    ["a missing argument", ["train"], /missing required argument 'paths'/],
    ["a budget that is no time", ["train", "a.txt", "--budget", "soon"], /budget must be a duration/],
    ["a budget and steps", ["train", "a.txt", "--budget", "1m", "--steps", "3"], /cannot be used with/],
    ["steps that are no number", ["train", "a.txt", "--steps", "2.5"], /whole number/],
    ["a setting without a value", ["train", "a.txt", "--set", "steps"], /key=value/],
    ["a probability above one", ["generate", "m", "--top-p", "2"], /from 0 to 1/],
    ["an unknown device", ["generate", "m", "--device", "gpu"], /Allowed choices are wasm, reference/],
    ["an argument too many", ["doctor", "please"], /too many arguments/],
    ["a work that bench does not know", ["bench", "nanogpt"], /Allowed choices are train, decode/],
    ["a profile of nothing", ["bench", "--profile"], /--profile needs a work: kinglet bench train --profile/],
    ["a size to train", ["bench", "train", "--size", "2M"], /--size is of the model to decode with/],
    ["a recipe to decode", ["bench", "decode", "--preset", "default"], /--preset names a recipe to train/],
  ])("%s", async (_, argv, message) => {
    const { code, stdout, stderr } = await run(argv)
    expect(code).toBe(2)
    expect(stdout).toBe("")
    expect(stderr).toMatch(message)
    expect(stderr).toMatch(/^error: .*\n {2}hint: .*\n$/)
  })
})

describe("what can be fixed ends with 1 and two lines, no stack", () => {
  it.each([
    ["a path that is not there", ["train", "absent.txt", "--steps", "2"], /no such file/],
    ["a model that is not there", ["generate", "absent", "--prompt", "a"], /no model at absent/],
    ["a run that is not there", ["resume", "absent"], /no run in absent/],
    ["a field that is not there", ["train", "birds.txt", "--steps", "2", "--set", "colour=red"], /colour/],
    ["a preset that is not there", ["train", "birds.txt", "--preset", "huge"], /preset "huge"/],
    ["a tokenizer that is not there", ["tokenizer", "encode", "absent.json", "a"], /absent\.json/],
    ["the default text where there is none", ["start"], /no default text here/],
  ])("%s", async (_, argv, message) => {
    const { code, stderr } = await run(argv)
    expect(stderr).toMatch(message)
    expect(stderr).toMatch(/^error: .*\n {2}hint: .*\n$/)
    expect(code).toBe(1)
  })

  it("a refused text leaves no folder behind", () => {
    expect(existsSync(join(folder, "runs", "absent"))).toBe(false)
  })
})

describe("from a text to a run", () => {
  const train = ["train", "birds.txt", "--steps", "20", "--threads", "1", ...TINY]

  it("train explains its numbers, shows samples and evaluations, compares, and says what comes next", async () => {
    const { code, stdout, stderr } = await run([...train, "--tensorboard"])
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" })
    for (const part of [
      "as asked (--steps)",
      "held out",
      "sample step",
      "step 20/20",
      "this model",
      "Kneser-Ney over bytes",
      "brotli",
      "bits per byte the model beats",
      "npx kinglet generate runs/birds",
    ])
      expect(stdout).toContain(part)
    expect(stdout).not.toContain("\x1b")
    expect(Math.max(...stdout.split("\n").map((line) => line.length))).toBeLessThanOrEqual(120)
    expect(readdirSync(join("runs", "birds")).toSorted()).toEqual(
      expect.arrayContaining(["checkpoints", "events.jsonl", "recipe.json", "tensorboard", "tokenizer.json"]),
    )
  })

  it("the same command again makes runs/birds-2: nothing is overwritten", async () => {
    const recipe = readFileSync(join("runs", "birds", "recipe.json"), "utf8")
    const { code, stdout } = await run([...train, "--no-baselines", "--quiet"])
    expect(code).toBe(0)
    expect(stdout).toMatch(/^\d\.\d{4} bits per byte {2}runs\/birds-2\n$/)
    expect(readFileSync(join("runs", "birds", "recipe.json"), "utf8")).toBe(recipe)
  })

  it("generate continues the prompt, the same for the same seed", async () => {
    const command = [
      "generate",
      "runs/birds",
      "--prompt",
      "the wren",
      "--tokens",
      "20",
      "--seed",
      "3",
      "--threads",
      "1",
    ]
    const [first, second] = [await run(command), await run(command)]
    expect(first).toEqual(second)
    expect(first.code).toBe(0)
    expect(first.stdout).toMatch(/^the wren/)
    expect(first.stdout.length).toBeGreaterThan("the wren".length + 5)
  })

  it("generate with several prompts prints the text that each gives alone", async () => {
    const command = ["generate", "runs/birds", "--tokens", "20", "--seed", "3"]
    const alone = [await run([...command, "--prompt", "the wren"]), await run([...command, "--prompt", "a"])]
    const together = await run([...command, "--prompt", "the wren", "--prompt", "a"])
    expect(together).toEqual({ code: 0, stdout: alone.map(({ stdout }) => stdout).join("\n"), stderr: "" })
    const { stdout } = await run([...command, "--prompt", "the wren", "--prompt", "a", "--json"])
    const ends = jsonLines(stdout).filter(({ type }) => type === "end")
    expect(ends.map(({ index }) => index)).toEqual([0, 1])
  })

  it("generate --json is one object a line, the last with why it ended", async () => {
    const { stdout } = await run([
      "generate",
      "runs/birds",
      "--prompt",
      "the",
      "--tokens",
      "5",
      "--seed",
      "3",
      "--json",
      "--threads",
      "1",
    ])
    const lines = jsonLines(stdout)
    expect(lines.at(-1)).toMatchObject({ type: "end", finished: "length", tokens: 5, seed: 3 })
    expect(lines.slice(0, -1).every(({ type }) => type === "text")).toBe(true)
  })

  it("evaluate --json is one object with bitsPerByte, as the run's last evaluation gave it", async () => {
    const { code, stdout, stderr } = await run([
      "evaluate",
      "runs/birds",
      "--checkpoint",
      "last",
      "--json",
      "--no-baselines",
      "--threads",
      "1",
    ])
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" })
    const { bitsPerByte } = JSON.parse(stdout) as { bitsPerByte: number }
    const last = jsonLines(readFileSync(join("runs", "birds", "events.jsonl"), "utf8")).findLast(
      ({ type }) => type === "evaluation-end",
    )
    expect(bitsPerByte / (last!["bitsPerByte"] as number)).toBeCloseTo(1, 1)
  })

  it("evaluate --data measures a text of one's own beside the baselines", async () => {
    writeFileSync("other.txt", "the small kinglet sings over the garden. ".repeat(8))
    const { code, stdout } = await run(["evaluate", "runs/birds", "--data", "other.txt", "--threads", "1"])
    expect(code).toBe(0)
    expect(stdout).toMatch(/\d bits per byte/)
    expect(stdout).toContain("Kneser-Ney over tokens")
  })

  it("chat says in one line that the model continues, answers each line, and ends with /exit", async () => {
    const terminal = fakeTerminal({ lines: ["the wren", "/exit", "never"] })
    const { code, stdout, stderr } = await run(
      ["chat", "runs/birds", "--tokens", "10", "--seed", "1", "--threads", "1"],
      terminal,
    )
    expect(code).toBe(0)
    expect(stderr).toMatch(/^.*was not taught to answer.*\n$/)
    expect(stdout).toMatch(/^the wren/)
    expect(stdout).not.toContain("never")
  })

  it("train --json is nothing but events, one a line, from run-start to summary", async () => {
    const { code, stdout, stderr } = await run([...train, "--out", "json-run", "--json"])
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" })
    const types = jsonLines(stdout).map(({ type }) => type)
    expect(types[0]).toBe("run-start")
    expect(types.slice(-2)).toEqual(["run-end", "summary"])
    expect(types.filter((type) => type === "step-end")).toHaveLength(20)
  })

  it("an --out that holds another run is refused", async () => {
    const { code, stderr } = await run([...train, "--out", "json-run", "--seed", "5"])
    expect(code).toBe(1)
    expect(stderr).toContain("already holds a run")
  })

  it("resume of a finished run says so and trains nothing", async () => {
    const { code, stdout, stderr } = await run(["resume", "runs/birds"])
    expect(code).toBe(0)
    expect(stderr).toContain("runs/birds is finished: 20 steps")
    expect(stdout).toBe("")
  })

  it("the live panel hides the cursor, shows it again, and fits 60 columns", async () => {
    const terminal = fakeTerminal({ isTTY: true, columns: 60 })
    const { code, stdout } = await run([...train, "--no-baselines", "--out", "live-run"], terminal)
    expect(code).toBe(0)
    expect(stdout).toContain("\x1b[?25l")
    expect(stdout.lastIndexOf("\x1b[?25h")).toBeGreaterThan(stdout.lastIndexOf("\x1b[?25l"))
  })
})

/** Calls `then` once, when the first step was told. */
function whenTraining({ written }: FakeTerminal, then: () => void): void {
  const watch = setInterval(() => {
    if (!written.stdout.includes("step 1/200")) return
    clearInterval(watch)
    then()
  }, 5)
}

describe("an interruption", () => {
  const longer = ["train", "birds.txt", "--steps", "200", "--seed", "9", "--threads", "1", "--no-baselines", ...TINY]

  it("Ctrl-C saves, says how to resume, ends with 130; the same command goes on and says so", async () => {
    const terminal = fakeTerminal()
    whenTraining(terminal, () => terminal.interrupt())
    const { code, stderr } = await run([...longer, "--out", "stopped"], terminal)
    expect(code).toBe(130)
    expect(stderr).toMatch(/saved at step \d+; go on with: npx kinglet resume stopped\n$/)
    const again = await run([...longer, "--out", "stopped"])
    expect(again.code).toBe(0)
    expect(again.stdout).toMatch(/stopped holds the unfinished run of this very command, at step \d+ of 200: going on/)
    expect(again.stdout).toContain("step 200/200")
  }, 120_000)

  it("SIGINT and SIGTERM to the process save a checkpoint, and kinglet resume ends the run", async () => {
    const script = await bundleCli(folder)
    for (const signal of ["SIGINT", "SIGTERM"] as const) {
      const { child, ended, saw } = startCli(script, [...longer, "--out", signal], folder)
      await saw("step 1/200")
      child.kill(signal)
      const { code, stderr } = await ended
      expect(code).toBe(130)
      expect(stderr).toContain(`npx kinglet resume ${signal}`)
    }
    const resumed = await startCli(script, ["resume", "SIGINT", "--no-baselines"], folder).ended
    expect(resumed.code).toBe(0)
    expect(resumed.stdout).toMatch(/going on at step \d+ of 200/)
  }, 180_000)

  it("a second Ctrl-C ends at once", async () => {
    const terminal = fakeTerminal()
    whenTraining(terminal, () => {
      terminal.interrupt()
      expect(() => terminal.interrupt()).toThrow("exit 130")
    })
    await run([...longer, "--out", "twice"], terminal)
    expect.assertions(1)
  }, 120_000)
})

describe("tokenizer", () => {
  it("train writes tokenizer.json and overwrites nothing; encode and decode are inverse", async () => {
    const made = await run(["tokenizer", "train", "birds.txt", "--vocab", "300", "--out", "birds.json"])
    expect(made.code).toBe(0)
    expect((await run(["tokenizer", "train", "birds.txt", "--out", "birds.json"])).stderr).toContain(
      "birds.json exists already",
    )
    const encoded = await run(["tokenizer", "encode", "birds.json", "the wren — ü"])
    const decoded = await run(["tokenizer", "decode", "birds.json", ...encoded.stdout.trim().split(" ")])
    expect(decoded).toEqual({ code: 0, stdout: "the wren — ü", stderr: "" })
    expect((await run(["tokenizer", "decode", "birds.json", "999"])).stderr).toMatch(/from 0 to \d+/)
  })
})

describe("data", () => {
  it("list tells every set and that none is here; --quiet are the names, --json has hashes", async () => {
    const [list, names, json] = await Promise.all(
      [[], ["--quiet"], ["--json"]].map((more) => run(["data", "list", "--folder", "absent", ...more])),
    )
    const sets = jsonLines(json!.stdout)
    expect(sets.length).toBeGreaterThan(10)
    expect(names!.stdout.trim().split("\n")).toEqual(sets.map((set) => set["name"]))
    for (const set of sets) {
      expect(list!.stdout).toContain(`  ${set["name"] as string} `)
      expect(set).toMatchObject({ path: null, sha256: expect.stringMatching(/^[0-9a-f]{64}$/) as string })
    }
  })

  it("get refuses an unknown name, with the one that was meant", async () => {
    const { code, stdout, stderr } = await run(["data", "get", "tiny-shakespear"])
    expect([code, stdout]).toEqual([1, ""])
    expect(stderr).toContain('no public set "tiny-shakespear"\n  hint: did you mean tiny-shakespeare?')
  })

  it("list marks another file under a set's name, and get leaves it alone", async () => {
    writeFileSync(join(folder, "names.txt"), "mine")
    expect((await run(["data", "list", "--folder", "."])).stdout).toMatch(/names +228 kB +other/)
    expect((await run(["data", "get", "names", "--folder", "."])).stderr).toContain("is not the public set names")
    expect(readFileSync(join(folder, "names.txt"), "utf8")).toBe("mine")
  })
})

describe("bench and doctor", () => {
  it("bench --json is one object: engine, lanes, both peaks, products", async () => {
    const { code, stdout } = await run(["bench", "--threads", "1", "--json"])
    expect(code).toBe(0)
    const { roofline, products, ...facts } = JSON.parse(stdout) as { [key: string]: never }
    expect(facts).toMatchObject({
      engine: expect.stringContaining("node"),
      lanes: 1,
      tuning: { tile: expect.any(String) },
    })
    expect(roofline).toMatchObject({
      flopsPerSecond: { one: expect.any(Number) },
      bytesPerSecond: { one: expect.any(Number) },
    })
    expect(products).toMatchObject(
      [64, 128, 256, 512, 1024].map((side) => ({ side, flopsPerSecond: expect.any(Number) })),
    )
  })

  it("bench train tells a step's speed and shares it out among groups of kernels, in 80 columns", async () => {
    const { code, stdout } = await run(["bench", "train", "--threads", "1", "--blas", "off"])
    expect(code).toBe(0)
    expect(stdout).toMatch(/nanogpt-cpu: 80[34]k parameters, 768 tokens a step/)
    expect(stdout).toMatch(/ms a step, .* tokens\/s\n.*GFLOP\/s, .* % of the 128-bit peak/)
    for (const group of ["products", "attention", "norms and sweeps", "reductions", "optimizer"])
      expect(stdout).toMatch(new RegExp(`^ +\\d+ +[\\d.]+ +[\\d.]+ % .* ${group}$`, "m"))
    expect(Math.max(...stdout.split("\n").map((line) => line.length))).toBeLessThanOrEqual(80)
  })

  it("bench decode --profile tells every kernel; the groups and the kernels are the same time", async () => {
    const { stdout } = await run(["bench", "decode", "--size", "100k", "--threads", "1", "--profile", "--json"])
    type Share = { name: string; calls: number; seconds: number; share: number }
    const { groups, kernels, ...facts } = JSON.parse(stdout) as { groups: Share[]; kernels: Share[]; work: string }
    expect(facts).toMatchObject({ work: "decode", tokens: 1, tokensPerSecond: expect.any(Number) })
    expect(kernels.some(({ name }) => name.startsWith("packedLinear"))).toBe(true)
    const total = (shares: Share[], of: (share: Share) => number) => shares.reduce((sum, share) => sum + of(share), 0)
    for (const shares of [groups, kernels]) expect(total(shares, ({ share }) => share)).toBeCloseTo(1)
    expect(total(groups, ({ calls }) => calls)).toBe(total(kernels, ({ calls }) => calls))
    expect(kernels.map(({ seconds }) => seconds)).toEqual(kernels.map(({ seconds }) => seconds).sort((a, b) => b - a))
  })

  it("doctor --json is one object that names engine, SIMD, lanes and memory", async () => {
    const { stdout } = await run(["doctor", "--json"])
    expect(JSON.parse(stdout)).toMatchObject({
      engine: expect.stringContaining("node"),
      simd: true,
      lanes: expect.any(Number),
      blas: platform.findBlas().blas?.name ?? null,
      totalBytes: expect.any(Number),
    })
  })

  it("doctor says what a missing BLAS costs and how to get one; it is no fault", async () => {
    const find = vi.spyOn(platform, "findBlas").mockReturnValue({ missing: "nothing is there" })
    const { code, stdout } = await run(["doctor"])
    find.mockRestore()
    expect(code).toBe(0)
    expect(stdout.replaceAll(/\s+/g, " ")).toMatch(/! BLAS none \(nothing is there\): optional; .*npm install koffi/)
  })
})
