// Synthetic scores for the tests of this room: documents of heavy-tailed length whose true rate is known.
import type { RandomStream } from "../../core/index.ts"
import type { DocumentScore } from "../score/document-score.ts"

/** A document's score in one block, or in the blocks given. */
export function scored(sha256: string, nats: number, bytes: number, blockNats: readonly number[] = [nats]) {
  return { id: sha256, sha256, nats, bytes, tokens: bytes, characters: bytes, blockNats } satisfies DocumentScore
}

/**
 * Documents with lengths `e^(7 + sigma·z)` bytes and rates `0.7·e^(tau·z')` nats a byte; z and z' correlate by `rho`.
 */
export interface Population {
  readonly sigma: number
  readonly tau: number
  readonly rho: number
}

/** `Σ nats / Σ bytes / ln 2` of infinitely many documents: `0.7·e^(tau²/2 + sigma·tau·rho) / ln 2`. */
export function trueBitsPerByte({ sigma, tau, rho }: Population): number {
  return (0.7 * Math.exp((tau * tau) / 2 + sigma * tau * rho)) / Math.LN2
}

export function drawDocuments(stream: RandomStream, count: number, { sigma, tau, rho }: Population): DocumentScore[] {
  return Array.from({ length: count }, (_, i) => {
    const length = stream.normal()
    const rate = rho * length + Math.sqrt(1 - rho * rho) * stream.normal()
    const bytes = Math.max(1, Math.round(Math.exp(7 + sigma * length)))
    return scored(`document ${i}`, 0.7 * Math.exp(tau * rate) * bytes, bytes)
  })
}

/** The same documents as another model scores them: by `difference()` nats a byte worse. */
export function scoredWorse(documents: readonly DocumentScore[], difference: () => number): DocumentScore[] {
  return documents.map(({ sha256, nats, bytes }) => scored(sha256, nats + difference() * bytes, bytes))
}

/** Kolmogorov-Smirnov: the greatest distance between the distribution of `values` and the uniform one on 0..1. */
export function distanceFromUniform(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  return Math.max(...sorted.map((p, i) => Math.max(p - i / sorted.length, (i + 1) / sorted.length - p)))
}
