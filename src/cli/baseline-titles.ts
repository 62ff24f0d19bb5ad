// What people call the count models that stand beside a suite's result.
import type { TaskBaselineName } from "../evaluate/index.ts"

export const SUITE_BASELINE_TITLES: { readonly [name in TaskBaselineName]: string } = {
  "unigram-bytes": "unigram over bytes",
  "kneser-ney-bytes": "Kneser-Ney over bytes",
  "kneser-ney-tokens": "Kneser-Ney over tokens",
}
