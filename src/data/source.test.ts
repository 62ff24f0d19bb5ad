// Laws of reading: bytes in, exactly that text out, as often as asked; what is no text is named with its place.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { gzipSync } from "node:zlib"
import fc from "fast-check"
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest"
import { platform } from "#platform"
import { DataError, endOfWellFormedUtf8, KingletError } from "../core/index.ts"
import { type DataSource, type Document, documents, files, text, toSource } from "./index.ts"
import { decodeUtf8, readLines } from "./read-text.ts"

let dir = ""
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "kinglet-data-"))
})
afterAll(() => rmSync(dir, { recursive: true, force: true }))

function put(name: string, content: string | Uint8Array): string {
  const path = join(dir, name)
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, content)
  return path
}

async function read(source: DataSource): Promise<Document[]> {
  const all: Document[] = []
  for await (const document of source.documents()) all.push(document)
  return all
}
const texts = async (source: DataSource) => (await read(source)).map((document) => document.text)

async function failure(source: DataSource): Promise<KingletError> {
  const error = await read(source).then(
    () => undefined,
    (caught: unknown) => caught,
  )
  expect(error).toBeInstanceOf(KingletError)
  expect((error as KingletError).hint).toBeTruthy()
  return error as KingletError
}

describe("files", () => {
  it("a .txt file is one document, byte for byte, without its byte order mark, line ends as they are", async () => {
    const path = put("one/a.txt", "\ufeffline one\r\nline two\n\n\ufeffend ünïcode 🐦")
    expect(await read(files(path))).toEqual([{ id: "a.txt", text: "line one\r\nline two\n\n\ufeffend ünïcode 🐦" }])
  })

  it("each line of a .jsonl or .jsonl.gz file is one document", async () => {
    const lines = '\ufeff{"text":"first"}\n\n{"text":"","id":1}\r\n{"id":7,"text":"sec\\nond"}'
    const plain = put("lines/b.jsonl", lines)
    const packed = put("lines/c.jsonl.gz", gzipSync(lines))
    const expected = (name: string) => [
      { id: `${name}:1`, text: "first" },
      { id: `${name}:4`, text: "sec\nond" },
    ]
    expect(await read(files(plain))).toEqual(expected("b.jsonl"))
    expect(await read(files(packed))).toEqual(expected("c.jsonl.gz"))
  })

  it("another field of a JSON line can be the text", async () => {
    const path = put("field.jsonl", '{"answer":"a"}\n{"answer":"b"}\n')
    expect(await texts(files(path, { field: "answer" }))).toEqual(["a", "b"])
  })

  it("folders and globs give their text files sorted, with ids below the common folder, as often as asked", async () => {
    for (const name of ["z.txt", "deep/y.md", "deep/x.jsonl", "deep/pic.png"])
      put(`tree/${name}`, name.endsWith("jsonl") ? '{"text":"x"}' : name)
    const source = files(join(dir, "tree"))
    const ids = (await read(source)).map((document) => document.id)
    expect(ids).toEqual(["deep/x.jsonl:1", "deep/y.md", "z.txt"])
    expect((await read(source)).map((document) => document.id)).toEqual(ids)
    expect(source.name).toBe("tree")
    expect(await texts(files(join(dir, "tree/**/*.md"), join(dir, "tree/z.txt")))).toEqual(["deep/y.md", "z.txt"])
  })

  it("the name of a source is the file's without its extension, the folder's, or stdin", () => {
    expect(files("a/books.jsonl.gz").name).toBe("books")
    expect(files("stories/*.txt").name).toBe("stories")
    expect(files("./my.book.txt").name).toBe("my.book")
    expect(files("-").name).toBe("stdin")
    expect(files("*").name).toBe("text")
  })

  it("standard input is read once and given as often as asked; a terminal is refused", async () => {
    const spy = vi.spyOn(platform, "stdin")
    spy.mockImplementation(() => documentsOfBytes("piped ", "text"))
    const source = files("-")
    expect(await texts(source)).toEqual(["piped text"])
    expect(await texts(source)).toEqual(["piped text"])
    expect(spy).toHaveBeenCalledTimes(1)
    spy.mockImplementation(() => documentsOfBytes('{"text":"a"}\n{"te', 'xt":"b"}'))
    expect(await texts(files("-", { format: "jsonl" }))).toEqual(["a", "b"])
    spy.mockImplementation(() => undefined)
    expect((await failure(files("-"))).message).toContain("terminal")
    spy.mockRestore()
  })

  it("a file longer than one document may be is cut between paragraphs, losing nothing, and that is said", async () => {
    const whole = Array.from({ length: 400 }, (_, i) => `paragraph ${i} häß 🐦\nsecond line\n\n`).join("")
    const source = files(put("long.txt", whole), { maxDocumentBytes: 1000 })
    const parts = await read(source)
    expect(parts.map((part) => part.text).join("")).toBe(whole)
    expect(parts.length).toBeGreaterThan(10)
    expect(parts.slice(0, 2).map((part) => part.id)).toEqual(["long.txt", "long.txt#2"])
    for (const part of parts) expect(part.text.endsWith("\n\n") && Buffer.byteLength(part.text) <= 1000).toBe(true)
    expect(source.notes!()).toHaveLength(1)
    const dense = "häß🐦".repeat(1000)
    expect((await texts(files(put("dense.txt", dense), { maxDocumentBytes: 501 }))).join("")).toBe(dense)
  })
})

