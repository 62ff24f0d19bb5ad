// Copying: how much of what the model writes stands in its training text, beside how much of what people wrote does.
import { type DataInput, toSource } from "../../data/index.ts"
import { runSliced } from "../baselines/slices.ts"
import { type Interval, meanInterval } from "../statistics/index.ts"
import { differenceInterval } from "./difference-interval.ts"
import { createNgramIndex } from "./ngram-index.ts"
import { streamNgrams } from "./stream-ngrams.ts"
import { cutCharacters, cutWords, symbolsOf } from "./symbols.ts"

/** What is counted. */
export interface CopiedOptions {
  /** Default words. */
  readonly unit?: "words" | "characters"
  /** Symbols of an n-gram. Default 4, 8 and 13 words, or 20 and 50 characters. */
  readonly lengths?: readonly number[]
  readonly signal?: AbortSignal | undefined
  /** UTF-16 units of training text read so far. */
  readonly onProgress?: ((progress: { readonly units: number }) => void) | undefined
}

/** How much is copied, by length. */
export interface CopiedNgrams {
  readonly unit: "words" | "characters"
  readonly lengths: readonly CopiedOfLength[]
  readonly samples: number
  readonly controls: number
  /** The longest n-grams are copied more often than by people: the interval of that difference lies above 0. */
  readonly fires: boolean
}

/** N-grams of one length. */
export interface CopiedOfLength {
  readonly length: number
  /** Mean over samples of the share of their n-grams that the training text has. */
  readonly share: number
  /** The same of held-out text: the base rate. */
  readonly control: number
  readonly difference: number
  readonly interval: Interval | undefined
}

const LENGTHS = { words: [4, 8, 13], characters: [20, 50] }

/**
 * Share of n-grams of generated samples that the training text has, beside the same share of as much held-out text.
 *
 * Short n-grams of any text stand in a long training text, so a share alone says nothing; the base rate is what people who
 * have not read it reach. A model that writes more commonplace text than people do copies short ones a little more often and
 * long ones not: only the longest decide.
 *
 * @param samples   what the model wrote, without the prompts
 * @param controls  held-out passages of about the same length
 * @see McCoy et al. 2023, "How much do language models copy from their training data?", arXiv:2111.09509
 */
export async function copiedNgrams(
  samples: readonly string[],
  controls: readonly string[],
  train: DataInput,
  options: CopiedOptions = {},
): Promise<CopiedNgrams> {
  const { unit = "words", lengths = LENGTHS[unit], signal, onProgress } = options
  const cut = unit === "words" ? cutWords : cutCharacters
  const texts = await Promise.all([...samples, ...controls].map((text) => runSliced(symbolsOf(text, cut), signal)))
  const symbols = texts.reduce((sum, text) => sum + text.symbols.length, 0)
  const indexes = lengths.map((length) => createNgramIndex(length, symbols))
  const numbers = indexes.map((index) => texts.map((text) => index.add(text.symbols)))
  const found = indexes.map((index) => new Uint8Array(index.size))
  await streamNgrams(toSource(train).documents(), {
    cut,
    indexes,
    onHit: (which, number) => {
      found[which]![number] = 1
    },
    signal,
    onProgress: onProgress && ((units) => onProgress({ units })),
  })
  const shares = numbers.map((ofTexts, which) => ofTexts.map((ngrams) => shareFound(ngrams, found[which]!)))
  const results = shares.map((share, which) => compare(lengths[which]!, share, samples.length))
  return {
    unit,
    lengths: results,
    samples: samples.length,
    controls: controls.length,
    fires: (results.at(-1)?.interval?.low ?? 0) > 0,
  }
}

/** Undefined for a text that is shorter than an n-gram. */
function shareFound(ngrams: Int32Array, found: Uint8Array): number | undefined {
  if (ngrams.length === 0) return undefined
  return ngrams.reduce((sum, number) => sum + found[number]!, 0) / ngrams.length
}

function compare(length: number, shares: readonly (number | undefined)[], samples: number): CopiedOfLength {
  const estimate = (side: readonly (number | undefined)[]) => {
    const values = side.filter((share) => share !== undefined)
    const value = values.reduce((sum, share) => sum + share, 0) / Math.max(1, values.length)
    return { value, interval: meanInterval(values) }
  }
  const [sample, control] = [estimate(shares.slice(0, samples)), estimate(shares.slice(samples))]
  return {
    length,
    share: sample.value,
    control: control.value,
    difference: sample.value - control.value,
    interval: differenceInterval(sample, control),
  }
}
