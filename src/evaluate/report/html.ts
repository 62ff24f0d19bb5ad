// Markup as values: what a template interpolates is escaped unless it is markup itself, so that no name, prompt or sample can
// become part of the page.

/** Markup that is safe to put into a page as it is. */
export class Html {
  readonly markup: string
  constructor(markup: string) {
    this.markup = markup
  }
}

/** What a template takes; `undefined` and `false` leave nothing behind. */
export type Part = Html | string | number | undefined | false | readonly Part[]

/** `html`<p>${text}</p>``: the text is escaped. */
export function html(strings: TemplateStringsArray, ...parts: readonly Part[]): Html {
  return new Html(strings.reduce((markup, string, index) => markup + markupOf(parts[index - 1]) + string))
}

function markupOf(part: Part): string {
  if (part instanceof Html) return part.markup
  if (part === undefined || part === false) return ""
  if (typeof part === "object") return part.map(markupOf).join("")
  return escapeText(String(part))
}

const ENTITIES: { readonly [character: string]: string } = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
}

/** For text and for quoted attributes alike. */
export function escapeText(text: string): string {
  return printable(text).replace(/[&<>"']/g, (character) => ENTITIES[character]!)
}

/**
 * Text that HTML and XML can hold: control characters as their pictures (`␀`), halves of a character as `�`.
 *
 * Marks that turn the direction of writing go too: a sample must not reorder the page around it.
 */
export function printable(text: string): string {
  return text
    .toWellFormed()
    .replace(/\r\n?/g, "\n")
    .replace(/[\0-\x08\x0b\x0c\x0e-\x1f]/g, (control) => String.fromCharCode(0x2400 + control.charCodeAt(0)))
    .replace(/[\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufffe\uffff]/g, "\ufffd")
}
