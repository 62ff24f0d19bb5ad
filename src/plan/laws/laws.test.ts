// Scaling laws against what is published, against known truths, and against brute force.
import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { DataError, randomStream } from "../../core/index.ts"
import {
  cheapestToServe,
  effectiveTokens,
  fitLaw,
  lawUncertainty,
  lossOf,
  lossOnRepeatedText,
  MUENNIGHOFF,
  optimalAllocation,
  type ParametricLaw,
  PUBLISHED_LAWS,
  type ScalingRun,
} from "./index.ts"
import { minimize } from "./minimize.ts"

const folder = join(process.env["KINGLET_DATA"] ?? join(import.meta.dirname, "../../../../shared/data"), "scaling-laws")
const isThere = existsSync(folder)
if (!isThere) console.warn("skipped: the published tables of scaling runs are not here")

type Row = { readonly [column: string]: string }
function table(name: string): Row[] {
  const [head, ...lines] = readFileSync(join(folder, name), "utf8").trim().split("\n")
  const columns = head!.split(",")
  return lines.map((line) => Object.fromEntries(line.split(",").map((value, i) => [columns[i]!, value])))
}

/** The 240 runs of Besiroglu et al.: all but the five largest losses. */
function chinchilla(): ScalingRun[] {
  const runs = table("chinchilla-epoch.csv").map((row) => {
    const parameters = Number(row["Model Size"])
    return { parameters, tokens: Number(row["Training FLOP"]) / (6 * parameters), loss: Number(row["loss"]) }
  })
  return runs.sort((a, b) => a.loss - b.loss).slice(0, 240)
}

function objective(law: ParametricLaw, runs: readonly ScalingRun[]): number {
  return runs.reduce((sum, { parameters, tokens, loss }) => {
    const r = Math.abs(Math.log(lossOf(law, parameters, tokens) / loss))
    return sum + (r <= 1e-3 ? 0.5 * r * r : 1e-3 * (r - 0.5e-3))
  }, 0)
}

describe.skipIf(!isThere)("on the runs of Chinchilla", () => {
  it("the fit reaches the global minimum, below both published ones", () => {
    const runs = chinchilla()
    const { law, objective: least } = fitLaw(runs)
    expect(least).toBeLessThanOrEqual(0.00101828)
    expect(objective(law, runs)).toBeCloseTo(least, 12)
    expect(objective(PUBLISHED_LAWS.hoffmann.law, runs)).toBeCloseTo(0.0012311626, 6) // constants rounded to five digits
    expect(objective(PUBLISHED_LAWS.besiroglu.law, runs)).toBeCloseTo(0.0010186447, 5)
    expect(Math.abs(law.E - 1.8172)).toBeLessThan(5e-4)
    expect(Math.abs(law.alpha - 0.3473)).toBeLessThan(5e-4)
    expect(Math.abs(law.beta - 0.3672)).toBeLessThan(1e-3)
  })

  it("the bootstrap's intervals agree with Epoch's: 5 % for E, α and β, 10 % for A and B", () => {
    const runs = chinchilla()
    const { constants } = lawUncertainty(runs, fitLaw(runs).law)
    const epoch = { A: [285, 744], B: [1042, 5810], E: [1.769, 1.871], alpha: [0.317, 0.373], beta: [0.331, 0.415] }
    for (const name of ["A", "B", "E", "alpha", "beta"] as const) {
      const allowed = name.length === 1 && name !== "E" ? 0.1 : 0.05
      expect(Math.abs(constants[name].low / epoch[name][0]! - 1), name).toBeLessThan(allowed)
      expect(Math.abs(constants[name].high / epoch[name][1]! - 1), name).toBeLessThan(allowed)
    }
  }, 60_000)
})

it.skipIf(!isThere)("on Gadre's 34 runs on C4 the fit reaches the published minimum", () => {
  const runs = table("gadre-104.csv")
    .filter(({ ds }) => ds === "c4_original")
    .map((row) => ({ parameters: Number(row["N"]), tokens: Number(row["D"]), loss: Number(row["loss_c4_val"]) }))
  expect(runs).toHaveLength(34)
  expect(fitLaw(runs).objective).toBeLessThanOrEqual(5.2996e-4)
})

it.skipIf(!isThere)("Muennighoff's constants explain 0.7722046 of the variance with decay, 0.4451684 without", () => {
  const runs = table("muennighoff-182.csv").map((row) => ({
    parameters: Number(row["N"]),
    tokens: Number(row["D"]),
    uniqueTokens: Number(row["U"]),
    loss: Number(row["loss"]),
  }))
  const mean = runs.reduce((sum, { loss }) => sum + loss, 0) / runs.length
  const total = runs.reduce((sum, { loss }) => sum + (loss - mean) ** 2, 0)
  const explained = (predict: (run: (typeof runs)[number]) => number) =>
    1 - runs.reduce((sum, run) => sum + (predict(run) - run.loss) ** 2, 0) / total
  expect(explained((run) => lossOnRepeatedText(MUENNIGHOFF, run))).toBeCloseTo(0.7722046, 6)
  expect(explained(({ parameters, tokens }) => lossOf(MUENNIGHOFF.law, parameters, tokens))).toBeCloseTo(0.4451684, 6)
})

