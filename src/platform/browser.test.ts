// The browser's side, as far as Node has the same names: compression streams, message channels, hashes.
import { gunzipSync, gzipSync } from "node:zlib"
import { describe, expect, it } from "vitest"
import { FormatError } from "../core/index.ts"
import { platform } from "./browser.ts"
import { platform as node } from "./node.ts"

async function* from(...chunks: Uint8Array[]) {
  yield* chunks
}
async function collect(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = []
  for await (const chunk of chunks) parts.push(chunk)
  return Buffer.concat(parts)
}

describe("the browser's side", () => {
  it("has every name that Node's side has", () => {
    expect(Object.keys(platform).sort()).toEqual(Object.keys(node).sort())
  })

  it("packs and unpacks gzip, and calls damage a FormatError", async () => {
    const bytes = new TextEncoder().encode("kinglet ".repeat(5000))
    expect(gunzipSync(await platform.gzip(bytes)).equals(bytes)).toBe(true)
    const packed = gzipSync(bytes)
    expect((await collect(platform.gunzip(from(packed.subarray(0, 20), packed.subarray(20))))).equals(bytes)).toBe(true)
    await expect(collect(platform.gunzip(from(packed.subarray(0, 40))))).rejects.toThrow(FormatError)
  })

  it("passes on an error of the source", async () => {
    async function* failing(): AsyncGenerator<Uint8Array> {
      yield gzipSync("abc").subarray(0, 5)
      throw new RangeError("source")
    }
    await expect(collect(platform.gunzip(failing()))).rejects.toThrow("source")
  })

  it("yields to the event loop and hashes as Node does", async () => {
    let turned = false
    setTimeout(() => (turned = true), 0)
    while (!turned) await platform.yieldToEventLoop()
    const bytes = new TextEncoder().encode("abc")
    expect(await platform.sha256(bytes)).toBe(await node.sha256(bytes))
    expect(platform.cores()).toBeGreaterThanOrEqual(1)
  })
})
