// A part of the page: its heading, what it shows, or the one line that says why it shows nothing.
import { Html, html, type Part } from "../html.ts"

export interface Section {
  /** Name of its anchor. */
  readonly id: string
  readonly title: string
  readonly body: Part
  /** Nothing was measured: the section is one line. */
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
  const body = html`<p class="absent">Not measured: run <code>${command}</code></p>`
  return { id, title, body, isAbsent: true }
}

/** The same for several runs: the first open, the others to be opened. */
export function perRun(parts: readonly { readonly name: string; readonly body: Part }[]): Part {
  if (parts.length === 1) return parts[0]!.body
  return parts.map(
    ({ name, body }, index) =>
      html`<details class="run"${index === 0 && new Html(" open")}><summary>${name}</summary>${body}</details>\n`,
  )
}
