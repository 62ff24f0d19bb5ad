// Tokenizers: bytes, characters, byte-level BPE with training. Ids in, ids out; no models.
export { type BpeParts, bytesTokenizer, createBpe } from "./bpe.ts"
export { type CharactersOptions, charactersTokenizer } from "./characters.ts"
export { loadTokenizer } from "./load.ts"
export { wholeWordPieces } from "./text-batches.ts"
export {
  END_OF_TEXT,
  type EncodeOptions,
  type StreamDecoder,
  streamDecoder,
  type Tokenizer,
  type TokenizerKind,
} from "./tokenizer.ts"
export { type TrainBpeOptions, type TrainedTokenizer, trainBpe } from "./train-bpe.ts"
