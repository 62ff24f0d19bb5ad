// Cuts UTF-8 text into words before byte-pair encoding, by GPT-2's rule
// `'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`, as a scanner that goes forward: no regular
// expression, no backtracking, each byte looked at a few times whatever the text. White space is Unicode's, as in the
// tokenizers library that the files come from; JavaScript's `\s` differs in U+0085 (no) and U+FEFF (yes). It reads bytes
// because a string is asked for its kind at every character: a scanner over strings took 1.7 times as long.

/** Character classes. */
const [UNKNOWN, LETTER, NUMBER, SPACE, OTHER] = [0, 1, 2, 3, 4]
const SPACE_CODE = 0x20
const APOSTROPHE = 0x27
/** The second and third letters of contractions. */
const [D, E, L, M, R, S, T, V] = [0x64, 0x65, 0x6c, 0x6d, 0x72, 0x73, 0x74, 0x76]

/** Classes of all code points: those of ASCII, the others as they come. Pages never touched take no memory. */
const classes = new Uint8Array(0x110000)

function classify(code: number): number {
  const character = String.fromCodePoint(code)
  if (/\p{L}/u.test(character)) return LETTER
  if (/\p{N}/u.test(character)) return NUMBER
  return /\p{White_Space}/u.test(character) ? SPACE : OTHER
}

for (let code = 0; code < 0x80; code++) classes[code] = classify(code)

/** Bytes of the character that begins with `lead`. */
const widthOf = (lead: number): number => (lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4)

function codePointAt(bytes: Uint8Array, at: number): number {
  const lead = bytes[at]!
  if (lead < 0x80) return lead
  const second = bytes[at + 1]! & 0x3f
  if (lead < 0xe0) return ((lead & 0x1f) << 6) | second
  const third = bytes[at + 2]! & 0x3f
  if (lead < 0xf0) return ((lead & 0x0f) << 12) | (second << 6) | third
  return ((lead & 0x07) << 18) | (second << 12) | (third << 6) | (bytes[at + 3]! & 0x3f)
}

function classAt(bytes: Uint8Array, at: number): number {
  const code = codePointAt(bytes, at)
  const known = classes[code]!
  return known === UNKNOWN ? (classes[code] = classify(code)) : known
}

/** End of the run of characters of one class that begins at `at`. */
function endOfRun(bytes: Uint8Array, at: number, wanted: number, limit: number): number {
  while (at < limit) {
    const lead = bytes[at]!
    if ((lead < 0x80 ? classes[lead] : classAt(bytes, at)) !== wanted) break // a quarter faster than without ASCII apart
    at += widthOf(lead)
  }
  return at
}

/** Length of an English contraction at an apostrophe, 0 if there is none. */
function contraction(bytes: Uint8Array, at: number): number {
  const [next, last] = [bytes[at + 1], bytes[at + 2]]
  if (next === S || next === T || next === M || next === D) return 2
  return ((next === R || next === V) && last === E) || (next === L && last === L) ? 3 : 0
}

/** White space leaves its last character to the word that follows, unless it is the only one. */
function endOfSpace(bytes: Uint8Array, at: number, limit: number): number {
  const end = endOfRun(bytes, at, SPACE, limit)
  if (end === bytes.length) return end
  let last = end - 1
  while ((bytes[last]! & 0xc0) === 0x80) last--
  return last > at ? last : end
}

/**
 * End of the word that begins at `at` in well-formed UTF-8. A word that goes on past `limit` is cut there, after the whole
 * character.
 */
export function endOfWord(bytes: Uint8Array, at: number, limit = bytes.length): number {
  const first = bytes[at] === SPACE_CODE ? at + 1 : at
  const kind = first < bytes.length ? classAt(bytes, first) : SPACE
  if (kind === SPACE) return endOfSpace(bytes, at, limit)
  const short = bytes[at] === APOSTROPHE ? contraction(bytes, at) : 0
  return short > 0 ? at + short : endOfRun(bytes, first, kind, limit)
}
