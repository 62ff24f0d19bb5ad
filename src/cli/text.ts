// Text in cells of a terminal: width without color codes, cutting, wrapping, aligning.

// biome-ignore lint/suspicious/noControlCharactersInRegex: color codes begin with one
const COLOR_CODES = /\x1b\[[0-9;]*m/g
const segmenter = new Intl.Segmenter(undefined, { granularity: "grapheme" })

/** Scripts and symbols that take two cells. Unicode 16, East Asian Width W and F, by block. */
const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}/u

/** Cells that `text` takes on one line. */
export function widthOf(text: string): number {
  let width = 0
  for (const { segment } of segmenter.segment(text.replace(COLOR_CODES, ""))) width += WIDE.test(segment) ? 2 : 1
  return width
}

/** `text` cut to `width` cells, an ellipsis for what is lost; colors are dropped where it is cut. */
export function fit(text: string, width: number): string {
  if (widthOf(text) <= width) return text
  let kept = ""
  let used = 1 // the ellipsis
  for (const { segment } of segmenter.segment(text.replace(COLOR_CODES, ""))) {
    used += WIDE.test(segment) ? 2 : 1
    if (used > width) break
    kept += segment
  }
  return width > 0 ? `${kept}…` : ""
}

export const padEnd = (text: string, width: number): string => text + " ".repeat(Math.max(0, width - widthOf(text)))
export const padStart = (text: string, width: number): string => " ".repeat(Math.max(0, width - widthOf(text))) + text

/** Lines of at most `width` cells, broken between words; a longer word is cut. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = []
  let line = ""
  for (const word of text.split(/\s+/).filter((part) => part !== "")) {
    const longer = line === "" ? word : `${line} ${word}`
    if (widthOf(longer) <= width) line = longer
    else {
      if (line !== "") lines.push(line)
      line = fit(word, width)
    }
  }
  return line === "" ? lines : [...lines, line]
}

/** Control characters made visible, so that a sample cannot move the cursor; line breaks and tabs stay. */
export function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  return text.replace(/[\x00-\x08\x0b-\x1f\x7f-\x9f]/g, "�")
}

/** `text` on one line: breaks become a mark. */
export const oneLine = (text: string): string =>
  printable(text)
    .replace(/\s*\n\s*/g, " ⏎ ")
    .replaceAll("\t", " ")
    .trim()
