// From logits to the next id: repetition penalty, temperature, top-k, top-p, min-p, a draw. Every filter keeps a prefix of
// the candidates in descending order, so one heap that is read only as far as needed serves all three. Sums and softmax
// are in f64 with our own exp: a seed gives the same text on every engine.
import { ConfigError, DataError, exp, log, randomStream } from "../core/index.ts"

export interface SamplerOptions {
  /** Divides the logits: below 1 sharper, above 1 flatter, 0 the most likely id (greedy). Default 1. */
  readonly temperature?: number
  /** Keeps the k most likely ids; 0 keeps all. Default 0. */
  readonly topK?: number
  /** Keeps the smallest set of most likely ids whose probabilities reach p; 1 keeps all. Default 1. */
  readonly topP?: number
  /** Keeps ids at least this fraction as likely as the most likely one; 0 keeps all. Default 0. */
  readonly minP?: number
  /** Makes recent ids less likely; 1 changes nothing, 1.1-1.3 is usual. Default 1. */
  readonly repetitionPenalty?: number
  /** How many of the last ids the penalty looks at. Default 64. */
  readonly repetitionWindow?: number
  /** Default 0. */
  readonly seed?: number
  /** Also reports how likely the model itself found the chosen id. Default false. */
  readonly logProbabilities?: boolean
}

export interface Sampled {
  readonly id: number
  /** `ln softmax(logits)[id]` before penalty, temperature and filters; only when asked for. */
  readonly logProbability?: number
}

export interface Sampler {
  /**
   * Chooses the next id. The logits are left as they are.
   *
   * @param logits     `[V]`; `-Infinity` forbids an id
   * @param recentIds  what was read and written so far, oldest first
   * @throws DataError  if a logit is NaN or +Infinity, or all are -Infinity
   */
  sample(logits: Float32Array, recentIds?: ArrayLike<number>): Sampled
}

/** What is left to draw from: ids with their probabilities, which sum to 1. */
export interface Candidates {
  readonly ids: Int32Array
  readonly probabilities: Float64Array
}

type Settings = Required<SamplerOptions>

/** A sampler with a random stream of its own. @throws ConfigError  if an option is out of its range */
export function createSampler(options: SamplerOptions = {}): Sampler {
  const settings = readSettings(options)
  const random = randomStream(settings.seed, "sampler")
  return {
    sample(logits, recentIds = []) {
      const scores = readScores(logits, recentIds, settings)
      const id =
        settings.temperature === 0 ? argmax(scores) : drawCandidate(keepCandidates(scores, settings), random.uniform())
      return settings.logProbabilities ? { id, logProbability: logSoftmaxAt(logits, id) } : { id }
    },
  }
}

/**
 * The distribution a sampler with these options draws from, most likely first, or in the order of ids if nothing is
 * filtered: penalty, temperature, then top-k, top-p among what is left, min-p.
 *
 * @throws ConfigError  if an option is out of its range
 * @throws DataError  if a logit is NaN or +Infinity, or all are -Infinity
 */
export function samplingDistribution(
  logits: Float32Array,
  options: SamplerOptions = {},
  recentIds: ArrayLike<number> = [],
): Candidates {
  const settings = readSettings(options)
  const scores = readScores(logits, recentIds, settings)
  if (settings.temperature > 0) return keepCandidates(scores, settings)
  return { ids: Int32Array.of(argmax(scores)), probabilities: Float64Array.of(1) }
}

function readSettings(options: SamplerOptions): Settings {
  const { temperature = 1, topK = 0, topP = 1, minP = 0, repetitionPenalty = 1, repetitionWindow = 64 } = options
  const { seed = 0, logProbabilities = false } = options
  const warmth = temperature >= 0 && temperature < Infinity
  check("temperature", temperature, warmth, "0 or more", "0 is greedy, 0.8 is usual")
  check("topK", topK, isCount(topK), "a whole number, 0 or more", "0 keeps every id")
  check("topP", topP, topP > 0 && topP <= 1, "above 0 and at most 1", "1 keeps every id")
  check("minP", minP, minP >= 0 && minP <= 1, "between 0 and 1", "0 keeps every id, 0.05 is usual")
  const penalty = repetitionPenalty > 0 && repetitionPenalty < Infinity
  check("repetitionPenalty", repetitionPenalty, penalty, "above 0", "1 changes nothing, 1.1 is usual")
  check("repetitionWindow", repetitionWindow, isCount(repetitionWindow), "a whole number, 0 or more")
  check("seed", seed, isCount(seed), "a whole number, 0 or more")
  return { temperature, topK, topP, minP, repetitionPenalty, repetitionWindow, seed, logProbabilities }
}

const isCount = (value: number): boolean => Number.isSafeInteger(value) && value >= 0

function check(name: string, value: number, valid: boolean, expected: string, hint?: string): void {
  if (!valid) throw new ConfigError(`${name} must be ${expected}, got ${value}`, hint)
}

