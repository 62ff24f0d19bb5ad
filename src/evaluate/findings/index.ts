// Findings: what evaluations found, to be stored and read again.
export * from "./findings.ts"
export { parseFindings, parseTextFindings, serializeFindings, withShortHashes } from "./stored.ts"
