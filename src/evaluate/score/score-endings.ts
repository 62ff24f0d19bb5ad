// Log probabilities of endings after a beginning: what minimal pairs, multiple choice and cloze are made of.
import type { Executable } from "../../backends/index.ts"
import type { Model } from "../../generate/index.ts"
import { createCache, type DecoderConfig, decoder } from "../../models/index.ts"
import { input, program } from "../../tensor/index.ts"
import { headNats, targetsFeed } from "./head-nats.ts"
import { type PassShape, type ReadingPass, readingPasses } from "./reading-passes.ts"
import { type EndingsItem, type Reading, readingsOf, sizeOfReadings } from "./readings.ts"
import { runAhead } from "./run-ahead.ts"

export type { EndingsItem } from "./readings.ts"

export interface EndingScore {
  /** `Σ -ln p(token)` over the scored tokens. */
  readonly nats: number
  /** Tokens that were scored: all of the ending, but a first one that nothing precedes. */
  readonly tokens: number
  /** Whether each of them was the single likeliest one, so that greedy decoding writes this ending. Only if asked for. */
  readonly isGreedy?: boolean
}

export interface ScoreEndingsOptions {
  /** Also say whether greedy decoding writes an ending. */
  readonly greedy?: boolean
  readonly signal?: AbortSignal
  readonly onProgress?: (progress: { readonly items: number; readonly total: number }) => void
}

/**
 * Tokens of one pass, and sequences side by side. Minimal pairs by bytes at 1 M parameters, pairs a processor second, each measured
 * once on a busy machine: 127 at 32 slots of 16 tokens and 122 at 32 of 8, within noise of each other; 113 at 128 of 8, 95 at 256
 * of 4 (which compute least, but whose caches are large).
 */
const TOKENS_PER_PASS = 512
const MOST_SLOTS = 32
/** Fewer sequences are read in longer chunks; up to so many tokens. */
const MOST_WIDTH = 64
/** Keys and values of all slots, bytes. */
const MOST_CACHE_BYTES = 1 << 27
/** The fewest slots; others are four times as many, so that a call for one item does not pay for all. */
const LEAST_SLOTS = 2
/** The shortest cache; others are four times as long as the one before, up to the context: three of them at 2,048 tokens. */
const LEAST_CACHE = 128

/**
 * `-ln p(ending | prefix)` for every ending of every item, in their order.
 *
 * What items and endings have in common is read once, if it is at their beginning. Where a prefix and the longest of its endings
 * exceed the context, the oldest tokens of the prefix are dropped, for all its endings alike. An ending longer than the context
 * is scored in windows that do not overlap.
 *
 * Calls for one model that need the same cache take turns. A cache is kept with the model: of at most 128 MB for each of the
 * lengths 128, 512, 2,048, … up to the context that was needed, and for few endings smaller ones.
 *
 * @throws the signal's reason  if it is aborted
 */
export async function scoreEndings(
  model: Model,
  items: readonly EndingsItem[],
  options: ScoreEndingsOptions = {},
): Promise<EndingScore[][]> {
  const { greedy = false, signal, onProgress } = options
  const contextLength = model.config.maxPositionEmbeddings
  const sizes = items.map((item) => sizeOfReadings(item, contextLength))
  const scores = createScores(items, sizes, greedy)
  if (scores.done === items.length) return scores.all()
  const shape = passShape(model.config, sizes)
  const { pass, inTurn } = await readingPass(model, shape, greedy)
  const slots = createSlots(shape)
  const readAll = () =>
    runAhead(readingPasses(allReadings(items, contextLength), shape), {
      start: ({ tokens, targets, position }) =>
        pass.run({
          tokens,
          ...targetsFeed(targets, model.config.vocabSize),
          ...(Object.hasOwn(pass.program.inputs, "position") ? { position } : {}), // a model without layers knows no place
        }),
      finish: ({ nats, hit }, { chunks }) => {
        for (const chunk of chunks) {
          slots.write(chunk, nats!, hit)
          if (chunk.end === chunk.reading.ids.length - 1)
            scores.add(chunk.reading, slots.sum(chunk.slot, chunk.reading))
        }
        onProgress?.({ items: scores.done, total: items.length })
      },
      signal,
    })
  await inTurn(readAll)
  return scores.all()
}

function* allReadings(items: readonly EndingsItem[], contextLength: number): Generator<Reading> {
  for (const [index, item] of items.entries()) yield* readingsOf(item, index, contextLength)
}

type ReadingsSize = ReturnType<typeof sizeOfReadings>

