import fc from "fast-check"
import { expect, it } from "vitest"
import { pText } from "../comparison/sentence.ts"
import { MISSING, pValue } from "./format.ts"

it("a p-value is written in tables as in sentences, and a missing one as a dash", () => {
  fc.assert(fc.property(fc.double({ min: 0, max: 1, noNaN: true }), (p) => pValue(p) === pText(p)))
  expect([pValue(0.03), pValue(undefined), pValue(Number.NaN)]).toEqual(["p = 0.030", MISSING, MISSING])
})
