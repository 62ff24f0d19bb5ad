// From places in a string to places in its UTF-8.

/** Bytes of UTF-8 before each of `places` (UTF-16 units, ascending) in one pass over the text. */
export function utf8Offsets(text: string, places: readonly number[]): number[] {
  let [at, bytes] = [0, 0]
  return places.map((place) => {
    for (; at < place; at++) bytes += utf8Length(text.charCodeAt(at))
    return bytes
  })
}

/** Bytes that a UTF-16 unit adds; the two halves of a pair add two each. */
function utf8Length(unit: number): number {
  if (unit < 0x80) return 1
  const isHalf = unit >= 0xd800 && unit <= 0xdfff
  return unit < 0x800 || isHalf ? 2 : 3
}
