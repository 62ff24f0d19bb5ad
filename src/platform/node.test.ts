// Laws of the Node side: atomic files, clear errors, locks that outlive nobody, workers that look like a browser's.
import { spawn, spawnSync } from "node:child_process"
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { gzipSync } from "node:zlib"
import { build } from "esbuild"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { DataError, DeviceError, FormatError } from "../core/index.ts"
import { explainFileError } from "./file-errors.ts"
import { platform } from "./node.ts"
import { replaceStale } from "./node-lock.ts"
import { createSha256 } from "./sha256.ts"

const files = platform.files!
let dir = ""
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "kinglet-platform-"))
})
afterAll(() => rmSync(dir, { recursive: true, force: true }))

async function collect(chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  for await (const chunk of chunks) parts.push(chunk)
  return new Uint8Array(Buffer.concat(parts))
}

describe("files", () => {
  it("an atomic write leaves the whole content and no temporary file", async () => {
    const folder = join(dir, "atomic")
    mkdirSync(folder)
    await files.writeAtomic(join(folder, "a.txt"), "first")
    await files.writeAtomic(join(folder, "a.txt"), new Uint8Array([104, 105]))
    expect(readFileSync(join(folder, "a.txt"), "utf8")).toBe("hi")
    expect(readdirSync(folder)).toEqual(["a.txt"])
  })

  it("a failed atomic write keeps the old file, removes its temporary one and says why", async () => {
    const folder = join(dir, "blocked")
    mkdirSync(join(folder, "target"), { recursive: true })
    writeFileSync(join(folder, "target", "inside"), "x")
    await expect(files.writeAtomic(join(folder, "target"), "text")).rejects.toThrow()
    expect(readdirSync(folder)).toEqual(["target"])
    await expect(files.writeAtomic(join(folder, "missing", "a"), "text")).rejects.toThrow(DataError)
  })

  it.skipIf(!existsSync("/dev/full"))("a full disk is a DeviceError that says so", async () => {
    const handle = await files.open("/dev/full", "append")
    await expect(handle.write(new Uint8Array(10), 0)).rejects.toMatchObject({ code: "device", message: /disk is full/ })
    await handle.close()
  })

  it("a missing file is one sentence with a hint", async () => {
    const error = await files.readText(join(dir, "nowhere.txt")).catch((caught: unknown) => caught)
    expect(error).toBeInstanceOf(DataError)
    expect(error).toMatchObject({ message: /cannot read .*nowhere\.txt: no such file/, hint: /path/ })
  })

  it("permission denied is a DataError, an unknown failure is passed on", () => {
    expect(explainFileError({ code: "EACCES" }, "read", "x")).toMatchObject({
      message: "cannot read x: permission denied",
    })
    const strange = new Error("strange")
    expect(explainFileError(strange, "read", "x")).toBe(strange)
  })

  it.skipIf(process.getuid?.() === 0 || process.platform === "win32")(
    "an unreadable file says permission denied",
    async () => {
      const path = join(dir, "secret.txt")
      writeFileSync(path, "x")
      chmodSync(path, 0)
      await expect(files.readBytes(path)).rejects.toThrow(/permission denied/)
    },
  )

  it("reading at a position gives exactly those bytes, fewer only at the end", async () => {
    const path = join(dir, "handle.bin")
    const handle = await files.open(path, "write")
    await handle.write(new Uint8Array([1, 2, 3, 4]), 0)
    await handle.write(new Uint8Array([9]), 1)
    expect([...(await handle.read(0, 3))]).toEqual([1, 9, 3])
    expect([...(await handle.read(3, 10))]).toEqual([4])
    expect(await handle.size()).toBe(4)
    await handle.close()
    const again = await files.open(path, "append")
    await again.write(new Uint8Array([5]), await again.size())
    await again.close()
    expect([...(await files.readBytes(path))]).toEqual([1, 9, 3, 4, 5])
  })

  it("a stream gives the file's bytes in order, whatever its size", async () => {
    for (const size of [0, 1, 256 * 1024, 256 * 1024 + 1, 700_001]) {
      const bytes = Uint8Array.from({ length: size }, (_, i) => (i * 31) & 255)
      writeFileSync(join(dir, "stream.bin"), bytes)
      expect(Buffer.compare(await collect(files.stream(join(dir, "stream.bin"))), bytes)).toBe(0)
    }
  })

  it("globs, folders and plain names come sorted, absolute and once", async () => {
    const folder = join(dir, "glob")
    for (const name of ["b.txt", "a.md", "sub/c.txt", "sub/d.png", "node_modules/e.txt", "odd [1].txt"]) {
      mkdirSync(join(folder, name, ".."), { recursive: true })
      writeFileSync(join(folder, name), name)
    }
    const named = async (pattern: string) =>
      (await files.glob([join(folder, pattern)], { extensions: [".txt", ".md"] })).map((path) =>
        path.slice(folder.length + 1),
      )
    expect(await named("")).toEqual(["a.md", "b.txt", "odd [1].txt", "sub/c.txt"])
    expect(await named("*.txt")).toEqual(["b.txt", "odd [1].txt"])
    expect(await named("sub/*")).toEqual(["sub/c.txt"])
    expect(await named("sub/*.png")).toEqual(["sub/d.png"])
    expect(await named("odd [1].txt")).toEqual(["odd [1].txt"])
    expect(await named("node_modules")).toEqual(["node_modules/e.txt"])
    expect(await named("nothing/*")).toEqual([])
    expect(await files.glob([join(folder, "b.txt"), folder + "/b.*"])).toHaveLength(1)
  })

  it("remove takes folders and absent paths, rename moves, stat tells kinds", async () => {
    const folder = join(dir, "tree")
    await files.makeDirectory(join(folder, "x", "y"))
    await files.append(join(folder, "x", "log"), "one\n")
    await files.append(join(folder, "x", "log"), "two\n")
    await files.rename(join(folder, "x"), join(folder, "z"))
    expect(await files.readText(join(folder, "z", "log"))).toBe("one\ntwo\n")
    expect(await files.stat(join(folder, "z"))).toMatchObject({ kind: "directory" })
    expect(await files.list(join(folder, "z"))).toEqual(["log", "y"])
    await files.remove(folder)
    await files.remove(folder)
    expect(await files.exists(folder)).toBe(false)
  })
})

