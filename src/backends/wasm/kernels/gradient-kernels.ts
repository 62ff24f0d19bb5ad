// The rows of the table in index.ts that only training needs, so that an application that runs a model does not carry them.
import { attentionGradScratchBytes, emitAttentionGrad } from "./attention-grad.ts"
import { emitCrossEntropyGrad } from "./cross-entropy.ts"
import { attentionShape, headShape } from "./index.ts"
import type { GradientKernels } from "./kernel.ts"
import { linearCrossEntropyGrad } from "./linear-cross-entropy.ts"

export const gradientKernels: GradientKernels = {
  attentionGrad: (node, { fma, tile }) => {
    const shape = { ...attentionShape(node), ...node.attributes, tileColumns: tile.columns }
    const scratchBytes = attentionGradScratchBytes(shape)
    return { scratchBytes, emit: (module) => emitAttentionGrad(module, shape, { fma }) }
  },
  crossEntropyGrad: (node, { fma }) => {
    const [N, V] = node.inputs[0]!.shape as [number, number]
    return { emit: (module) => emitCrossEntropyGrad(module, { N, V }, { fma }) }
  },
  linearCrossEntropyGrad: (node, options) => linearCrossEntropyGrad(headShape(node), options),
}
