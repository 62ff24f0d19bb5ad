// Token ids on disk, so that a corpus larger than memory trains: a folder of shard files and an `index.json` written last.
//
// A shard: 64 bytes of header, the tokens (u16 or u32), the documents that begin in it (u32, tokens from the shard's start).
// The header is little-endian: "KINGLTOK", u32 version, u32 bytes a token, u32 tokens, u32 documents, 8 zero bytes, SHA-256.
import { platform } from "#platform"
import { ConfigError, DataError, DeviceError, FormatError } from "../core/index.ts"
import type { Document } from "./source.ts"
import { checkRange, encodeDocument, memoryTokens, type TokenEncoder, type TokenSource } from "./token-source.ts"

const MAGIC = "KINGLTOK"
const VERSION = 1
const HEADER_BYTES = 64
/** 2^24 tokens: 32 MiB as u16, a size that copies, checks and caches well. */
const SHARD_TOKENS = 2 ** 24
/** Shards of no more bytes than this in all are read into memory once, and reading is then immediate. */
const MEMORY_BYTES = 64 * 2 ** 20
/** A shard is written from one buffer: 4 GiB as u32. */
const MAX_SHARD_TOKENS = 2 ** 30
/** Open files at a time. */
const MAX_OPEN_SHARDS = 32
/** Room that index.json may take, against a damaged or foreign file: about a million shards. */
const MAX_INDEX_BYTES = 2 ** 27

export interface ShardOptions {
  /** Default: u16 where the vocabulary fits, else u32. */
  readonly tokenDType?: "u16" | "u32"
  /** Tokens a shard, at most; default 2^24. */
  readonly shardTokens?: number
}

interface ShardEntry {
  readonly file: string
  readonly tokens: number
  readonly documents: number
  readonly sha256: string
}

/** `index.json`. */
interface ShardIndex {
  readonly format: "kinglet-tokens"
  readonly version: number
  readonly tokenDType: "u16" | "u32"
  readonly tokens: number
  readonly documents: number
  readonly shards: readonly ShardEntry[]
}

const fileSystem = () => {
  if (!platform.files)
    throw new DeviceError("token shards need files, which a browser has not", "keep tokens in memory")
  return platform.files
}
const bytesPerToken = (tokenDType: "u16" | "u32"): number => (tokenDType === "u16" ? 2 : 4)
const bytesOf = (array: Uint16Array | Uint32Array): Uint8Array =>
  new Uint8Array(array.buffer, array.byteOffset, array.byteLength)

function headerBytes(entry: ShardEntry, width: number): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES)
  const view = new DataView(bytes.buffer)
  bytes.set(new TextEncoder().encode(MAGIC))
  for (const [index, value] of [VERSION, width, entry.tokens, entry.documents].entries())
    view.setUint32(8 + 4 * index, value, true)
  for (let at = 0; at < 32; at++) bytes[32 + at] = Number.parseInt(entry.sha256.slice(2 * at, 2 * at + 2), 16)
  return bytes
}

function parseHeader(
  bytes: Uint8Array,
  file: string,
): { width: number; tokens: number; documents: number; sha256: string } {
  if (bytes.length < HEADER_BYTES)
    throw new FormatError(`${file}: expected a header of ${HEADER_BYTES} bytes, got ${bytes.length}`, {
      offset: bytes.length,
    })
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  const magic = String.fromCharCode(...bytes.subarray(0, 8))
  if (magic !== MAGIC)
    throw new FormatError(`${file} is not a finished token shard`, { offset: 0, hint: "tokenize the data again" })
  const [version, width, tokens, documents] = [8, 12, 16, 20].map((at) => view.getUint32(at, true)) as [
    number,
    number,
    number,
    number,
  ]
  if (version !== VERSION)
    throw new FormatError(`${file}: expected version ${VERSION}, got ${version}`, {
      offset: 8,
      hint: "a newer kinglet wrote it",
    })
  if (width !== 2 && width !== 4)
    throw new FormatError(`${file}: expected 2 or 4 bytes a token, got ${width}`, { offset: 12 })
  const sha256 = Array.from(bytes.subarray(32, 64), (byte) => byte.toString(16).padStart(2, "0")).join("")
  return { width, tokens, documents, sha256 }
}

