// A page in headless Chromium: serves a folder with the headers that allow shared memory, opens one page of it, and
// returns what the page wrote to its console. Debian's `chromium`; nothing is downloaded.
import { existsSync } from "node:fs"
import { readFile } from "node:fs/promises"
import { createServer, type Server } from "node:http"
import type { AddressInfo } from "node:net"
import { extname, join, normalize } from "node:path"
import { type Browser, chromium } from "playwright-core"

const executablePath = process.env["KINGLET_CHROMIUM"] ?? "/usr/bin/chromium"

/** False, said aloud, where there is no Chromium to run. */
export function hasChromium(): boolean {
  if (existsSync(executablePath)) return true
  console.warn(`SKIPPED: no Chromium at ${executablePath} (Debian: apt-get install chromium)`)
  return false
}

/** A browser without a window; who opens it closes it. */
export function launchChromium(): Promise<Browser> {
  return chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"] })
}

const mediaTypes: Record<string, string> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".json": "application/json",
  ".wasm": "application/wasm",
  ".txt": "text/plain; charset=utf-8",
}

export interface PageOptions {
  /** Page to open, default `index.html`. */
  readonly path?: string
  /** The page is done when a console line starts with this, default `done`. */
  readonly until?: string
  /** Default 60,000. */
  readonly limitMs?: number
  /** Sends the headers that make `SharedArrayBuffer` available, default true. */
  readonly isolated?: boolean
}

/**
 * Console lines of the page up to the one that starts with `until`, in order; errors as `error: ...`.
 * @throws Error  with the lines so far, if the page fails or takes longer than `limitMs`
 */
export async function runPage(folder: string, options: PageOptions = {}): Promise<string[]> {
  const { path = "index.html", until = "done", limitMs = 60_000, isolated = true } = options
  const server = await serve(folder, isolated)
  const browser = await launchChromium()
  const lines: string[] = []
  try {
    const page = await browser.newPage()
    await new Promise<void>((resolve, reject) => {
      const fail = (reason: string) => reject(new Error(`${reason}; the page said:\n${lines.join("\n")}`))
      const timer = setTimeout(() => fail(`no line "${until}" within ${limitMs} ms`), limitMs)
      page.on("console", (message) => {
        lines.push(message.type() === "error" ? `error: ${message.text()}` : message.text())
        if (!message.text().startsWith(until)) return
        clearTimeout(timer)
        resolve()
      })
      page.on("pageerror", (error) => {
        clearTimeout(timer)
        fail(`uncaught ${String(error)}`)
      })
      page.goto(`http://localhost:${(server.address() as AddressInfo).port}/${path}`).catch(reject)
    })
    return lines
  } finally {
    await browser.close()
    server.closeAllConnections()
    server.close()
  }
}

function serve(folder: string, isolated: boolean): Promise<Server> {
  const isolation = { "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp" }
  const server = createServer((request, response) => {
    const path = normalize(new URL(request.url ?? "/", "http://localhost").pathname)
    readFile(join(folder, path)).then(
      (body) => {
        const type = mediaTypes[extname(path)] ?? "application/octet-stream"
        response.writeHead(200, { "Content-Type": type, ...(isolated ? isolation : {}) }).end(body)
      },
      // An icon nobody made is no error of the page.
      () => response.writeHead(path === "/favicon.ico" ? 204 : 404).end(),
    )
  })
  return new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(server)))
}
