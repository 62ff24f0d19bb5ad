// From a description of a chart to SVG: Observable Plot draws into a small XML document, so that no browser is needed.
import * as Plot from "@observablehq/plot"
import { DOMImplementation, type Element, XMLSerializer } from "@xmldom/xmldom"
import { printable } from "../html.ts"

/** What a chart is drawn for; sizes are in user units, about one pixel of the screen. */
export interface Frame {
  readonly width: number
  /** A phone: fewer ticks, labels above instead of beside. */
  readonly narrow: boolean
}

export const SVG = "http://www.w3.org/2000/svg"

/** Attributes of marks that several charts share. */
export const FAINT = { stroke: "var(--rule)", strokeWidth: 1 } as const
/** A rim in the color of the page keeps text and symbols readable over lines. */
export const RIM = { stroke: "var(--page)", strokeWidth: 4 } as const

/**
 * One drawing, well-formed by itself. Its colors are variables of the page's style and `currentColor`.
 *
 * `document.defaultView` is all that Plot asks of a window.
 */
export function draw(label: string, frame: Frame, options: Plot.PlotOptions): string {
  const document = new DOMImplementation().createDocument(SVG, "svg", null)
  const svg = Plot.plot({
    document: Object.assign(document, { defaultView: {} }) as unknown as Document,
    className: "chart",
    width: frame.width,
    marginTop: 28,
    marginBottom: 44,
    ...options,
  }) as unknown as Element
  for (const style of [...svg.getElementsByTagName("style")]) style.parentNode!.removeChild(style)
  tidy(svg)
  svg.setAttribute("role", "img")
  svg.setAttribute("aria-label", printable(label))
  svg.setAttribute("class", frame.narrow ? "chart narrow" : "chart wide")
  svg.setAttribute("style", `max-width:${Math.round(1.15 * frame.width)}px`)
  svg.removeAttribute("font-size")
  svg.removeAttribute("font-family")
  return new XMLSerializer().serializeToString(svg as never)
}

/** Two decimals of a pixel are plenty. */
function tidy(element: Element): void {
  for (const attribute of [...element.attributes])
    if (/\.\d{3}/.test(attribute.value) && !attribute.name.startsWith("aria"))
      attribute.value = attribute.value.replace(/-?\d+\.\d{3,}(e-\d+)?/g, (number) =>
        String(Number(Number(number).toFixed(2))),
      )
  for (const child of [...element.childNodes]) if (child.nodeType === 1) tidy(child as Element)
}

/** A domain for a logarithmic axis that is never empty, with room at both ends. */
export function logDomain(values: readonly number[], room = 1.08): [number, number] {
  const low = values.reduce((a, b) => Math.min(a, b))
  const high = values.reduce((a, b) => Math.max(a, b))
  const factor = high / low < 1.02 ? 1.5 : room
  return [low / factor, high * factor]
}