/** Fills shards one after another; at most one shard's tokens are in memory. */
function createShardWriter(dir: string, tokenDType: "u16" | "u32", shardTokens: number) {
  const buffer = tokenDType === "u16" ? new Uint16Array(shardTokens) : new Uint32Array(shardTokens)
  const shards: ShardEntry[] = []
  let filled = 0
  let starts: number[] = []
  const flush = async (): Promise<void> => {
    if (filled === 0) return
    const file = `shard-${String(shards.length).padStart(5, "0")}.tokens`
    const payload = [bytesOf(buffer.subarray(0, filled)), bytesOf(Uint32Array.from(starts))]
    const hash = platform.createSha256()
    for (const part of payload) hash.update(part)
    const entry = { file, tokens: filled, documents: starts.length, sha256: hash.digest() }
    await writeShard(fileSystem().join(dir, file), [headerBytes(entry, buffer.BYTES_PER_ELEMENT), ...payload])
    shards.push(entry)
    filled = 0
    starts = []
  }
  const add = async (ids: Int32Array): Promise<void> => {
    if (filled === shardTokens) await flush()
    starts.push(filled)
    for (let at = 0; at < ids.length; ) {
      if (filled === shardTokens) await flush()
      const part = ids.subarray(at, at + shardTokens - filled)
      buffer.set(part, filled)
      filled += part.length
      at += part.length
    }
  }
  return { add, flush, shards }
}

/** The header is written last: a shard cut off by a crash begins with zeros and is refused. */
async function writeShard(path: string, [header, ...payload]: readonly Uint8Array[]): Promise<void> {
  const handle = await fileSystem().open(path, "write")
  try {
    let position = HEADER_BYTES
    for (const part of payload) {
      await handle.write(part, position)
      position += part.length
    }
    await handle.write(header!, 0)
    await handle.sync()
  } finally {
    await handle.close()
  }
}

function checkIds(ids: Int32Array, vocabSize: number, id: string): void {
  for (let at = 0; at < ids.length; at++)
    if (ids[at]! < 0 || ids[at]! >= vocabSize)
      throw new DataError(
        `document ${id}: token ${at} is ${ids[at]}, expected 0 to ${vocabSize - 1}`,
        "the tokenizer gives ids outside its vocabulary",
      )
}

/**
 * Encodes documents into shards in `dir`, one document at a time; what was in `dir` before is removed.
 *
 * @returns  tokens and documents written
 * @throws DataError  for an id outside the vocabulary
 * @throws DeviceError  if the disk is full
 */
export async function writeShards(
  documents: AsyncIterable<Document>,
  encoder: TokenEncoder,
  dir: string,
  options: ShardOptions = {},
): Promise<{ tokens: number; documents: number }> {
  const { tokenDType = encoder.vocabSize <= 65536 ? "u16" : "u32", shardTokens = SHARD_TOKENS } = options
  if (tokenDType === "u16" && encoder.vocabSize > 65536)
    throw new ConfigError(
      `u16 holds token ids up to 65535, the vocabulary has ${encoder.vocabSize}`,
      'use tokenDType "u32"',
    )
  if (!(Number.isInteger(shardTokens) && shardTokens >= 1 && shardTokens <= MAX_SHARD_TOKENS))
    throw new ConfigError(`shardTokens must be 1 to ${MAX_SHARD_TOKENS}, got ${shardTokens}`)
  const files = fileSystem()
  await files.remove(dir)
  await files.makeDirectory(dir)
  const writer = createShardWriter(dir, tokenDType, shardTokens)
  for await (const { id, text } of documents) {
    const ids = encodeDocument(text, encoder)
    checkIds(ids, encoder.vocabSize, id)
    if (ids.length > 0) await writer.add(ids)
  }
  await writer.flush()
  const sum = (key: "tokens" | "documents") => writer.shards.reduce((total, shard) => total + shard[key], 0)
  const counts = { tokens: sum("tokens"), documents: sum("documents") }
  const index: ShardIndex = { format: "kinglet-tokens", version: VERSION, tokenDType, ...counts, shards: writer.shards }
  await files.writeAtomic(files.join(dir, "index.json"), `${JSON.stringify(index, null, 1)}\n`)
  return counts
}

