// How a weight lies in memory when it is only read: in panels of 16 outputs, in the order in which a product consumes it. One
// token's product walks every panel once, strictly forward, at the speed of memory; the product of many tokens takes a panel as
// its packed operand in place. A cache line holds the 16 f32 of one input; block formats (8 and 4 bits) will keep the order
// and put each block's scale before its rows.
import { type Shape, sizeOf } from "../core/index.ts"

/** Outputs of one panel. */
export const PANEL_COLUMNS = 16

/** Shape of the panels of a weight `[N, K]`: `[⌈N/16⌉, K, 16]`. */
export const panelShape = ([N, K]: Shape): Shape => [Math.ceil(N! / PANEL_COLUMNS), K!, PANEL_COLUMNS]

/** `panels[p][k][c] = weight[16·p + c][k]`, zeros past the last output. */
export function packPanels(weight: Float32Array, shape: Shape): Float32Array {
  const panels = new Float32Array(sizeOf(panelShape(shape)))
  for (const { at, panel } of eachPanel(weight, shape)) panels.set(panel, at)
  return panels
}

/**
 * The panels of a weight one after the other, and where each begins: a model is packed without a second copy of it. `panel` is
 * used again for the next.
 */
export function* eachPanel(weight: Float32Array, [N, K]: Shape): Generator<{ at: number; panel: Float32Array }, void> {
  const panel = new Float32Array(K! * PANEL_COLUMNS)
  for (let n = 0; n < N!; n += PANEL_COLUMNS) {
    const rows = weight.subarray(n * K!, (n + PANEL_COLUMNS) * K!)
    if (rows.length < panel.length) panel.fill(0)
    packRows(rows, K!, panel)
    yield { at: n * K!, panel }
  }
}

/** Up to 16 rows of K become the columns of a panel, four at once where there are: half the time of one by one. */
function packRows(rows: Float32Array, K: number, panel: Float32Array): void {
  const count = rows.length / Math.max(K, 1)
  let c = 0
  for (; c + 4 <= count; c += 4) {
    const [row0, row1, row2, row3] = [c * K, (c + 1) * K, (c + 2) * K, (c + 3) * K]
    for (let k = 0, at = c; k < K; k++, at += PANEL_COLUMNS) {
      panel[at] = rows[row0 + k]!
      panel[at + 1] = rows[row1 + k]!
      panel[at + 2] = rows[row2 + k]!
      panel[at + 3] = rows[row3 + k]!
    }
  }
  for (; c < count; c++) for (let k = 0; k < K; k++) panel[k * PANEL_COLUMNS + c] = rows[c * K + k]!
}

/** The weight `[N, K]` that was packed. */
export function unpackPanels(panels: Float32Array, [N, K]: Shape): Float32Array {
  const weight = new Float32Array(N! * K!)
  for (let n = 0; n < N!; n++) {
    const first = Math.floor(n / PANEL_COLUMNS) * K! * PANEL_COLUMNS + (n % PANEL_COLUMNS)
    for (let k = 0; k < K!; k++) weight[n * K! + k] = panels[first + k * PANEL_COLUMNS]!
  }
  return weight
}
