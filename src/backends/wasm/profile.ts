// Where the time of a compiled program goes: every call of its list is named by what it computes, with the FLOPs and bytes it
// is charged for. The readings themselves are made inside the step (compile.ts, `emitStopwatch`).
import { BYTES_PER_ELEMENT, formatShape, sizeOf } from "../../core/index.ts"
import { flopsOfNode, readsOf, resultsOf, type Step, type Tensor } from "../../tensor/index.ts"
import type { StepTime } from "../backend.ts"

/** What one call is charged for. */
export type Charge = Omit<StepTime, "seconds">

export const COPY: Charge = { name: "copy", flops: 0, bytes: 0 }
export const PARTIALS: Charge = { name: "partial sums", flops: 0, bytes: 0 }

/** What the call that computes a step is charged for; a sweep that writes straight into states is an `update`. */
export function chargeOf(step: Step, inPlace: boolean): Charge {
  const bytes = [...new Set(readsOf(step)), ...resultsOf(step)].reduce((sum, x) => sum + tensorBytes(x), 0)
  return { name: nameOf(step, inPlace), flops: step.kind === "op" ? flopsOfNode(step.node) : 0, bytes }
}

/** Bytes of a tensor's numbers. */
export const tensorBytes = ({ dtype, shape }: Tensor): number => BYTES_PER_ELEMENT[dtype] * sizeOf(shape)

function nameOf(step: Step, inPlace: boolean): string {
  const shapes = (tensors: readonly Tensor[]) => tensors.map(({ shape }) => formatShape(shape)).join(" ")
  if (step.kind === "op") {
    const flags = Object.entries(step.node.attributes).flatMap(([key, value]) => (value === true ? [key] : []))
    return `${step.node.op} ${shapes(step.node.inputs.slice(0, 2))} ${flags.join(" ")}`.trimEnd()
  }
  const { shape, instructions } = step.body
  const size = `${formatShape(shape)}, ${instructions.length} instructions`
  if (step.kind === "elementwise") {
    const { writes, reductions } = step
    return `${inPlace ? "update" : "sweep"} ${size}, ${writes.length} stored${reductions.length > 0 ? `, ${reductions.length} reduced` : ""}`
  }
  return `${step.reduce} ${size} to ${shapes(step.writes)}`
}