async function readIndex(dir: string): Promise<ShardIndex> {
  const files = fileSystem()
  const path = files.join(dir, "index.json")
  const size = (await files.stat(path))?.bytes ?? 0
  if (size > MAX_INDEX_BYTES) throw new FormatError(`${path} is larger than ${MAX_INDEX_BYTES} bytes`)
  let index: Partial<ShardIndex>
  try {
    index = JSON.parse(await files.readText(path)) as Partial<ShardIndex>
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause
    throw new FormatError(`${path} is not valid JSON`, { cause, hint: "tokenize the data again" })
  }
  if (index?.format !== "kinglet-tokens" || !Array.isArray(index.shards))
    throw new FormatError(`${path} is no index of token shards`)
  if (index.version !== VERSION)
    throw new FormatError(`${path}: expected version ${VERSION}, got ${index.version}`, {
      hint: "a newer kinglet wrote it",
    })
  for (const { file } of index.shards)
    if (!/^shard-\d+\.tokens$/.test(file)) throw new FormatError(`${path}: "${file}" is not the name of a shard`)
  return index as ShardIndex
}

interface OpenShard extends ShardEntry {
  readonly path: string
  /** Position of its first token in the whole. */
  readonly start: number
  readonly width: number
  readonly documentStarts: Uint32Array
}

/** Checks one shard against the index and its own size, and reads its document starts. */
async function openShard(
  dir: string,
  entry: ShardEntry,
  width: number,
  start: number,
  verify: boolean,
): Promise<OpenShard> {
  const files = fileSystem()
  const path = files.join(dir, entry.file)
  const handle = await files.open(path, "read")
  try {
    const header = parseHeader(await handle.read(0, HEADER_BYTES), path)
    if (
      header.tokens !== entry.tokens ||
      header.documents !== entry.documents ||
      header.width !== width ||
      header.sha256 !== entry.sha256
    )
      throw new FormatError(`${path} is not the shard that index.json names`, { hint: "tokenize the data again" })
    const tokenBytes = entry.tokens * width
    const expected = HEADER_BYTES + tokenBytes + entry.documents * 4
    const size = await handle.size()
    if (size !== expected)
      throw new FormatError(`${path}: expected ${expected} bytes, got ${size}`, {
        offset: Math.min(size, expected),
        hint: "tokenize the data again",
      })
    if (verify) await verifyHash(handle, expected, entry, path)
    const starts = await handle.read(HEADER_BYTES + tokenBytes, entry.documents * 4)
    return { ...entry, path, start, width, documentStarts: new Uint32Array(starts.slice().buffer) }
  } finally {
    await handle.close()
  }
}

type Handle = Awaited<ReturnType<ReturnType<typeof fileSystem>["open"]>>

async function verifyHash(handle: Handle, end: number, entry: ShardEntry, path: string): Promise<void> {
  const hash = platform.createSha256()
  const step = 2 ** 20
  for (let at = HEADER_BYTES; at < end; at += step) hash.update(await handle.read(at, Math.min(step, end - at)))
  if (hash.digest() !== entry.sha256)
    throw new FormatError(`${path}: its SHA-256 is not the one in its header`, {
      hint: "the file was damaged: tokenize the data again",
    })
}

