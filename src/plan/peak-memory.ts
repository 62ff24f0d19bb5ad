// How much of this machine's memory a run will hold at its peak: the plan, which is exact, and what engine and workers take,
// which was measured (LOG.md, peak memory).

/** Node with Kinglet loaded and a run going on. */
const ENGINE_BYTES = 130e6
/** One worker with its copy of the module's machine code. */
const LANE_BYTES = 5.5e6

/**
 * `plan + host copy of the parameters + engine + lanes`; within 10 % of the resident peak in the runs of LOG.md.
 *
 * @param of.plannedBytes  of the run's workspace
 * @param of.parameters    total; the host holds one copy while it makes or saves them
 */
export function predictedPeakBytes(of: { plannedBytes: number; parameters: number; lanes: number }): number {
  return of.plannedBytes + 4 * of.parameters + ENGINE_BYTES + LANE_BYTES * of.lanes
}