/** A copy of the logits in f64, checked, with the penalty applied. */
function readScores(logits: Float32Array, recentIds: ArrayLike<number>, settings: Settings): Float64Array {
  const scores = new Float64Array(logits)
  let largest = -Infinity
  for (let id = 0; id < scores.length; id++) {
    if (!(scores[id] < Infinity))
      throw new DataError(`logits must be finite or -Infinity, got ${scores[id]} for id ${id}`)
    if (scores[id] > largest) largest = scores[id]
  }
  if (largest === -Infinity) throw new DataError("logits must allow at least one id, got -Infinity for all")
  penalizeRepetition(scores, recentIds, settings)
  return scores
}

/**
 * Repetition penalty, in place: positive scores of recent ids are divided by it, negative ones multiplied, once an id.
 *
 * @see Keskar et al. 2019 (CTRL), arXiv:1909.05858, section 4.1; the sign rule is the one in general use
 */
function penalizeRepetition(scores: Float64Array, recentIds: ArrayLike<number>, settings: Settings): void {
  const { repetitionPenalty, repetitionWindow } = settings
  if (repetitionPenalty === 1) return
  const recent = new Set<number>()
  for (let at = Math.max(0, recentIds.length - repetitionWindow); at < recentIds.length; at++) recent.add(recentIds[at])
  for (const id of recent)
    if (id < scores.length) scores[id] *= scores[id] > 0 ? 1 / repetitionPenalty : repetitionPenalty
}

/** The id of the largest score, the lowest where several are equal. */
function argmax(scores: Float64Array): number {
  let best = 0
  for (let id = 1; id < scores.length; id++) if (scores[id] > scores[best]) best = id
  return best
}

/** Temperature, then the filters, then probabilities. */
function keepCandidates(scores: Float64Array, settings: Settings): Candidates {
  const { temperature, topK, topP, minP } = settings
  const largest = scores[argmax(scores)]
  const weigh = (score: number) => exp((score - largest) / temperature) // at most 1, so that nothing overflows
  if (topK === 0 && topP === 1 && minP === 0) return normalize(allIds(scores.length), scores.map(weigh))
  const descending = descendingIds(scores)
  const top = topK === 0 ? undefined : takeIds(descending, topK)
  const enough = topP === 1 ? Infinity : topP * sumOf((top?.map((id) => scores[id]) ?? scores).map(weigh))
  const ids: number[] = []
  const weights: number[] = []
  let reached = 0
  for (const id of top ?? descending) {
    const weight = weigh(scores[id])
    if (weight < minP || reached >= enough) break
    ids.push(id)
    weights.push(weight)
    reached += weight
  }
  return normalize(Int32Array.from(ids), Float64Array.from(weights))
}

function allIds(count: number): Int32Array {
  const ids = new Int32Array(count)
  for (let id = 0; id < count; id++) ids[id] = id
  return ids
}

function takeIds(ids: Iterator<number, void>, count: number): number[] {
  const taken: number[] = []
  while (taken.length < count) {
    const next = ids.next()
    if (next.done) break
    taken.push(next.value)
  }
  return taken
}

function sumOf(values: number[] | Float64Array): number {
  let sum = 0
  for (let at = 0; at < values.length; at++) sum += values[at]
  return sum
}

function normalize(ids: Int32Array, weights: Float64Array): Candidates {
  const sum = sumOf(weights)
  return { ids, probabilities: weights.map((weight) => weight / sum) }
}

/** The candidate at which the running sum of probabilities passes `u` in [0, 1). */
export function drawCandidate({ ids, probabilities }: Candidates, u: number): number {
  let chosen = -1
  let sum = 0
  for (let at = 0; at < ids.length && sum <= u; at++) {
    if (probabilities[at] === 0) continue // rounding must not let a forbidden id be the last
    sum += probabilities[at]
    chosen = ids[at]
  }
  return chosen
}

function logSoftmaxAt(logits: Float32Array, id: number): number {
  const scores = new Float64Array(logits)
  const largest = scores[argmax(scores)]
  return logits[id] - largest - log(sumOf(scores.map((score) => exp(score - largest))))
}

/**
 * Ids by descending score, the lower id first where scores are equal; `-Infinity` is left out.
 *
 * A heap: O(V) to build and O(log V) for each id that is asked for, so that the vocabulary is never sorted as a whole.
 */
function* descendingIds(scores: Float64Array): Generator<number, void> {
  const heap = allIds(scores.length).filter((id) => scores[id] > -Infinity)
  for (let at = (heap.length >> 1) - 1; at >= 0; at--) sink(heap, heap.length, scores, at)
  for (let size = heap.length; size > 0; size--) {
    yield heap[0]
    heap[0] = heap[size - 1]
    sink(heap, size - 1, scores, 0)
  }
}

/** Moves the id at `at` down until no child of it comes before it. */
function sink(heap: Int32Array, size: number, scores: Float64Array, at: number): void {
  const id = heap[at]
  for (;;) {
    let child = 2 * at + 1
    if (child >= size) break
    if (child + 1 < size && comesBefore(scores, heap[child + 1], heap[child])) child++
    if (!comesBefore(scores, heap[child], id)) break
    heap[at] = heap[child]
    at = child
  }
  heap[at] = id
}

function comesBefore(scores: Float64Array, a: number, b: number): boolean {
  return scores[a] > scores[b] || (scores[a] === scores[b] && a < b)
}