/** Handles of the shards used last; the one unused longest is closed when there are too many. */
function createHandleCache() {
  const open = new Map<string, Promise<Handle>>()
  const get = (path: string): Promise<Handle> => {
    const handle = open.get(path) ?? fileSystem().open(path, "read")
    open.delete(path)
    open.set(path, handle)
    handle.catch(() => open.delete(path)) // tried anew next time
    return handle
  }
  /** Only between reads: nothing is closed under a reader. */
  const trim = async (limit: number): Promise<void> => {
    for (const [path, handle] of [...open].slice(0, Math.max(0, open.size - limit))) {
      open.delete(path)
      await (await handle).close()
    }
  }
  return { get, trim }
}

/** Tokens of one shard as i32. */
async function readTokens(handle: Handle, shard: OpenShard, from: number, count: number): Promise<Int32Array> {
  const bytes = await handle.read(HEADER_BYTES + from * shard.width, count * shard.width)
  if (bytes.length !== count * shard.width)
    throw new FormatError(`${shard.path} became shorter while it was read`, {
      offset: HEADER_BYTES + from * shard.width + bytes.length,
    })
  const { buffer, byteOffset } = bytes.byteOffset % shard.width === 0 ? bytes : bytes.slice()
  return new Int32Array(
    shard.width === 2 ? new Uint16Array(buffer, byteOffset, count) : new Uint32Array(buffer, byteOffset, count),
  )
}

/** The shard that holds token `position`, by bisection. */
function shardAt(shards: readonly OpenShard[], position: number): number {
  let low = 0
  let high = shards.length - 1
  while (low < high) {
    const middle = (low + high + 1) >> 1
    if (shards[middle]!.start <= position) low = middle
    else high = middle - 1
  }
  return low
}

function shardTokenSource(shards: readonly OpenShard[], length: number, documentStarts: Float64Array): TokenSource {
  const handles = createHandleCache()
  let readers = 0
  const readParts = async (start: number, count: number): Promise<Int32Array> => {
    const tokens = new Int32Array(count)
    for (let done = 0, index = shardAt(shards, start); done < count; index++) {
      const shard = shards[index]!
      const from = start + done - shard.start
      const part = Math.min(count - done, shard.tokens - from)
      tokens.set(await readTokens(await handles.get(shard.path), shard, from, part), done)
      done += part
    }
    return tokens
  }
  const read = async (start: number, count: number): Promise<Int32Array> => {
    checkRange(start, count, length)
    readers++
    try {
      return await readParts(start, count)
    } finally {
      if (--readers === 0) await handles.trim(MAX_OPEN_SHARDS)
    }
  }
  return { length, read, documentStarts, close: () => handles.trim(0) }
}

/**
 * Opens the shards in `dir`. Sizes and headers are checked at once, the bytes themselves with `verify`.
 *
 * @param options.memoryBytes  shards of at most so many bytes are kept in memory as i32; default 64 MiB, 0 for never
 * @throws FormatError  if a shard is truncated, unfinished, of another version or not the one the index names
 */
export async function openShards(
  dir: string,
  options: { verify?: boolean; memoryBytes?: number } = {},
): Promise<TokenSource> {
  const index = await readIndex(dir)
  const width = bytesPerToken(index.tokenDType)
  const shards: OpenShard[] = []
  let length = 0
  for (const entry of index.shards) {
    shards.push(await openShard(dir, entry, width, length, options.verify ?? false))
    length += entry.tokens
  }
  const documentStarts = Float64Array.from(
    shards.flatMap((shard) => Array.from(shard.documentStarts, (at) => shard.start + at)),
  )
  const onDisk = shardTokenSource(shards, length, documentStarts)
  if (length * 4 > (options.memoryBytes ?? MEMORY_BYTES)) return onDisk
  const tokens = await onDisk.read(0, length)
  await onDisk.close()
  return memoryTokens(tokens, documentStarts)
}
