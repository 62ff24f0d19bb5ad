// Membership: can the model's loss tell training passages from held-out ones?
import { platform } from "#platform"
import { type AreaUnderCurve, areaUnderCurve } from "../statistics/index.ts"
import { passageUnits, type ScoredPassage, type ScoredPassages } from "./score-passages.ts"

/**
 * How far above one half the areas must lie, with their intervals, before membership counts as shown.
 *
 * Training and held-out text differ by more than having been read: other authors, other plays. Clean models reach some 0.5 to
 * 0.6 by that alone (LOG.md).
 */
export const MEMBERSHIP_MARGIN = 0.1

export interface Membership {
  /** By loss: probability that a training passage costs less a token than a held-out one. 0.5 is ideal. */
  readonly byLoss: AreaUnderCurve
  /** By loss over the size of the passage under gzip, so that text which is easy for anyone counts less. */
  readonly byCalibratedLoss: AreaUnderCurve
  /** Values compared: passages, or means of documents. */
  readonly unit: "document" | "passage"
  readonly train: number
  readonly heldOut: number
  readonly note?: string
  /** Both intervals lie above `0.5 + MEMBERSHIP_MARGIN`. */
  readonly fires: boolean
}

/**
 * AUC of the loss as a test of membership: 0.5 when the model treats training text as any other, 1 when it knows each passage.
 *
 * Where each side has 20 documents a document counts once, by the mean of its passages; else each passage counts.
 *
 * @see Yeom et al. 2018, arXiv:1709.01604 (loss); Carlini et al. 2021, arXiv:2012.07805, section 5 (loss over zlib size)
 */
export async function membership(scored: ScoredPassages): Promise<Membership> {
  const { train, heldOut, byDocument, note } = passageUnits(scored)
  const byLoss = areaUnderCurve(await scoresOf(train, lossOf), await scoresOf(heldOut, lossOf))
  const byCalibratedLoss = areaUnderCurve(
    await scoresOf(train, calibratedLossOf),
    await scoresOf(heldOut, calibratedLossOf),
  )
  return {
    byLoss,
    byCalibratedLoss,
    unit: byDocument ? "document" : "passage",
    train: train.length,
    heldOut: heldOut.length,
    ...(note !== undefined && { note }),
    fires: [byLoss, byCalibratedLoss].every(
      ({ interval }) => interval !== undefined && interval.low > 0.5 + MEMBERSHIP_MARGIN,
    ),
  }
}

type Loss = (passage: ScoredPassage) => number | Promise<number>

const lossOf: Loss = ({ nats, ids }) => nats / (ids.length - 1)

const calibratedLossOf: Loss = async ({ nats, bytes }) => nats / (await platform.gzip(bytes)).length

/** The lower the loss, the likelier a member. */
function scoresOf(units: readonly (readonly ScoredPassage[])[], loss: Loss): Promise<number[]> {
  return Promise.all(
    units.map(async (passages) => {
      const losses = await Promise.all(passages.map(async (passage) => loss(passage)))
      return -losses.reduce((sum, value) => sum + value, 0) / losses.length
    }),
  )
}
