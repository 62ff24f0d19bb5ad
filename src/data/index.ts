// Data: reading, cleaning, splitting by document, token shards, batches. Knows no model; encoders are handed in.
export {
  type Batch,
  type Batches,
  type BatchOptions,
  type BatchState,
  createBatches,
  type EvaluationWindows,
  evaluationWindows,
  IGNORED_TARGET,
} from "./batches.ts"
export { type Groups, groupDuplicates } from "./duplicates.ts"
export { type FilesOptions, files, TEXT_EXTENSIONS } from "./files.ts"
export { likeness, minHash } from "./min-hash.ts"
export { permutation } from "./permutation.ts"
export {
  type DataSummary,
  type DocumentList,
  openData,
  type PreparedData,
  type PrepareOptions,
  prepareData,
  type StoredData,
  type TextSummary,
} from "./prepare.ts"
export { openShards, type ShardOptions, writeShards } from "./shards.ts"
export {
  type DataInput,
  type DataSource,
  type Document,
  documents,
  readOnce,
  text,
  textsOf,
  toSource,
} from "./source.ts"
export {
  cutPosition,
  documentsOf,
  givenSplit,
  type HeldOut,
  makeSplit,
  type Split,
  type SplitAt,
  type SplitOptions,
} from "./split.ts"
export { countCharacters, type DocumentFacts, hashText, survey } from "./survey.ts"
export { encodeToMemory, memoryTokens, type TokenEncoder, type TokenSource } from "./token-source.ts"
export { loadDocuments, saveDocuments } from "./valid-file.ts"
