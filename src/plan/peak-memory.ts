// How much of this machine's memory a run will hold at its peak: the plan, which is exact, and what engine and workers take,
// which was measured (LOG.md, peak memory).

/** Node with Kinglet loaded and a run going on. */
const ENGINE_BYTES = 110e6
/** One worker with its copy of the module's machine code. */
const LANE_BYTES = 9.5e6
/** The host holds the parameters twice while it makes or saves them. */
const HOST_BYTES_PER_PARAMETER = 8

/**
 * `plan + host copies of the parameters + engine + lanes`; LOG.md says how near it came.
 *
 * @param of.plannedBytes  of the run's workspace
 * @param of.parameters    total
 */
export function predictedPeakBytes(of: { plannedBytes: number; parameters: number; lanes: number }): number {
  return of.plannedBytes + HOST_BYTES_PER_PARAMETER * of.parameters + ENGINE_BYTES + LANE_BYTES * of.lanes
}
