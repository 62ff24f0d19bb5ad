// Laws of the stop strings: what is shown does not depend on how the text was cut, and never holds a part of a stop.
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { ConfigError } from "../core/index.ts"
import { createStopMatcher } from "./stop-strings.ts"

/** The law itself: at the first end of any stop string, cut before the longest one that ends there. */
function cutAtStop(text: string, stops: readonly string[]): { shown: string; stopped: boolean } {
  for (let end = 1; end <= text.length; end++) {
    const ending = stops.filter((stop) => text.slice(0, end).endsWith(stop))
    if (ending.length > 0)
      return { shown: text.slice(0, end - Math.max(...ending.map((s) => s.length))), stopped: true }
  }
  return { shown: text, stopped: false }
}

const word = (maxLength: number) =>
  fc.array(fc.constantFrom("a", "b", "\n"), { minLength: 1, maxLength }).map((letters) => letters.join(""))
const pieces = fc.array(fc.oneof(word(4), fc.constant("")), { maxLength: 12 })
const stopStrings = fc.array(word(4), { maxLength: 3 })

describe("createStopMatcher", () => {
  it("shows what a search in the whole text would show, for any cutting into pieces", () => {
    fc.assert(
      fc.property(pieces, stopStrings, (pieces, stops) => {
        const matcher = createStopMatcher(stops)
        const pushed = pieces.map((piece) => matcher.push(piece))
        const shown = pushed.map(({ emit }) => emit).join("") + matcher.end()
        const stopped = pushed.some((push) => push.stopped)
        expect({ shown, stopped }).toEqual(cutAtStop(pieces.join(""), stops))
      }),
      { numRuns: 1000 },
    )
  })

  it("stops at what is completed first, though another stop string began earlier", () => {
    expect(createStopMatcher(["abb", "b"]).push("abb")).toEqual({ emit: "a", stopped: true })
    expect(createStopMatcher(["b", "ab"]).push("ab")).toEqual({ emit: "", stopped: true })
  })

  it("holds back nothing that can no longer become a stop string", () => {
    fc.assert(
      fc.property(pieces, stopStrings, (pieces, stops) => {
        const matcher = createStopMatcher(stops)
        let emitted = ""
        let read = ""
        for (const piece of pieces) {
          const { emit, stopped } = matcher.push(piece)
          emitted += emit
          read += piece
          if (stopped) break
          const held = read.slice(emitted.length)
          expect(held === "" || stops.some((stop) => stop.startsWith(held))).toBe(true)
        }
      }),
    )
  })

  it("stays stopped", () => {
    const matcher = createStopMatcher(["."])
    expect(matcher.push("One. Two")).toEqual({ emit: "One", stopped: true })
    expect(matcher.push("Three")).toEqual({ emit: "", stopped: true })
    expect(matcher.end()).toBe("")
  })

  it("shows a held beginning when the text ends", () => {
    const matcher = createStopMatcher(["\n\n"])
    expect(matcher.push("One\n")).toEqual({ emit: "One", stopped: false })
    expect(matcher.end()).toBe("\n")
  })

  it("refuses an empty stop string", () => {
    expect(() => createStopMatcher(["a", ""])).toThrow(ConfigError)
  })
})
