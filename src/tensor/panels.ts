// How a weight lies in memory when it is only read: in panels of 16 outputs, in the order in which a product consumes it. One
// token's product walks every panel once, strictly forward, at the speed of memory; the product of many tokens takes a panel as
// its packed operand in place. A cache line holds the 16 f32 of one input; block formats (8 and 4 bits) will keep the order
// and put each block's scale before its rows.
import type { Shape } from "../core/index.ts"

/** Outputs of one panel. */
export const PANEL_COLUMNS = 16

/** Shape of the panels of a weight `[N, K]`: `[⌈N/16⌉, K, 16]`. */
export const panelShape = ([N, K]: Shape): Shape => [Math.ceil(N! / PANEL_COLUMNS), K!, PANEL_COLUMNS]

/** `panels[p][k][c] = weight[16·p + c][k]`, zeros past the last output. */
export function packPanels(weight: Float32Array, [N, K]: Shape): Float32Array {
  const panels = new Float32Array(Math.ceil(N! / PANEL_COLUMNS) * K! * PANEL_COLUMNS)
  forEachRow(N!, K!, (row, first) => {
    for (let k = 0; k < K!; k++) panels[first + k * PANEL_COLUMNS] = weight[row + k]!
  })
  return panels
}

/** The weight `[N, K]` that was packed. */
export function unpackPanels(panels: Float32Array, [N, K]: Shape): Float32Array {
  const weight = new Float32Array(N! * K!)
  forEachRow(N!, K!, (row, first) => {
    for (let k = 0; k < K!; k++) weight[row + k] = panels[first + k * PANEL_COLUMNS]!
  })
  return weight
}

/** Where row n of the weight begins, and where its first number lies in the panels. */
function forEachRow(N: number, K: number, visit: (row: number, first: number) => void): void {
  for (let n = 0; n < N; n++) {
    const panel = Math.floor(n / PANEL_COLUMNS)
    visit(n * K, panel * K * PANEL_COLUMNS + (n % PANEL_COLUMNS))
  }
}
