// kinglet tokenizer: train one alone, turn text into ids and back.

import { platform } from "#platform"
import { ConfigError, DataError, formatBytes, formatDuration } from "../../core/index.ts"
import { files as filesSource } from "../../data/index.ts"
import { END_OF_TEXT, loadTokenizer, type Tokenizer, trainBpe } from "../../tokenizer/index.ts"
import { count } from "../numbers.ts"
import type { Output } from "../output.ts"

export async function trainTokenizer(
  paths: readonly string[],
  { vocab, out }: { vocab: number; out: string },
  output: Output,
): Promise<number> {
  const files = platform.files!
  if (await files.exists(out)) throw new ConfigError(`${out} exists already`, "choose another file: --out NAME.json")
  const startMs = platform.now()
  const { yieldToEventLoop } = platform
  const read = { bytes: 0 }
  const tokenizer = await trainBpe(textsOf(paths, read), {
    vocabSize: vocab,
    specialTokens: [END_OF_TEXT],
    yieldToEventLoop,
  })
  await files.writeAtomic(out, `${tokenizer.toJson()}\n`)
  const seconds = (platform.now() - startMs) / 1000
  await output.event({ path: out, vocabSize: tokenizer.vocabSize, bytes: read.bytes, seconds })
  await output.say(
    `  ${count(tokenizer.vocabSize)} tokens from ${formatBytes(read.bytes)} in ${formatDuration(seconds)}: ${out}`,
    "",
    `  next: npx kinglet tokenizer encode ${out} "Once upon a time"`,
  )
  return 0
}

async function* textsOf(paths: readonly string[], read: { bytes: number }): AsyncGenerator<string> {
  const encoder = new TextEncoder()
  for await (const { text } of filesSource(...paths).documents()) {
    read.bytes += encoder.encode(text).length
    yield text
  }
}

export async function encodeText(path: string, text: string | undefined, output: Output): Promise<number> {
  const tokenizer = await tokenizerAt(path)
  const ids = [...tokenizer.encode(text ?? (await readInput("text")))]
  await output.event({ ids, tokens: ids.map((id) => tokenizer.decode([id])) })
  await output.answer(`${ids.join(" ")}\n`)
  return 0
}

export async function decodeIds(path: string, given: readonly string[], output: Output): Promise<number> {
  const tokenizer = await tokenizerAt(path)
  const words = (given.length > 0 ? given.join(" ") : await readInput("ids"))
    .split(/[\s,]+/)
    .filter((word) => word !== "")
  const ids = words.map((word) => idOf(word, tokenizer))
  const text = tokenizer.decode(ids)
  await output.event({ text })
  await output.answer(output.terminal.stdout.isTTY ? `${text}\n` : text)
  return 0
}

function idOf(word: string, { vocabSize }: Tokenizer): number {
  const id = Number(word)
  if (Number.isInteger(id) && id >= 0 && id < vocabSize) return id
  throw new DataError(`ids are whole numbers from 0 to ${vocabSize - 1}, got "${word}"`)
}

/** A tokenizer.json, or the one in or above a folder of a run. */
async function tokenizerAt(path: string): Promise<Tokenizer> {
  const files = platform.files!
  if ((await files.stat(path))?.kind !== "directory") return loadTokenizer(await files.readText(path))
  for (const folder of [path, files.dirname(files.dirname(path))]) {
    const inside = files.join(folder, "tokenizer.json")
    if (await files.exists(inside)) return loadTokenizer(await files.readText(inside))
  }
  throw new DataError(`there is no tokenizer.json in ${path}`, "name the file, or the folder of a run")
}

/** Standard input as text. */
async function readInput(what: string): Promise<string> {
  const chunks = platform.stdin()
  if (!chunks) throw new ConfigError(`no ${what} given`, `name the ${what}, or pipe it in`)
  const decoder = new TextDecoder("utf-8", { fatal: false })
  let text = ""
  for await (const chunk of chunks) text += decoder.decode(chunk, { stream: true })
  return text + decoder.decode()
}
