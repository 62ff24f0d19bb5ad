// Where UTF-8 is well-formed and where not, to the byte. @see RFC 3629, section 4, the table of well-formed sequences

/** Length of the UTF-8 sequence that begins at `at`, 0 if none does. */
export function utf8SequenceLength(bytes: Uint8Array, at: number): number {
  const lead = bytes[at]!
  if (lead < 0x80) return 1
  const second = bytes[at + 1] ?? 0
  const isTail = (index: number): boolean => (bytes[at + index]! & 0xc0) === 0x80
  if (lead >= 0xc2 && lead <= 0xdf) return isTail(1) ? 2 : 0
  // The second byte keeps out overlong forms (E0, F0), surrogates (ED) and what lies above U+10FFFF (F4).
  const low = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80
  const high = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf
  if (second < low || second > high) return 0
  if (lead >= 0xe0 && lead <= 0xef) return isTail(2) ? 3 : 0
  return lead >= 0xf0 && lead <= 0xf4 && isTail(2) && isTail(3) ? 4 : 0
}

/** First position from `from` on at which no UTF-8 sequence begins; `bytes.length` if all is well-formed. */
export function endOfWellFormedUtf8(bytes: Uint8Array, from = 0): number {
  let at = from
  while (at < bytes.length) {
    const length = utf8SequenceLength(bytes, at)
    if (length === 0) return at
    at += length
  }
  return at
}
