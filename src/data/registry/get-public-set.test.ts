import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { gzipSync } from "node:zlib"
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from "vitest"
import { platform } from "#platform"
import { findPublicSet, type GetPublicSetOptions, getPublicSet, publicSetFolder } from "./get-public-set.ts"
import { nearestName } from "./nearest-name.ts"
import { publicSets } from "./public-sets.ts"

const DATA = process.env["KINGLET_DATA"] ?? join(import.meta.dirname, "../../../../shared/data")
const hasData = existsSync(join(DATA, "names.txt"))
if (!hasData) console.warn(`skipped: ${DATA} is absent (set KINGLET_DATA)`)

const root = mkdtempSync(join(tmpdir(), "kinglet-sets-"))
let folder = ""
let number = 0
beforeEach(() => {
  folder = join(root, `${number++}`)
})
afterEach(() => vi.unstubAllEnvs())
afterAll(() => rmSync(root, { recursive: true, force: true }))

/** A network on which every address gives `body`; the addresses asked for. */
function network(body: Uint8Array | (() => Uint8Array)) {
  const asked: string[] = []
  const fetch = (async (url: string) => {
    asked.push(url)
    return new Response(new Uint8Array(typeof body === "function" ? body() : body))
  }) as GetPublicSetOptions["fetch"] & object
  return { asked, fetch }
}

const noNetwork: GetPublicSetOptions["fetch"] & object = async () => {
  throw new Error("asked the network")
}

describe("the registry", () => {
  it.each(publicSets.map((set) => [set.name, set] as const))("%s is complete", (_, set) => {
    expect(set.name).toMatch(/^[a-z0-9-]+$/)
    expect(set.origin).toBe(`https://github.com/${set.repository}`)
    expect(set.commit).toMatch(/^[0-9a-f]{40}$/)
    expect(set.sha256).toMatch(/^[0-9a-f]{64}$/)
    expect(set.file).toMatch(/^[a-z0-9/-]+\.(txt|csv|jsonl\.gz)$/)
    expect(Math.min(set.bytes, set.downloadBytes)).toBeGreaterThan(0)
    for (const words of [set.title, set.measures, set.licence, set.facts]) expect(words.trim()).not.toBe("")
  })

  it("names no set, file or hash twice", () => {
    for (const key of ["name", "file", "sha256"] as const)
      expect(new Set(publicSets.map((set) => set[key])).size).toBe(publicSets.length)
  })

  it("knows which name was meant", () => {
    const names = publicSets.map(({ name }) => name)
    const meant = ["shakespeare", "tiny-shakespear", "BLIMP", "eltec", "medquat", "wikipedia", ""].map((name) =>
      nearestName(name, names),
    )
    expect(meant).toEqual([
      "tiny-shakespeare",
      "tiny-shakespeare",
      "blimp",
      "eltec-eng",
      "medquad",
      undefined,
      undefined,
    ])
  })
})

describe("the folder of sets", () => {
  it("is $KINGLET_DATA, else in $XDG_CACHE_HOME if that is absolute, else in ~/.cache", () => {
    vi.stubEnv("KINGLET_DATA", "/texts")
    expect(publicSetFolder()).toBe("/texts")
    vi.stubEnv("KINGLET_DATA", "")
    vi.stubEnv("XDG_CACHE_HOME", "/cache")
    expect(publicSetFolder()).toBe("/cache/kinglet/data")
    vi.stubEnv("XDG_CACHE_HOME", "relative")
    vi.stubEnv("HOME", "/home/ada")
    expect(publicSetFolder()).toBe("/home/ada/.cache/kinglet/data")
  })
})

