// Layers as functions of tensors; no parameters are made or kept here.
export { gelu, geluTanh, reluSquared, silu, softcap, swiglu } from "./activations.ts"
export {
  type LayerCache,
  type RopeTables,
  ropeTables,
  type SelfAttentionOptions,
  type SelfAttentionWeights,
  selfAttention,
} from "./attention.ts"
export { dropout } from "./dropout.ts"
export {
  embedding,
  linear,
  type PackedWeight,
  type Projection,
  packedWeight,
  type Weight,
  writeWeight,
} from "./linear.ts"
export { countTargets, logSoftmax, meanCrossEntropy, softmax } from "./losses.ts"
export { layerNorm, rmsNorm } from "./normalization.ts"
