import { DOMParser } from "@xmldom/xmldom"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { escapeText, html, printable } from "./html.ts"

describe("a template", () => {
  it("escapes text, leaves markup as it is, and leaves nothing behind for nothing", () => {
    const inner = html`<b>${"<i>"}</b>`
    expect(html`<p title="${'"'}">${inner}${undefined}${false}${0}${["&", inner]}</p>`.markup).toBe(
      '<p title="&quot;"><b>&lt;i&gt;</b>0&amp;<b>&lt;i&gt;</b></p>',
    )
  })

  it("says any text, as text and as attribute, and nothing but that text", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        const { markup } = html`<p title="${text}">${text}</p>`
        const p = new DOMParser().parseFromString(markup, "text/xml").documentElement!
        expect(p.textContent).toBe(printable(text))
        expect(p.childNodes.length).toBe(printable(text) === "" ? 0 : 1)
        expect(p.getAttribute("title")).toBe(printable(text).replace(/[\n\t]/g, " "))
      }),
    )
  })
})

it("control characters are shown, halves of characters and turns of direction are not", () => {
  expect(printable("a\0b\x1b[1m\r\nc\ud800\u202ed")).toBe("a␀b␛[1m\nc��d")
  expect(escapeText("\u{1f600} é")).toBe("\u{1f600} é")
})