it("epochs are worth 1.97, 3.73, 6.62, 10.6 and 15.2 times the unique text", () => {
  const worth = [2, 4, 8, 16, 40].map((epochs) => effectiveTokens(epochs * 1e6, 1e6) / 1e6)
  for (const [i, expected] of [1.97, 3.73, 6.62, 10.6, 15.2].entries())
    expect(Math.abs(worth[i]! / expected - 1)).toBeLessThan(0.005)
  expect(effectiveTokens(5e5, 1e6)).toBe(5e5)
})

describe("a known law with noise", () => {
  const truth: ParametricLaw = { A: 400, B: 1500, E: 1.7, alpha: 0.34, beta: 0.36 }
  const draw = (seed: number): ScalingRun[] => {
    const random = randomStream(seed, "runs")
    return [1e6, 3e6, 1e7, 3e7, 1e8, 3e8].flatMap((parameters) =>
      [1e8, 3e8, 1e9, 3e9, 1e10, 3e10].map((tokens) => ({
        parameters,
        tokens,
        loss: lossOf(truth, parameters, tokens) * Math.exp(0.002 * random.normal()),
      })),
    )
  }

  it("without noise every constant is found to six digits", () => {
    const runs = draw(1).map((run) => ({ ...run, loss: lossOf(truth, run.parameters, run.tokens) }))
    const { law } = fitLaw(runs)
    for (const name of ["A", "B", "E", "alpha", "beta"] as const) expect(law[name] / truth[name]).toBeCloseTo(1, 6)
  })

  it("lies inside the 95 % interval of each constant in at least 88 of 100 draws", () => {
    const inside = { A: 0, B: 0, E: 0, alpha: 0, beta: 0 }
    for (let seed = 1; seed <= 100; seed++) {
      const runs = draw(seed)
      const { constants } = lawUncertainty(runs, fitLaw(runs).law, { resamples: 200, seed })
      for (const name of ["A", "B", "E", "alpha", "beta"] as const)
        if (constants[name].low <= truth[name] && truth[name] <= constants[name].high) inside[name]++
    }
    console.info(`constants inside their intervals, of 100 draws: ${JSON.stringify(inside)}`)
    expect(Math.min(...Object.values(inside))).toBeGreaterThanOrEqual(88)
  }, 120_000)

  it("tied exponents come out equal", () => {
    const { law } = fitLaw(draw(3), { tied: true })
    expect(law.alpha).toBe(law.beta)
  })
})

it("the optimal allocation is the least loss on its curve of equal compute", () => {
  for (const { law } of Object.values(PUBLISHED_LAWS)) {
    const { parameters, tokens, loss } = optimalAllocation(law, 1e20)
    expect((6 * parameters * tokens) / 1e20).toBeCloseTo(1, 10)
    for (const factor of [0.5, 0.9, 1.1, 2])
      expect(lossOf(law, parameters * factor, tokens / factor)).toBeGreaterThan(loss)
  }
})

it("a model that is used more is smaller and trained longer, and reaches the same loss", () => {
  const { law } = PUBLISHED_LAWS.besiroglu
  const target = optimalAllocation(law, 1e20).loss
  const [never, much] = [cheapestToServe(law, target, 0), cheapestToServe(law, target, 1e12)]
  expect(never.parameters / optimalAllocation(law, 1e20).parameters).toBeCloseTo(1, 3)
  expect(much.parameters).toBeLessThan(0.8 * never.parameters)
  for (const { parameters, tokens } of [never, much]) expect(lossOf(law, parameters, tokens)).toBeCloseTo(target, 8)
  for (const factor of [0.9, 1.1]) {
    const parameters = much.parameters * factor
    const tokens = (law.B / (target - law.E - law.A / parameters ** law.alpha)) ** (1 / law.beta)
    expect(6 * parameters * tokens + 2 * parameters * 1e12).toBeGreaterThan(much.trainingFlops + much.servingFlops)
  }
  expect(() => cheapestToServe(law, law.E, 0)).toThrow(/the law ends at 1.8172/)
})

it("tables that determine nothing are refused with what is missing", () => {
  const run = (parameters: number, tokens: number, loss = 3) => ({ parameters, tokens, loss })
  const six = [1, 2, 3, 4, 5, 6]
  expect(() => fitLaw(six.slice(1).map((i) => run(i * 1e6, i * 1e8)))).toThrow(/at least 6 runs, got 5/)
  expect(() => fitLaw(six.map((i) => run(1e6, i * 1e8)))).toThrow(/all 6 runs have the same parameters/)
  expect(() => fitLaw(six.map((i) => run(i * 1e6, i * 1e8, i === 4 ? Number.NaN : 3)))).toThrow(/run 4: loss must be/)
  expect(() => fitLaw([])).toThrow(DataError)
})

it("the minimizer finds the bottom of Rosenbrock's valley", () => {
  const { x, converged } = minimize(
    (at, gradient) => {
      const [a, b] = [at[0]!, at[1]!]
      gradient.set([-2 * (1 - a) - 400 * a * (b - a * a), 200 * (b - a * a)])
      return (1 - a) ** 2 + 100 * (b - a * a) ** 2
    },
    [-1.2, 1],
  )
  expect(converged).toBe(true)
  expect(x[0]).toBeCloseTo(1, 6)
  expect(x[1]).toBeCloseTo(1, 6)
})
