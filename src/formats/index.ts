// Formats: bytes to plain data and back. No tensors, no file handles.
export { parseJsonStrictly } from "./json.ts"
export {
  decodeFloats,
  decodeSafetensors,
  encodeSafetensors,
  type Safetensors,
  type StoredTensor,
  safetensorsHeader,
  type TensorHeader,
} from "./safetensors.ts"
export { type AddedToken, parseTokenizerJson, serializeTokenizerJson, type TokenizerJson } from "./tokenizer-json.ts"
