// Models: a config, a tree of parameters and a forward function; and the way to Hugging Face's files and back.
export { createCache, type KeyValueCache } from "./cache.ts"
export { type DecoderConfig, validateConfig } from "./config.ts"
export { type DecoderHead, type DecoderOptions, decoder } from "./decoder.ts"
export {
  fromHuggingFaceConfig,
  type HuggingFaceFamily,
  huggingFaceFamily,
  toHuggingFaceConfig,
} from "./hugging-face.ts"
export { fromHuggingFaceTensors, type NamedTensor, toHuggingFaceCheckpoint } from "./hugging-face-tensors.ts"
export {
  decoderParameters,
  initializeParameters,
  type ParameterInit,
  type ParameterRole,
  type ParameterSpec,
  packedParameterStates,
  parameterCounts,
  parameterStates,
} from "./parameters.ts"
export { type PresetSizes, presets } from "./presets.ts"