describe("locks", () => {
  const free = async (lock: Awaited<ReturnType<typeof files.lock>>) => "release" in lock && (await lock.release())

  it("a lock is held by one, and free after its release", async () => {
    const path = join(dir, "lock-one")
    const first = await files.lock(path)
    expect(await files.lock(path)).toEqual({ heldBy: process.pid })
    await free(first)
    const second = await files.lock(path)
    expect("release" in second).toBe(true)
    await free(first) // an old release does not open a newer lock
    expect(await files.lock(path)).toEqual({ heldBy: process.pid })
    await free(second)
    expect(existsSync(path)).toBe(false)
  })

  it("the lock of a dead process, of a reused process id and a damaged one are taken over", async () => {
    const path = join(dir, "lock-stale")
    const dead = spawnSync("true").pid
    const stale = [
      { pid: dead, started: "" },
      { pid: process.pid, started: "long ago" },
    ].map((holder) => JSON.stringify(holder))
    for (const content of [...stale, "", "{"]) {
      writeFileSync(path, content)
      const lock = await files.lock(path)
      expect("release" in lock).toBe(true)
      await free(lock)
    }
    expect(readdirSync(dir).filter((name) => name.startsWith("lock-stale"))).toEqual([])
  })

  it("the lock of another living process is respected, and taken once it was killed", async () => {
    const path = join(dir, "lock-other")
    const child = spawn("sleep", ["60"])
    await new Promise((resolve) => child.once("spawn", resolve))
    writeFileSync(path, JSON.stringify({ pid: child.pid, started: "" }))
    expect(await files.lock(path)).toEqual({ heldBy: child.pid })
    child.kill("SIGKILL")
    await new Promise((resolve) => child.once("exit", resolve))
    const lock = await files.lock(path)
    expect("release" in lock).toBe(true)
    await free(lock)
  })
})

