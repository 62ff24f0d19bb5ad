import { createHash } from "node:crypto"
import { createServer, type RequestListener, type Server } from "node:http"
import type { AddressInfo } from "node:net"
import { afterEach, describe, expect, it } from "vitest"
import { platform } from "#platform"
import { downloadVerified } from "./download.ts"

const body = Buffer.from("It was the best of times. ".repeat(4000))
const sha256 = createHash("sha256").update(body).digest("hex")
const expected = { bytes: body.length, sha256 }

let server: Server | undefined
afterEach(() => {
  server?.closeAllConnections()
  server?.close()
})

/** A server on this machine that answers as told; its address. */
async function serve(answer: RequestListener): Promise<string> {
  server = createServer(answer)
  await new Promise<void>((resolve) => server!.listen(0, "127.0.0.1", resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

const get = (
  url: string,
  options: { signal?: AbortSignal; stallSeconds?: number; onBytes?: (n: number) => void } = {},
) => downloadVerified(`${url}/text`, expected, { fetch, sha256: platform.sha256, ...options })

describe("a body is what was declared, or one sentence", () => {
  it("the right bytes arrive, and every one of them is told", async () => {
    let told = 0
    const bytes = await get(await serve((_, response) => response.end(body)), { onBytes: (n) => (told += n) })
    expect(Buffer.from(bytes).equals(body)).toBe(true)
    expect(told).toBe(body.length)
  })

  it("one changed byte: the hash that came and the hash expected", async () => {
    const wrong = Buffer.from(body)
    wrong[500]! ^= 1
    const url = await serve((_, response) => response.end(wrong))
    await expect(get(url)).rejects.toMatchObject({ code: "data", message: expect.stringContaining(sha256) as string })
  })

  it("a longer body is read no further than to its declared end", async () => {
    let isOpen = true
    const url = await serve((_, response) => {
      const more = (): void => void (isOpen && response.write(body, more)) // endless
      response.on("close", () => (isOpen = false))
      more()
    })
    await expect(get(url)).rejects.toThrow(`sends more than ${body.length} bytes`)
    await expect.poll(() => isOpen).toBe(false)
  })

  it("a shorter body", async () => {
    const url = await serve((_, response) => response.end(body.subarray(0, 1000)))
    await expect(get(url)).rejects.toThrow(`ended after 1000 of ${body.length} bytes`)
  })

  it("a connection that is cut", async () => {
    const url = await serve((_, response) => {
      response.writeHead(200, { "content-length": body.length })
      response.write(body.subarray(0, 1000), () => response.destroy())
    })
    await expect(get(url)).rejects.toMatchObject({ code: "data", message: expect.stringContaining("cut") as string })
  })

  it.each([404, 403, 429, 500])("status %i", async (status) => {
    const url = await serve((_, response) => response.writeHead(status).end("<html>"))
    await expect(get(url)).rejects.toMatchObject({
      message: expect.stringMatching(new RegExp(`/text answers ${status} .*, expected a file`)) as string,
      hint: expect.stringContaining(status === 429 || status === 500 ? "busy" : "may have changed") as string,
    })
  })
})

describe("a connection", () => {
  it("follows a redirect", async () => {
    const url = await serve((request, response) =>
      request.url === "/text" ? response.writeHead(302, { location: "/moved" }).end() : response.end(body),
    )
    expect(await get(url)).toHaveLength(body.length)
  })

  it("that redirects in a circle ends", async () => {
    const url = await serve((_, response) => response.writeHead(302, { location: "/text" }).end())
    await expect(get(url)).rejects.toThrow(/cannot read .*redirect/)
  })

  it("that is refused says so", async () => {
    const url = await serve(() => {})
    server!.close()
    await expect(get(url)).rejects.toThrow(/cannot read .*refused/)
  })

  it.each([
    ["before the first byte", 0],
    ["in the middle", 1000],
  ])("that falls silent %s is given up", async (_, sent) => {
    const url = await serve((__, response) => void (sent > 0 && response.write(body.subarray(0, sent))))
    await expect(get(url, { stallSeconds: 0.1 })).rejects.toThrow("has sent nothing for 0.1 s")
  })

  it("that is slow, but never silent for long, is waited for", async () => {
    const parts = Array.from({ length: 8 }, (_, at) => body.subarray(at * 13_000, (at + 1) * 13_000))
    const url = await serve((_, response) => {
      const timer = setInterval(() => {
        const part = parts.shift()
        if (part !== undefined) response.write(part)
        else {
          clearInterval(timer)
          response.end()
        }
      }, 50)
    })
    expect(await get(url, { stallSeconds: 0.3 })).toHaveLength(body.length)
  })

  it("ends with the caller's reason", async () => {
    const controller = new AbortController()
    const url = await serve((_, response) => {
      response.write(body.subarray(0, 1000))
      controller.abort(new Error("enough"))
    })
    await expect(get(url, { signal: controller.signal })).rejects.toThrow("enough")
  })

  it("of a fetch that does not listen to signals ends too", async () => {
    const silent: typeof fetch = () => new Promise(() => {})
    const options = { fetch: silent, sha256: platform.sha256 }
    await expect(downloadVerified("http://a/text", expected, { ...options, stallSeconds: 0.05 })).rejects.toThrow(
      "nothing",
    )
    const signal = AbortSignal.timeout(50)
    await expect(downloadVerified("http://a/text", expected, { ...options, signal })).rejects.toThrow("timeout")
  })
})