describe.skipIf(!hasData)("with the sets at hand", () => {
  const names = hasData ? readFileSync(join(DATA, "names.txt")) : new Uint8Array()

  it.each(publicSets.map(({ name }) => name))(
    "%s is found by its hash, without a network",
    async (name) => {
      const { path, isNew } = await getPublicSet(name, { folder: DATA, fetch: noNetwork })
      expect([path.startsWith(DATA), isNew]).toEqual([true, false])
    },
    60_000,
  )

  it("a set is fetched once: from its commit, with all its bytes told, and kept whole", async () => {
    const { fetch, asked } = network(names)
    let told = 0
    const first = await getPublicSet("names", { folder, fetch, onProgress: ({ bytes }) => (told = bytes) })
    expect(first).toMatchObject({ path: join(folder, "names.txt"), isNew: true })
    expect(asked).toEqual([
      expect.stringMatching(/^https:\/\/raw\.githubusercontent\.com\/.*[0-9a-f]{40}\/names\.txt$/),
    ])
    expect([told, readFileSync(first.path).equals(names)]).toEqual([names.length, true])
    expect(await getPublicSet("names", { folder, fetch: noNetwork })).toMatchObject({ path: first.path, isNew: false })
  })

  it("two that fetch at the same time both have it, and nothing else lies there", async () => {
    const { fetch } = network(names)
    await Promise.all([getPublicSet("names", { folder, fetch }), getPublicSet("names", { folder, fetch })])
    expect(readdirSync(folder)).toEqual(["names.txt"])
  })

  it("packed text is known by what is inside, however it was packed", async () => {
    const set = publicSets.find(({ name }) => name === "code-python")!
    const chunks: Uint8Array[] = []
    for await (const chunk of platform.gunzip(platform.files!.stream(join(DATA, set.file)))) chunks.push(chunk)
    mkdirSync(folder)
    writeFileSync(join(folder, set.file), gzipSync(Buffer.concat(chunks), { level: 1 }))
    expect(await findPublicSet("code-python", folder)).toBe(join(folder, set.file))
  })
})

describe("nothing is taken for a set that is not", () => {
  it("wrong bytes are refused and leave nothing", async () => {
    const bytes = publicSets.find(({ name }) => name === "names")!.bytes
    const { fetch } = network(new Uint8Array(bytes))
    await expect(getPublicSet("names", { folder, fetch })).rejects.toThrow(/has the SHA-256 [0-9a-f]{64}, expected/)
    expect(readdirSync(folder)).toEqual([])
  })

  it("an archive of other files, a page of HTML, or a cut one is refused and leaves nothing", async () => {
    const empty = gzipSync(Buffer.alloc(1024))
    for (const [body, message] of [
      [empty, /gives for gadre-104 has the SHA-256/],
      [Buffer.from("<html>"), /codeload.*: gzip data is damaged/],
      [empty.subarray(0, 15), /codeload.*: gzip data is damaged/],
      [gzipSync(Buffer.from("<html>".repeat(200))), /codeload.*: this is no header of a tar archive/],
    ] as const)
      await expect(getPublicSet("gadre-104", { folder, fetch: network(body).fetch })).rejects.toMatchObject({
        code: "data",
        message: expect.stringMatching(message) as string,
      })
    expect(readdirSync(join(folder, "scaling-laws"))).toEqual([])
  })

  it.each([
    ["names", "names.txt", "my own names"],
    ["medquad", "medquad.jsonl.gz", "not even packed"],
  ])("another file in the place of %s is told of, and stays as it is", async (name, file, text) => {
    mkdirSync(folder)
    writeFileSync(join(folder, file), text)
    await expect(getPublicSet(name, { folder, fetch: noNetwork })).rejects.toThrow(`is not the public set ${name}`)
    expect(readFileSync(join(folder, file), "utf8")).toBe(text)
  })

  it("an unknown name says which was meant", async () => {
    await expect(getPublicSet("blim", { folder })).rejects.toMatchObject({
      code: "config",
      hint: "did you mean blimp?",
    })
    await expect(getPublicSet("wikipedia", { folder })).rejects.toMatchObject({
      hint: expect.stringContaining("tiny-shakespeare, names, blimp") as string,
    })
  })

  it("an aborted fetch ends with the caller's reason and leaves nothing", async () => {
    const { fetch } = network(() => new Uint8Array(10))
    const signal = AbortSignal.abort(new Error("enough"))
    await expect(getPublicSet("names", { folder, fetch, signal })).rejects.toThrow("enough")
    expect(readdirSync(folder)).toEqual([])
  })

  it("a folder that cannot be made is told before anything is fetched", async () => {
    writeFileSync(folder, "a file")
    await expect(getPublicSet("names", { folder: join(folder, "x"), fetch: noNetwork })).rejects.toMatchObject({
      code: "data",
    })
  })
})
