// A part of the page: its heading, what it shows, or the one line that says why it shows nothing.
import { Html, html, type Part } from "../html.ts"

export interface Section {
  /** Name of its anchor. */
  readonly id: string
  readonly title: string
  readonly body: Part
  /** Nothing was measured: the body is one line, and the page says it in its list of what is absent. */
  readonly isAbsent?: boolean
}

export function sectionOf({ id, title, body }: Section): Html {
  return html`<section id="${id}">
<h2>${title}</h2>
${body}
</section>
`
}

/** A section of which there are no facts: what to do about it. */
export function absent(id: string, title: string, command: string): Section {
  return { id, title, body: html`not measured: run <code>${command}</code>`, isAbsent: true }
}

/** A section of which the facts say nothing. */
export function unknown(id: string, title: string, why: string): Section {
  return { id, title, body: `not known: ${why}`, isAbsent: true }
}

/** One line for each section that is not there. */
export function absentOnes(sections: readonly Section[]): Section[] {
  if (sections.length === 0) return []
  const lines = sections.map(({ id, title, body }) => html`<li id="${id}"><strong>${title}</strong>: ${body}</li>\n`)
  return [{ id: "absent", title: "What is not here", body: html`<ul class="notes">${lines}</ul>` }]
}

/** The same for several runs: the first open, the others to be opened. */
export function perRun(parts: readonly { readonly name: string; readonly body: Part }[]): Part {
  if (parts.length === 1) return parts[0]!.body
  return parts.map(
    ({ name, body }, index) =>
      html`<details class="run"${index === 0 && new Html(" open")}><summary>${name}</summary>${body}</details>\n`,
  )
}
