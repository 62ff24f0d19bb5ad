// Which products go through a BLAS: the faster way, once measured, and never what is too small to measure. The libraries
// here are made up: one that does nothing, and one that takes its time.
import { describe, expect, it, vi } from "vitest"
import { platform } from "#platform"
import type { Blas } from "../../platform/platform.ts"
import { input, matmul, program, transpose } from "../../tensor/index.ts"
import { openDevice } from "../index.ts"
import { createBlasChooser } from "./blas-choice.ts"
import { SMALLEST_TILE } from "./kernels/matmul-shape.ts"
import { webAssembly } from "./webassembly.ts"

interface Product {
  readonly batch?: number
  readonly m: number
  readonly n: number
  readonly k: number
  readonly transposeA?: boolean
  readonly transposeB?: boolean
}

function chooserWith(sgemm: () => void, lanes = 2, how: "auto" | "always" = "auto") {
  let bound = 0
  const blas: Blas = { name: "made up", bind: () => (bound++, sgemm), bindSource: "" }
  const compile = (bytes: Uint8Array) => new webAssembly.Module(bytes)
  const chooser = createBlasChooser(how, {
    find: () => blas,
    build: { fma: false, tile: SMALLEST_TILE },
    lanes,
    compile,
    optimized: true,
  })!
  return { choose: async (...products: Product[]) => [...(await chooser.choose(products))], bound: () => bound }
}

const instant = () => {}
const slow = () => {
  for (const end = platform.now() + 2; platform.now() < end; );
}

const products: Product[] = [
  { m: 768, n: 512, k: 128, transposeB: true },
  { m: 768, n: 128, k: 512 },
  { m: 128, n: 512, k: 768, transposeA: true },
]

describe("products go through the library", () => {
  it("that is faster, and not through one that is slower", async () => {
    expect(await chooserWith(instant).choose(...products)).toEqual(["768x512x128b", "768x128x512", "128x512x768a"])
    expect(await chooserWith(slow).choose(...products)).toEqual([])
  })

  it("never when they have few rows, or a lane's share is small", async () => {
    const small: Product[] = [
      { m: 1, n: 4096, k: 1024, transposeB: true },
      { m: 3, n: 512, k: 512 },
      { m: 32, n: 32, k: 32 },
      { m: 768, n: 2, k: 768 },
      { m: 64, n: 64, k: 64 },
    ]
    expect(await chooserWith(instant, 8).choose(...small)).toEqual([])
    expect(await chooserWith(instant, 1).choose(...small)).toEqual(["64x64x64"])
  })

  it("as measured the first time", async () => {
    let call = instant
    const { choose, bound } = chooserWith(() => call())
    const first = await choose(...products)
    call = slow
    expect(await choose(...products)).toEqual(first)
    expect(bound()).toBe(1)
  })

  it("all of them, where they always do", async () => {
    const tiny = [
      { m: 1, n: 2, k: 3 },
      { batch: 4, m: 1, n: 1, k: 1 },
    ]
    const { choose, bound } = chooserWith(slow, 2, "always")
    expect(await choose(...tiny)).toEqual(["1x2x3", "4*1x1x1"])
    expect(bound()).toBe(0)
  })
})

/** `[64, 48] · [48, 40]` and a product that is only in this program. */
function twoProducts() {
  const [a, b] = [input("a", [64, 48]), input("b", [48, 40])]
  return program({ outputs: { c: matmul(a, b), d: matmul(transpose(b, [1, 0]), b) } })
}

const found = platform.findBlas().blas

describe("a workspace", () => {
  it.skipIf(found === undefined)(
    "names the products that go through the library, or takes over what was recorded",
    async () => {
      const device = await openDevice({ local: true, blas: "always" })
      const [measured, recorded, nothing] = [
        device.createWorkspace(),
        device.createWorkspace({ blasProducts: "64x40x48 7x7x7" }),
        device.createWorkspace({}),
      ]
      for (const workspace of [measured, recorded, nothing]) await workspace.compile({ f: twoProducts() })
      expect(measured.choices).toEqual({ blas: found!.name, blasProducts: "40x40x48 64x40x48" })
      expect(recorded.choices).toEqual({ blas: found!.name, blasProducts: "64x40x48" })
      expect(nothing.choices).toEqual({})
      await device.close()
    },
  )

  it.each([{ blas: "off" }, { strict: true }] as const)(
    "has no such choices with %o, whatever was recorded",
    async (options) => {
      const device = await openDevice({ local: true, ...options })
      const workspace = device.createWorkspace({ blasProducts: "64x40x48" })
      await workspace.compile({ f: twoProducts() })
      expect(workspace.choices).toEqual({})
      await device.close()
    },
  )
})

describe("opening a device", () => {
  it("says what is missing where a BLAS was asked for, and does without where it was not", async () => {
    const find = vi.spyOn(platform, "findBlas").mockReturnValue({ missing: "nothing is there" })
    await expect(openDevice({ local: true, blas: "always" })).rejects.toThrow("no BLAS: nothing is there")
    const workspace = (await openDevice({ local: true })).createWorkspace()
    const x = input("x", [128, 128])
    await workspace.compile({ f: program({ outputs: { y: matmul(x, x) } }) })
    expect(workspace.choices).toEqual({})
    find.mockRestore()
  })

  it("refuses a word it does not know, and a strict device that always uses a BLAS", async () => {
    await expect(openDevice({ blas: "on" as "auto" })).rejects.toThrow("blas must be auto, always or off, got on")
    await expect(openDevice({ blas: "always", strict: true })).rejects.toThrow(
      "a strict device has the same bits everywhere",
    )
  })
})
