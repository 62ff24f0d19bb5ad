// Membership: can the model's loss tell training passages from held-out ones?
import { platform } from "#platform"
import { type AreaUnderCurve, areaUnderCurve, type Interval } from "../statistics/index.ts"
import { differenceInterval } from "./difference-interval.ts"
import { passageUnits, type ScoredPassage, type ScoredPassages } from "./score-passages.ts"

/**
 * How far the model's area must lie above the reference's, with the interval of their difference, before membership counts as
 * shown. Clean models were -0.26 to +0.05 apart: 0.67 beside 0.63 on plays of Shakespeare, 0.70 beside 0.76 on novels by other
 * authors, where the area alone would have told of memory that is not there.
 */
export const MEMBERSHIP_MARGIN = 0.05

/** How well losses tell training passages from held-out ones. */
export interface Membership {
  /** By loss: probability that a training passage costs less a token than a held-out one. */
  readonly byLoss: AreaUnderCurve
  /** By loss over the size of the passage under gzip, so that text which is easy for anyone counts less. */
  readonly byCalibratedLoss: AreaUnderCurve
  /**
   * What a count model reaches that has read the same documents but not these passages: one half where both texts are of one
   * kind, more where the held-out text has other authors. It is the control.
   */
  readonly byReference: AreaUnderCurve
  /** `byLoss - byReference`: 0 is ideal. */
  readonly difference: number
  /** Of the difference, as if the two were independent: rather too wide. */
  readonly interval: Interval | undefined
  /** Values compared: passages, or means of documents. */
  readonly unit: "document" | "passage"
  readonly train: number
  readonly heldOut: number
  readonly note?: string
  /** The interval of the difference lies above {@link MEMBERSHIP_MARGIN}, and that of the area above one half. */
  readonly fires: boolean
}

/**
 * AUC of the loss as a test of membership, beside what can be told without memory: 0.5 when the model treats training text as
 * any other, 1 when it knows each passage.
 *
 * The interval of `byLoss - byReference` is that of independent areas, `Var A + Var B`, and leaves out `-2 Cov(A, B)`. Both are
 * areas of the same passages, and what is hard for one model is mostly hard for the other: the covariance is positive, and the
 * interval wider than it need be. It would be too narrow only where the two disagree about which passages are hard.
 *
 * Where each side has 20 documents a document counts once, by the mean of its passages; else each passage counts.
 *
 * @see Yeom et al. 2018, arXiv:1709.01604 (loss); Carlini et al. 2021, arXiv:2012.07805, section 5 (loss over zlib size);
 *      Duan et al. 2024, arXiv:2402.07841 (why a difference between the texts must not count as membership)
 */
export async function membership(scored: ScoredPassages): Promise<Membership> {
  const { train, heldOut, byDocument, note } = passageUnits(scored)
  const sizes = await compressedSizes([...scored.train, ...scored.heldOut])
  const areaBy = (loss: Loss) => areaUnderCurve(scoresOf(train, loss), scoresOf(heldOut, loss))
  const byLoss = areaBy(({ nats, ids }) => nats / (ids.length - 1))
  const byCalibratedLoss = areaBy((passage) => passage.nats / sizes.get(passage)!)
  const byReference = areaBy(({ referenceNats }) => referenceNats)
  const sides = [byLoss, byReference].map(({ auc: value, interval }) => ({ value, interval }))
  const between = differenceInterval(sides[0]!, sides[1]!)
  const interval = between && { ...between, units: train.length + heldOut.length } // both areas are of the same passages
  return {
    byLoss,
    byCalibratedLoss,
    byReference,
    difference: byLoss.auc - byReference.auc,
    interval,
    unit: byDocument ? "document" : "passage",
    train: train.length,
    heldOut: heldOut.length,
    ...(note !== undefined && { note }),
    fires: (interval?.low ?? 0) > MEMBERSHIP_MARGIN && (byLoss.interval?.low ?? 0) > 0.5,
  }
}

type Loss = (passage: ScoredPassage) => number

/** Bytes of each passage under gzip. */
async function compressedSizes(passages: readonly ScoredPassage[]): Promise<Map<ScoredPassage, number>> {
  const sizes = new Map<ScoredPassage, number>()
  for (const passage of passages) sizes.set(passage, (await platform.gzip(passage.bytes)).length)
  return sizes
}

/** The lower the loss, the likelier a member. */
function scoresOf(units: readonly (readonly ScoredPassage[])[], loss: Loss): number[] {
  return units.map((passages) => -passages.reduce((sum, passage) => sum + loss(passage), 0) / passages.length)
}