async function* documentsOfBytes(...parts: string[]): AsyncGenerator<Uint8Array> {
  for (const part of parts) yield new TextEncoder().encode(part)
}

describe("bad input is one clear sentence with a hint", () => {
  it("says which path is absent, which glob matches nothing, which folder holds no text", async () => {
    expect((await failure(files(join(dir, "nowhere.txt")))).message).toMatch(/cannot read .*nowhere\.txt: no such file/)
    expect((await failure(files(join(dir, "*.nothing")))).message).toMatch(/no file matches .*\*\.nothing/)
    mkdirSync(join(dir, "bare"))
    expect((await failure(files(join(dir, "bare")))).message).toMatch(/bare holds no text files/)
  })

  it("says that a file is binary, and where", async () => {
    expect((await failure(files(put("nul.txt", "abc\0def")))).message).toMatch(/nul\.txt is a binary file.*byte 3/)
    const controls = Uint8Array.from({ length: 100 }, (_, i) => (i % 5 === 0 ? 1 : 65))
    expect((await failure(files(put("control.txt", controls)))).message).toMatch(/binary.*20 control/)
    expect((await failure(files(put("wide.txt", Buffer.from("\ufeffhello", "utf16le"))))).message).toContain("UTF-16")
    expect((await failure(files(put("model.jsonl", Uint8Array.of(0, 1, 2))))).message).toContain("binary")
  })

  it("says which byte is no UTF-8, in the file's own count", async () => {
    const bad = Buffer.concat([Buffer.from("\ufeffgrüße "), Buffer.from([0xe4, 0x20]), Buffer.from("end")])
    const message = (await failure(files(put("latin1.txt", bad)))).message
    expect(message).toMatch(new RegExp(`latin1\\.txt is not valid UTF-8: byte ${bad.indexOf(0xe4)} is 0xe4`))
    const lines = Buffer.concat([Buffer.from('{"text":"a"}\n{"text":"'), Buffer.from([0xff]), Buffer.from('"}\n')])
    expect((await failure(files(put("latin1.jsonl", lines)))).message).toMatch(/latin1\.jsonl:2.*byte 22 is 0xff/)
  })

  it("says which line is no JSON, lacks its text or holds half a character", async () => {
    const cases = [
      ['{"text":"a"}\n{"text":', /x\.jsonl:2: not valid JSON/],
      [
        '{"text":"a"}\n\n{"title":"t","body":"b"}',
        /x\.jsonl:3: expected a string field "text", got the fields: title, body/,
      ],
      ['{"text":5}', /x\.jsonl:1: expected a string field/],
      ["[1]", /x\.jsonl:1/],
      ['{"text":"\\ud800"}', /x\.jsonl:1: .*surrogate/],
    ] as const
    for (const [content, message] of cases)
      expect((await failure(files(put("x.jsonl", content)))).message).toMatch(message)
  })

  it("says that a gzip file is truncated", async () => {
    const packed = gzipSync('{"text":"abc"}\n'.repeat(1000))
    expect((await failure(files(put("cut.jsonl.gz", packed.subarray(0, 40))))).message).toMatch(
      /cut\.jsonl\.gz: gzip data is damaged/,
    )
  })

  it("a lone surrogate or a thing that is no text is refused in strings too", async () => {
    expect((await failure(text("ok", "bad \udc00"))).message).toMatch(/text-2 .*surrogate/)
    await expect(read(toSource([5 as unknown as string]))).rejects.toThrow(DataError)
  })
})

