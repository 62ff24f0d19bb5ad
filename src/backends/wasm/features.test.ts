import { expect, it } from "vitest"
import { platform } from "#platform"
import { detectFeatures, enableRelaxedSimd } from "./features.ts"

const fake = (engine: string, flags: string[]) => ({
  name: "node" as const,
  engine,
  setEngineFlag: (flag: string) => flags.push(flag) > 0,
})

it("finds SIMD and threads on every Node we support", () => {
  expect(detectFeatures()).toMatchObject({ simd: true, threads: true })
})

it("never sets a flag without permission, nor on another major than 20", () => {
  const flags: string[] = []
  enableRelaxedSimd(fake("node 20.20.2 (v8 11.3)", flags), false)
  enableRelaxedSimd(fake("node 22.1.0 (v8 12.4)", flags), true)
  enableRelaxedSimd(fake("node 200.1.0 (v8 99)", flags), true)
  expect(flags).toEqual([])
})

it("gets relaxed SIMD on Node with permission", () => {
  expect(enableRelaxedSimd(platform, true)).toBe(true)
  expect(detectFeatures().relaxedSimd).toBe(true)
})
