// The package's entries by their name in dist/: one list for the build, the tests, and api.md.

/** Public doors beside the root; each is `src/<door>/index.ts` and `kinglet/<door>`. */
export const doors = [
  "tokenizer",
  "data",
  "tensor",
  "nn",
  "models",
  "optim",
  "train",
  "generate",
  "evaluate",
  "plan",
  "formats",
]

/** What dist/ holds: name there -> source. */
export const entries = {
  index: "src/index.ts",
  ...Object.fromEntries(doors.map((door) => [`${door}/index`, `src/${door}/index.ts`])),
  "platform/node": "src/platform/node.ts",
  "platform/browser": "src/platform/browser.ts",
  "cli/main": "src/cli/main.ts",
}

/** Programs of workers, started by their address in dist/: each is whole in itself, so that a bundler can take it along as a file. */
export const workers = {
  "tokenizer/counting-worker": "src/tokenizer/counting-worker.ts",
}
