// The order of the house: who may import whom. First that each rule notices its breach, then that src/ has none.
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { rooms, type Sources, violations } from "./support/architecture.ts"

const root = join(import.meta.dirname, "..")

function sourcesOnDisk(): Sources {
  const paths = readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" }).filter((path) =>
    path.endsWith(".ts"),
  )
  return Object.fromEntries(
    paths.map((path) => [`src/${path.replaceAll("\\", "/")}`, readFileSync(join(root, "src", path), "utf8")]),
  )
}

describe("the rule notices", () => {
  it.each<[string, Sources, RegExp]>([
    ["an import to the right", { "src/core/a.ts": 'import "../nn/index.ts"' }, /nn is not below core/],
    ["a type to the right", { "src/data/a.ts": 'import type { T } from "../cli/index.ts"' }, /cli is not below data/],
    ["a re-export to the right", { "src/nn/index.ts": 'export * from "../train/index.ts"' }, /train is not below nn/],
    ["an import type to the right", { "src/nn/a.ts": 'type T = import("../plan/index.ts").T' }, /plan is not below nn/],
    ["a late import to the right", { "src/nn/a.ts": 'await import("../cli/index.ts")' }, /cli is not below nn/],
    ["a room entered by a window", { "src/nn/a.ts": 'import "../tensor/ops.ts"' }, /not by its door/],
    ["its own door", { "src/nn/a.ts": 'import "./index.ts"' }, /its own room's door/],
    ["a side of platform", { "src/nn/a.ts": 'import "../platform/node.ts"' }, /entered by "#platform"/],
    [
      "a value of platform.ts",
      { "src/nn/a.ts": 'import { x } from "../platform/platform.ts"' },
      /entered by "#platform"/,
    ],
    [
      "core asking the machine",
      { "src/core/a.ts": 'import { platform } from "#platform"' },
      /may not import #platform/,
    ],
    ["node: in a room", { "src/train/a.ts": 'import "node:fs"' }, /node:fs outside platform/],
    ["process in a room", { "src/train/a.ts": "export const x = process.argv" }, /process outside platform/],
    ["Buffer in a room", { "src/train/a.ts": "export const x = Buffer.from([])" }, /Buffer outside platform/],
    ["navigator through globalThis", { "src/cli/a.ts": "export const x = globalThis.navigator" }, /navigator outside/],
    ["process in a shorthand", { "src/cli/a.ts": "export const x = { process }" }, /process outside platform/],
    ["a package in a room without", { "src/nn/a.ts": 'import "commander"' }, /"commander" is not on the list/],
    ["a package not on the list", { "src/cli/a.ts": 'import "chalk"' }, /"chalk" is not on the list/],
    ["a computed import", { "src/cli/a.ts": "import(name)" }, /"\(computed\)" is not on the list/],
    ["an import without .ts", { "src/nn/a.ts": 'import "./b.js"' }, /must end with \.ts/],
    ["a file outside the rooms", { "src/nn/a.ts": 'import "../misc.ts"' }, /src\/misc\.ts is not in a room/],
    ["the root imported from inside", { "src/nn/a.ts": 'import "../index.ts"' }, /is not in a room/],
    [
      "a circle, types included",
      { "src/nn/a.ts": 'import "./b.ts"', "src/nn/b.ts": 'import type { A } from "./a.ts"' },
      /circle: src\/nn\/a\.ts -> src\/nn\/b\.ts -> src\/nn\/a\.ts/,
    ],
  ])("%s", (_, sources, message) => {
    expect(violations(sources).join("\n")).toMatch(message)
  })

  it("nothing in what is allowed", () => {
    const allowed: Sources = {
      "src/index.ts": 'export * from "./train/index.ts"; export * from "./core/index.ts"',
      "src/core/index.ts": 'export * from "./math.ts"',
      "src/core/math.ts": "export const run = { process: 1 }; run.process",
      "src/platform/node.ts":
        'import fs from "node:fs"; import { x } from "tinyglobby"; import "../core/index.ts"; process',
      "src/train/index.ts":
        'import { platform } from "#platform"; import type { P } from "../platform/platform.ts"; import "./a.ts"',
      "src/train/a.ts": 'import { x } from "../core/index.ts"; const process = (buffer: number) => buffer; process(1)',
      "src/cli/main.ts": 'import { Command } from "@commander-js/extra-typings"',
      "src/core/math.test.ts": 'import "node:fs"; import "../cli/index.ts"',
    }
    expect(violations(allowed)).toEqual([])
  })
})

describe("the sources keep the order", () => {
  const sources = sourcesOnDisk()

  it("imports go down, enter by the door, make no circle, and only platform knows its host", () => {
    expect(violations(sources)).toEqual([])
  })

  it("every folder of src is a room of the design", () => {
    const folders = new Set(Object.keys(sources).flatMap((path) => path.split("/").slice(1, -1).slice(0, 1)))
    expect([...folders].filter((folder) => !rooms.includes(folder))).toEqual([])
  })
})
