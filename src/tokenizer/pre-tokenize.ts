// Cuts text into words before byte-pair encoding, by GPT-2's rule
// `'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`, as a scanner that looks at each
// character at most twice: no regular expression, no backtracking. White space is Unicode's, as in the tokenizers library that
// the files come from; JavaScript's `\s` differs in U+0085 (no) and U+FEFF (yes).

/** Character classes. */
const [UNKNOWN, LETTER, NUMBER, SPACE, OTHER] = [0, 1, 2, 3, 4]
const SPACE_CODE = 0x20
const APOSTROPHE = 0x27

/** Classes of the basic plane, filled in as characters come. */
const classes = new Uint8Array(65536)

function classify(character: string): number {
  if (/\p{L}/u.test(character)) return LETTER
  if (/\p{N}/u.test(character)) return NUMBER
  return /\p{White_Space}/u.test(character) ? SPACE : OTHER
}

const isHigh = (code: number): boolean => code >= 0xd800 && code < 0xdc00
/** UTF-16 units of the character at `at`. */
const widthAt = (text: string, at: number): number => (isHigh(text.charCodeAt(at)) && at + 1 < text.length ? 2 : 1)

function classAt(text: string, at: number): number {
  const code = text.charCodeAt(at)
  const known = classes[code]!
  if (known !== UNKNOWN) return known
  if (isHigh(code)) return classify(text.slice(at, at + 2))
  return (classes[code] = classify(text[at]!))
}

/** End of the run of characters of one class that begins at `at`. */
function endOfRun(text: string, at: number, wanted: number, limit: number): number {
  while (at < limit && classAt(text, at) === wanted) at += widthAt(text, at)
  return at
}

/** Length of an English contraction at an apostrophe, 0 if there is none. */
function contraction(text: string, at: number): number {
  const next = text[at + 1]
  if (next === "s" || next === "t" || next === "m" || next === "d") return 2
  const pair = text.slice(at + 1, at + 3)
  return pair === "re" || pair === "ve" || pair === "ll" ? 3 : 0
}

/** End of the word that begins at `at`; a longer one is cut at `limit`. */
export function endOfWord(text: string, at: number, limit = text.length): number {
  if (text.charCodeAt(at) === APOSTROPHE) {
    const length = contraction(text, at)
    if (length > 0) return at + length
  }
  const own = classAt(text, at)
  if (own !== SPACE) return endOfRun(text, at, own, limit)
  const next = at + 1 < text.length ? classAt(text, at + 1) : SPACE
  if (text.charCodeAt(at) === SPACE_CODE && next !== SPACE) return endOfRun(text, at + 1, next, limit)
  const end = endOfRun(text, at, SPACE, limit)
  // White space leaves its last character to the word that follows, unless it is the only one.
  return end < text.length && end - at > 1 ? end - 1 : end
}
