import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { readTar } from "./tar.ts"

interface Member {
  readonly path: string
  readonly text?: string
  readonly type?: string
  readonly prefix?: string
}

/** A member as POSIX has it: a header with its checksum, then the content in blocks of 512. */
function member({ path, text = "", type = "0", prefix = "" }: Member): Buffer {
  const content = Buffer.from(text)
  const header = Buffer.alloc(512)
  header.write(path, 0)
  header.write("0000644\0", 100)
  header.write(`${content.length.toString(8).padStart(11, "0")}\0`, 124)
  header.write("        ", 148)
  header.write(type, 156)
  header.write("ustar\x0000", 257)
  header.write(prefix, 345)
  const sum = header.reduce((total, byte) => total + byte, 0)
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148)
  return Buffer.concat([header, content, Buffer.alloc((512 - (content.length % 512)) % 512)])
}

const pax = (path: string, type = "x"): Member => {
  const record = ` path=${path}\n`
  const length = record.length + String(record.length + 2).length
  return { path: "pax", type, text: `${length}${record}` }
}

const archive = (members: readonly Member[]): Buffer => Buffer.concat([...members.map(member), Buffer.alloc(1024)])

async function* inChunks(bytes: Uint8Array, length: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += length) yield bytes.subarray(at, at + length)
}

async function read(
  bytes: Uint8Array,
  chunk = 4096,
  wants: (path: string) => boolean = () => true,
): Promise<[string, string][]> {
  const found: [string, string][] = []
  for await (const file of readTar(inChunks(bytes, chunk), wants))
    found.push([file.path, new TextDecoder().decode(file.bytes)])
  return found
}

const long = "d/".repeat(60)
const members: readonly Member[] = [
  pax("comment", "g"),
  { path: "top/", type: "5" },
  { path: "top/a.py", text: "a = 1\n" },
  { path: "b.py", prefix: `top/${long.slice(0, -1)}`, text: "b" },
  pax(`top/${long}ü.py`),
  { path: "top/cut", text: "c".repeat(1024) },
  { path: "top/link.py", type: "2" },
  { path: "top/empty.py" },
]
const whole = archive(members)
const files = [
  ["a.py", "a = 1\n"],
  [`${long}b.py`, "b"],
  [`${long}ü.py`, "c".repeat(1024)],
  ["empty.py", ""],
]

describe("a tar archive", () => {
  it("gives its files below the first folder, long names whole, links and folders left out", async () => {
    expect(await read(whole)).toEqual(files)
  })

  it("gives only what is wanted", async () => {
    expect(await read(whole, 512, (path) => path === "a.py")).toEqual([files[0]])
  })

  it("gives the same in chunks of any length", async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 3000 }), async (chunk) => {
        expect(await read(whole, chunk)).toEqual(files)
      }),
      { numRuns: 30 },
    )
  })

  it("cut anywhere before its end mark is a FormatError", async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: whole.length - 513 }), async (length) => {
        await expect(read(whole.subarray(0, length))).rejects.toMatchObject({ code: "format" })
      }),
    )
  })

  it("of noise, or with a size no file has, is a FormatError", async () => {
    await expect(read(Buffer.alloc(2048, "<html>"))).rejects.toThrow("no header of a tar archive")
    const huge = member({ path: "top/a.py" })
    huge.write("77777777777\0", 124)
    huge.write("        ", 148)
    huge.write(
      `${huge
        .reduce((sum, byte) => sum + byte, 0)
        .toString(8)
        .padStart(6, "0")}\0 `,
      148,
    )
    await expect(read(huge)).rejects.toThrow(/a\.py has 8589934591 bytes, expected at most/)
  })

  it("is let go of when its reader stops or fails", async () => {
    let isClosed = false
    async function* watched(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
      try {
        yield* inChunks(bytes, 512)
      } finally {
        isClosed = true
      }
    }
    for await (const _ of readTar(watched(whole), () => true)) break
    expect(isClosed).toBe(true)
    isClosed = false
    await expect(readTar(watched(Buffer.alloc(2048, 1)), () => true).next()).rejects.toThrow()
    expect(isClosed).toBe(true)
  })
})