describe("locks between processes", () => {
  const CONTENDERS = 6
  const ROUNDS = 5

  /** A program that tries the lock it is told on each line of its input and answers whether it won. */
  function startContender(script: string) {
    const child = spawn(process.execPath, [script])
    const lines: string[] = []
    const waiting: ((line: string) => void)[] = []
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      for (const line of text.split("\n").filter(Boolean)) (waiting.shift() ?? ((l) => lines.push(l)))(line)
    })
    const next = () =>
      new Promise<string>((resolve) => (lines.length ? resolve(lines.shift()!) : waiting.push(resolve)))
    return { try: (path: string) => (child.stdin.write(`${path}\n`), next()), stop: () => child.stdin.end() }
  }

  it("of many processes that find the same dead holder at once, exactly one wins", async () => {
    const script = join(dir, "contender.mjs")
    const program = `import { takeLock } from ${JSON.stringify(join(import.meta.dirname, "node-lock.ts"))}
      import { createInterface } from "node:readline"
      createInterface({ input: process.stdin }).on("line", (path) => console.log("release" in takeLock(path) ? "won" : "held"))`
    await build({
      stdin: { contents: program, resolveDir: dir },
      bundle: true,
      platform: "node",
      format: "esm",
      outfile: script,
    })
    const contenders = Array.from({ length: CONTENDERS }, () => startContender(script))
    const dead = JSON.stringify({ pid: spawnSync("true").pid, started: "" })
    for (let round = 0; round < ROUNDS; round++) {
      const path = join(dir, `contended-${round}`)
      writeFileSync(path, dead)
      writeFileSync(`${path}.takeover`, dead) // someone died in the middle of taking over
      const answers = await Promise.all(contenders.map((contender) => contender.try(path)))
      expect(answers.filter((answer) => answer === "won")).toHaveLength(1)
    }
    for (const contender of contenders) contender.stop()
  })
})

describe("taking over", () => {
  const dead = () => JSON.stringify({ pid: spawnSync("true").pid, started: "" })

  it("a lock that is no longer the one judged stale is left alone", () => {
    const path = join(dir, "lock-changed")
    writeFileSync(path, "a newer holder")
    expect(replaceStale(path, dead(), "mine")).toBe(false)
    expect(readFileSync(path, "utf8")).toBe("a newer holder")
    expect(replaceStale(path, "a newer holder", "mine")).toBe(true)
    expect(readFileSync(path, "utf8")).toBe("mine")
  })

  it("a stale lock that a living process is just taking over counts as held by it", async () => {
    const path = join(dir, "lock-contended")
    writeFileSync(path, dead())
    const guard = await files.lock(`${path}.takeover`)
    expect(await files.lock(path)).toEqual({ heldBy: process.pid })
    if ("release" in guard) await guard.release()
    expect("release" in (await files.lock(path))).toBe(true)
  })
})

describe("workers", () => {
  const ask = (source: string, message: unknown): Promise<unknown> =>
    new Promise((resolve, reject) => {
      const worker = platform.startWorker(source)
      worker.onMessage((answer) => void worker.terminate().then(() => resolve(answer)))
      worker.onError(reject)
      worker.post(message)
    })

  it("self.onmessage and postMessage work as in a browser, shared memory included", async () => {
    const memory = new SharedArrayBuffer(4)
    const source =
      "self.onmessage = ({ data }) => { new Int32Array(data)[0] = 7; postMessage(typeof self.postMessage) }"
    expect(await ask(source, memory)).toBe("function")
    expect(new Int32Array(memory)[0]).toBe(7)
  })

  it("an error in a worker arrives as an error", async () => {
    await expect(ask("onmessage = () => { throw new RangeError('too far') }", 1)).rejects.toThrow("too far")
    await expect(ask("onmessage = () => process.exit(3)", 1)).rejects.toThrow("exit code 3")
  })
})

