// How well probabilities are meant: how often the likeliest token was right, by how likely it was said to be.

export interface Reliability {
  /**
   * Positions by the likeliest token's probability, in 15 equal bins; means within each, empty ones left out. A well calibrated
   * model is as often right as it is confident.
   */
  readonly bins: readonly { readonly confidence: number; readonly accuracy: number; readonly count: number }[]
  /** `Σ count/n · |accuracy - confidence|` over the bins. @see Guo et al. 2017, arXiv:1706.04599 */
  readonly expectedCalibrationError: number
  /** How often the likeliest token was right; where several are, each counts its share. */
  readonly accuracy: number
}

const BINS = 15

/** Sums of one bin. */
interface Bin {
  confidence: number
  hits: number
  count: number
}

export class ReliabilityTally {
  readonly #bins: readonly Bin[] = Array.from({ length: BINS }, () => ({ confidence: 0, hits: 0, count: 0 }))

  /** Counts each row whose target is not negative, unless its confidence is not a number: a diverged model's is not. */
  add(confidence: Float32Array, hit: Float32Array, targets: Int32Array): void {
    for (let row = 0; row < targets.length; row++) {
      if (targets[row]! < 0 || Number.isNaN(confidence[row]!)) continue
      const bin = this.#bins[Math.min(BINS - 1, Math.floor(confidence[row]! * BINS))]!
      bin.confidence += confidence[row]!
      bin.hits += hit[row]!
      bin.count++
    }
  }

  reliability(): Reliability {
    const filled = this.#bins.filter(({ count }) => count > 0)
    const all = filled.reduce((sum, { count }) => sum + count, 0)
    const distance = filled.reduce((sum, { confidence, hits }) => sum + Math.abs(hits - confidence), 0)
    return {
      bins: filled.map(({ confidence, hits, count }) => ({
        confidence: confidence / count,
        accuracy: hits / count,
        count,
      })),
      expectedCalibrationError: distance / all,
      accuracy: filled.reduce((sum, { hits }) => sum + hits, 0) / all,
    }
  }
}
