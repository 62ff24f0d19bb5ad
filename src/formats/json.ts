// JSON as a file format demands it: objects become maps that keep every key (`__proto__` too), and a key given twice is
// damage, where JSON.parse would silently take the last.
import { FormatError } from "../core/index.ts"

/** Deeper nesting is an attack on the stack, not a file. */
const MAX_DEPTH = 64
const ESCAPES: { readonly [char: string]: string } = {
  '"': '"',
  "\\": "\\",
  "/": "/",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
}

/**
 * Parses JSON, as bytes in UTF-8 or as text; objects are `Map`s.
 *
 * @param offset  where `bytes` begin in their file, for messages
 * @throws FormatError  if the text is not JSON, not UTF-8, nested too deep, or has a duplicate key
 */
export function parseJsonStrictly(bytes: Uint8Array | string, offset = 0): unknown {
  return new Parser(typeof bytes === "string" ? bytes : decodeStrictly(bytes, offset), offset).whole()
}

function decodeStrictly(bytes: Uint8Array, offset: number): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch (cause) {
    throw new FormatError("JSON: the text is not UTF-8", { offset, cause })
  }
}

const [QUOTE, BACKSLASH] = [0x22, 0x5c]
const LITERAL = /true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y

class Parser {
  readonly #text: string
  readonly #offset: number
  #at = 0

  constructor(text: string, offset: number) {
    this.#text = text
    this.#offset = offset
  }

  whole(): unknown {
    const value = this.#value(0)
    this.#space()
    if (this.#at < this.#text.length) this.#fail("expected the end")
    return value
  }

  #fail(message: string): never {
    throw new FormatError(`JSON: ${message}`, {
      offset: this.#offset + new TextEncoder().encode(this.#text.slice(0, this.#at)).length,
    })
  }

  #space(): void {
    while (" \t\n\r".includes(this.#text[this.#at] ?? "x")) this.#at++
  }

  #take(char: string): boolean {
    this.#space()
    if (this.#text[this.#at] !== char) return false
    this.#at++
    return true
  }

  #value(depth: number): unknown {
    if (depth > MAX_DEPTH) this.#fail(`nested deeper than ${MAX_DEPTH}`)
    if (this.#take("{")) return this.#object(depth)
    if (this.#take("[")) return this.#array(depth)
    if (this.#take('"')) return this.#string()
    return this.#literal()
  }

  #object(depth: number): Map<string, unknown> {
    const map = new Map<string, unknown>()
    if (this.#take("}")) return map
    do {
      if (!this.#take('"')) this.#fail("expected a key")
      const key = this.#string()
      if (map.has(key)) this.#fail(`the key ${JSON.stringify(key)} is given twice`)
      if (!this.#take(":")) this.#fail('expected ":"')
      map.set(key, this.#value(depth + 1))
    } while (this.#take(","))
    if (!this.#take("}")) this.#fail('expected "," or "}"')
    return map
  }

  #array(depth: number): unknown[] {
    const items: unknown[] = []
    if (this.#take("]")) return items
    do items.push(this.#value(depth + 1))
    while (this.#take(","))
    if (!this.#take("]")) this.#fail('expected "," or "]"')
    return items
  }

  #string(): string {
    const parts: string[] = []
    for (;;) {
      parts.push(this.#unescaped())
      const stop = this.#text[this.#at] ?? this.#fail("a string does not end")
      if (stop !== '"' && stop !== "\\") this.#fail("control character in a string")
      this.#at++
      if (stop === '"') return parts.join("")
      parts.push(this.#escape())
    }
  }

  /** Characters up to a quote, a backslash or a control character. */
  #unescaped(): string {
    const start = this.#at
    for (;;) {
      const code = this.#text.charCodeAt(this.#at)
      // At the end the code is NaN.
      if (!(code >= 0x20) || code === QUOTE || code === BACKSLASH) return this.#text.slice(start, this.#at)
      this.#at++
    }
  }

  #escape(): string {
    const char = this.#text[this.#at++] ?? ""
    if (Object.hasOwn(ESCAPES, char)) return ESCAPES[char]!
    const digits = this.#text.slice(this.#at, this.#at + 4)
    if (char !== "u" || !/^[0-9a-fA-F]{4}$/.test(digits)) this.#fail("unknown escape")
    this.#at += 4
    return String.fromCharCode(parseInt(digits, 16))
  }

  #literal(): unknown {
    this.#space()
    LITERAL.lastIndex = this.#at
    const [token] = LITERAL.exec(this.#text) ?? this.#fail("expected a value")
    this.#at += token.length
    return JSON.parse(token)
  }
}
