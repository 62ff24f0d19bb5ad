import { readFileSync } from "node:fs"
import { expect, it } from "vitest"
import { KINGLET_VERSION } from "./index.ts"

it("the version in the code is the version of the package", () => {
  const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as {
    version: string
  }
  expect(KINGLET_VERSION).toBe(version)
})