/** 2, 8 or 32 slots (fewer where they are large), and few lengths: few shapes are ever compiled for a model. */
function passShape(config: DecoderConfig, sizes: readonly ReadingsSize[]): PassShape {
  const count = sizes.reduce((sum, size) => sum + size.count, 0)
  const longest = sizes.reduce((most, size) => Math.max(most, size.longest), 0)
  const { maxPositionEmbeddings, numHiddenLayers, numKeyValueHeads, headDim } = config
  let cacheLength = LEAST_CACHE
  while (cacheLength < longest) cacheLength *= 4
  cacheLength = Math.min(maxPositionEmbeddings, cacheLength)
  const slotBytes = Math.max(1, 8 * numHiddenLayers * cacheLength * numKeyValueHeads * headDim)
  let slots = LEAST_SLOTS
  while (slots < Math.min(count, MOST_SLOTS)) slots *= 4
  while (slots > 1 && slots * slotBytes > MOST_CACHE_BYTES) slots /= 2
  return { slots, width: Math.min(cacheLength, MOST_WIDTH, TOKENS_PER_PASS / slots), cacheLength }
}

/** The nats of the tokens that each slot's cache holds: what a reading shares with the one before it is there already. */
function createSlots({ slots, width, cacheLength }: PassShape) {
  const row = cacheLength + 1
  const nats = new Float64Array(slots * row)
  const hits = new Float64Array(slots * row)
  const write = (
    { slot, from, end, column }: ReadingPass["chunks"][number],
    found: Float32Array,
    hit?: Float32Array,
  ) => {
    const [source, target] = [slot * width + column, slot * row + from + 1]
    nats.set(found.subarray(source, source + end - from), target)
    if (hit !== undefined) hits.set(hit.subarray(source, source + end - from), target)
  }
  const sum = (slot: number, { ids, scoredFrom }: Reading): Required<EndingScore> => {
    const found = { nats: 0, tokens: ids.length - scoredFrom, isGreedy: true }
    for (let at = slot * row + scoredFrom; at < slot * row + ids.length; at++) {
      found.nats += nats[at]!
      found.isGreedy &&= hits[at] === 1
    }
    return found
  }
  return { write, sum }
}

/** Sums by item and ending; an ending may come in several readings. */
function createScores(items: readonly EndingsItem[], sizes: readonly ReadingsSize[], greedy: boolean) {
  const sums = items.map(({ endings }) => endings.map(() => ({ nats: 0, tokens: 0, isGreedy: true })))
  const left = sizes.map(({ count }) => count)
  let done = left.filter((count) => count === 0).length
  return {
    /** Items of which nothing is left to read. */
    get done() {
      return done
    },
    add({ item, ending }: Reading, found: Required<EndingScore>): void {
      const sum = sums[item]![ending]!
      sum.nats += found.nats
      sum.tokens += found.tokens
      sum.isGreedy &&= found.isGreedy
      if (--left[item]! === 0) done++
    },
    all: (): EndingScore[][] =>
      sums.map((endings) => endings.map(({ isGreedy, ...sum }) => (greedy ? { ...sum, isGreedy } : sum))),
  }
}

/** One cache, shared by the passes that also find the likeliest token and those that do not: they take turns. */
interface SharedCache {
  readonly cache: ReturnType<typeof createCache>
  readonly passes: Map<boolean, Promise<Executable>>
  readonly inTurn: <T>(work: () => Promise<T>) => Promise<T>
}

const caches = new WeakMap<Model, Map<string, SharedCache>>()

/** The pass over so many slots: compiled on first use, kept with the model as its cache is; to be used in turn. */
async function readingPass(model: Model, shape: PassShape, likeliest: boolean) {
  const known = caches.get(model) ?? new Map<string, SharedCache>()
  caches.set(model, known)
  const key = JSON.stringify(shape)
  const shared = known.get(key) ?? {
    cache: createCache(model.config, shape.slots, shape.cacheLength),
    passes: new Map<boolean, Promise<Executable>>(),
    inTurn: createQueue(),
  }
  known.set(key, shared)
  const made = shared.passes.get(likeliest) ?? compileReadingPass(model, shape, shared.cache, likeliest)
  shared.passes.set(likeliest, made)
  made.catch(() => shared.passes.delete(likeliest)) // the next caller tries again
  return { pass: await made, inTurn: shared.inTurn }
}

/** Works one after the other, in the order in which they came, whether or not the one before failed. */
function createQueue(): SharedCache["inTurn"] {
  let last: Promise<unknown> = Promise.resolve()
  return (work) => {
    const run = last.then(work)
    last = run.catch(() => {}) // told to whom it belongs
    return run
  }
}

async function compileReadingPass(
  model: Model,
  { slots, width }: PassShape,
  cache: SharedCache["cache"],
  likeliest: boolean,
): Promise<Executable> {
  const tokens = input("tokens", [slots, width], "i32")
  const position = input("position", [slots], "i32")
  const { head, updates } = decoder(model.config, model.parameters, tokens, { position, cache })
  const { pass } = await model.workspace.compile({
    pass: program({ outputs: { ...headNats(head, { likeliest }) }, updates }),
  })
  return pass
}