describe("strings and iterables", () => {
  it("strings, arrays, generators and functions give the same documents, as often as asked", async () => {
    const words = ["one", "two", "three"]
    async function* generator() {
      yield* words
    }
    const forms = [
      text(...words),
      toSource(words),
      toSource(generator()),
      toSource(generator),
      toSource(new Set(words).values()),
    ]
    for (const source of forms) {
      expect(await texts(source)).toEqual(words)
      expect(await texts(source)).toEqual(words)
    }
    expect(await texts(toSource("one"))).toEqual(["one"])
    expect(await read(documents([{ id: "a", text: "x" }, "y"], "mine"))).toEqual([
      { id: "a", text: "x" },
      { id: "mine-2", text: "y" },
    ])
  })

  it("a generator may be read by two passes at a time, one of them left early", async () => {
    async function* generator() {
      yield* ["a", "b", "c"]
    }
    const source = toSource(generator())
    for await (const first of source.documents()) {
      expect(first.text).toBe("a")
      expect(await texts(source)).toEqual(["a", "b", "c"])
      break
    }
    expect(await texts(source)).toEqual(["a", "b", "c"])
  })

  it("a generator that fails, fails again: its documents are never silently fewer", async () => {
    async function* failing() {
      yield "a"
      throw new RangeError("broken pipe")
    }
    const source = toSource(failing())
    await expect(read(source)).rejects.toThrow("broken pipe")
    await expect(read(source)).rejects.toThrow("broken pipe")
  })
})

describe("bytes", () => {
  it("text comes back byte for byte, or the first bad byte is named", () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 12 }),
      fc.string({ unit: "binary" }).map((s) => new TextEncoder().encode(s)),
      fc
        .array(
          fc.constantFrom(
            0x41,
            0x80,
            0x8f,
            0x90,
            0x9f,
            0xa0,
            0xbf,
            0xc1,
            0xc2,
            0xdf,
            0xe0,
            0xed,
            0xef,
            0xf0,
            0xf4,
            0xf5,
          ),
        )
        .map((list) => Uint8Array.from(list)),
    )
    fc.assert(
      fc.property(bytes, (input) => {
        const at = endOfWellFormedUtf8(input)
        if (at === input.length) expect(new TextEncoder().encode(decodeUtf8(input, "x"))).toEqual(input)
        else {
          expect(() => decodeUtf8(input, "x", 100)).toThrow(`byte ${100 + at} `)
          expect(() => decodeUtf8(input.subarray(0, at), "x")).not.toThrow()
        }
      }),
      { numRuns: 1000 },
    )
  })

  it("lines are the same however the stream is cut into chunks", async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ max: 12, maxLength: 60 }), fc.array(fc.nat(60)), async (bytes, cuts) => {
        const places = [...new Set([0, ...cuts.filter((cut) => cut < bytes.length), bytes.length])].sort(
          (a, b) => a - b,
        )
        async function* chunks() {
          for (let i = 0; i + 1 < places.length; i++) yield bytes.subarray(places[i], places[i + 1])
        }
        const lines: number[][] = []
        for await (const line of readLines(chunks(), "x")) {
          expect(line.number).toBe(lines.length + 1)
          expect([...bytes.subarray(line.offset, line.offset + line.bytes.length)]).toEqual([...line.bytes])
          lines.push([...line.bytes])
        }
        const joined = lines.flatMap((line, i) => (i === 0 ? line : [10, ...line]))
        expect(bytes.at(-1) === 10 ? [...joined, 10] : joined).toEqual([...bytes])
      }),
    )
  })
})