describe("the machine", () => {
  it("says what it is", () => {
    expect(platform.engine).toMatch(/^node \d+\.\d+\.\d+ \(v8 \d+\.\d+\)$/)
    expect(platform.cores()).toBeGreaterThanOrEqual(1)
    const { totalBytes, freeBytes, rssBytes, peakRssBytes } = platform.memory()
    expect(peakRssBytes).toBeGreaterThanOrEqual(rssBytes)
    expect(freeBytes).toBeLessThanOrEqual(totalBytes)
    expect(rssBytes).toBeGreaterThan(1e6)
  })

  it("gzip and gunzip are each other's inverse, members one after another included", async () => {
    const bytes = new TextEncoder().encode("kinglet ".repeat(1000))
    const packed = await platform.gzip(bytes)
    async function* twice() {
      yield packed.subarray(0, 10)
      yield packed.subarray(10)
      yield packed
    }
    expect(Buffer.compare(await collect(platform.gunzip(twice())), Buffer.concat([bytes, bytes]))).toBe(0)
  })

  it("damaged and truncated gzip is a FormatError, a failing source its own error", async () => {
    const packed = gzipSync(Buffer.alloc(100_000, "abc"))
    async function* from(...chunks: Uint8Array[]) {
      yield* chunks
    }
    await expect(collect(platform.gunzip(from(packed.subarray(0, 50))))).rejects.toThrow(FormatError)
    await expect(collect(platform.gunzip(from(new Uint8Array([1, 2, 3]))))).rejects.toThrow(FormatError)
    async function* failing(): AsyncGenerator<Uint8Array> {
      yield packed.subarray(0, 50)
      throw new RangeError("source")
    }
    await expect(collect(platform.gunzip(failing()))).rejects.toThrow("source")
  })

  describe("brotli and xz", () => {
    const pseudoNoise = (length: number) => {
      const bytes = new Uint8Array(length)
      for (let at = 0, state = 1; at < length; at++) bytes[at] = (state = (state * 48271) % 0x7fffffff) >>> 8
      return bytes
    }
    async function* inPieces(parts: readonly Uint8Array[], pieceBytes: number) {
      for (const part of parts)
        for (let at = 0; at < part.length; at += pieceBytes) yield part.subarray(at, at + pieceBytes)
    }
    const sizes = (parts: readonly Uint8Array[], windowBits: number, pieceBytes = 65536) =>
      Promise.all(
        [platform.brotliSize, platform.xzSize].map((sizeOf) =>
          sizeOf(inPieces(parts, pieceBytes), {
            totalBytes: parts.reduce((sum, part) => sum + part.length, 0),
            windowBits,
          }),
        ),
      )
    const noise = pseudoNoise(300_000)

    it("see a repetition from one end of the text to the other where the window reaches so far, and not otherwise", async () => {
      for (const size of await sizes([noise, noise], 20))
        if (size !== undefined) expect(size).toBeLessThan(noise.length * 1.01)
      for (const size of await sizes([noise, noise], 16))
        if (size !== undefined) expect(size).toBeGreaterThan(noise.length * 1.9)
    })

    it("a text of more than 16 MB takes brotli's large window, in which its end finds its beginning", async () => {
      const filler = new Uint8Array(2 ** 24 + 1000) // zeros: quick to compress
      const size = await platform.brotliSize(inPieces([noise, filler, noise], 2 ** 20), {
        totalBytes: filler.length + 2 * noise.length,
        windowBits: 25,
      })
      expect(size).toBeLessThan(noise.length * 1.01)
    })

    it("give the same size for any pieces", async () => {
      const text = noise.map((byte) => 97 + (byte % 7))
      expect(await sizes([text], 20, 1000)).toEqual(await sizes([text], 20, text.length))
    })

    it("a missing xz has no size; one that fails says how", async () => {
      const folder = join(dir, "programs")
      mkdirSync(folder)
      const { PATH } = process.env
      process.env["PATH"] = folder
      try {
        expect((await sizes([noise], 20))[1]).toBeUndefined()
        for (const [script, message] of [
          [
            "echo 'xz: Cannot allocate memory' >&2; echo more >&2; exit 1",
            "with exit code 1: xz: Cannot allocate memory",
          ],
          ["exit 3", "with exit code 3"],
          ["kill -9 $$", "by SIGKILL"],
        ]) {
          writeFileSync(join(folder, "xz"), `#!/bin/sh\n${script}\n`, { mode: 0o755 })
          const failing = platform.xzSize(inPieces([noise], 65536), { totalBytes: noise.length, windowBits: 20 })
          await expect(failing).rejects.toThrow(new DeviceError(`xz failed ${message}`))
        }
      } finally {
        process.env["PATH"] = PATH
      }
    })

    it("stop with the signal's reason, and with the failure of what they read", async () => {
      async function* failing(): AsyncGenerator<Uint8Array> {
        yield noise
        throw new RangeError("source")
      }
      async function* endless(): AsyncGenerator<Uint8Array> {
        for (;;) yield noise
      }
      for (const sizeOf of [platform.brotliSize, platform.xzSize]) {
        const options = { totalBytes: 1e6, windowBits: 20 }
        if ((await sizeOf(inPieces([noise], 1e6), options)) === undefined) continue
        await expect(sizeOf(failing(), options)).rejects.toThrow("source")
        const signal = AbortSignal.timeout(50)
        await expect(sizeOf(endless(), { ...options, signal })).rejects.toMatchObject({ name: "AbortError" })
      }
    })
  })

  it("sha256 of pieces equals sha256 of the whole, in our own code too (FIPS 180-4 examples)", async () => {
    const abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    expect(await platform.sha256(new TextEncoder().encode("abc"))).toBe(abc)
    for (const size of [0, 1, 55, 56, 63, 64, 65, 119, 120, 1000]) {
      const bytes = Uint8Array.from({ length: size }, (_, i) => (i * 7 + size) & 255)
      for (const hash of [platform.createSha256(), createSha256()]) {
        for (let at = 0; at < size; at += 13) hash.update(bytes.subarray(at, at + 13))
        expect(hash.digest()).toBe(await platform.sha256(bytes))
      }
    }
  })
})
