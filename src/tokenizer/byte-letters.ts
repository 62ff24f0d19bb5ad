// GPT-2's way to write bytes as letters, so that a vocabulary of byte strings fits in JSON: printable Latin-1 stands for
// itself, the other bytes for U+0100 and up. @see openai/gpt-2, encoder.py, `bytes_to_unicode`

const isPrintable = (byte: number): boolean => (byte >= 33 && byte <= 126) || (byte >= 161 && byte !== 173)

/** The letter of each byte. */
export const BYTE_LETTERS: readonly string[] = (() => {
  let next = 256
  return Array.from({ length: 256 }, (_, byte) => String.fromCharCode(isPrintable(byte) ? byte : next++))
})()

const BYTES = new Map(BYTE_LETTERS.map((letter, byte) => [letter, byte]))

export const bytesToLetters = (bytes: Uint8Array): string => Array.from(bytes, (byte) => BYTE_LETTERS[byte]!).join("")

/** Undefined if a letter stands for no byte. */
export function lettersToBytes(letters: string): Uint8Array | undefined {
  const bytes = new Uint8Array(letters.length)
  for (let i = 0; i < letters.length; i++) {
    const byte = BYTES.get(letters[i]!)
    if (byte === undefined) return undefined
    bytes[i] = byte
  }
  return bytes
}
