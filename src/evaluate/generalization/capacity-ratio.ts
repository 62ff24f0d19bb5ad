// Whether a model is large enough to know its training text by heart.
import { ConfigError } from "../../core/index.ts"

/**
 * Bits that a parameter of a GPT-style transformer can hold of random data: 3.5 in bf16, 3.8 in f32.
 *
 * @see Morris et al. 2025, "How much do language models memorize?", arXiv:2505.24832
 */
export const BITS_PER_PARAMETER = 3.6

/** What a model can hold, and what there is to hold. */
export interface CapacityRatio {
  /** Above 1 all of the text could be known by heart. */
  readonly ratio: number
  /** `3.6 · parameters`. */
  readonly modelBits: number
  readonly trainTextBits: number
}

/**
 * `3.6 · parameters / trainTextBits`: far above 1 a model can memorize all of its text, far below 1 it must generalize.
 *
 * The bits of a text are what it costs one who knows the language and not the text: its bytes times the bits per byte of the
 * best model of held-out text. Its size on disk would be four times too much, and its own cost to a model that has memorized
 * it next to nothing. The ratio says what is possible; extraction and membership say what happened.
 *
 * @throws ConfigError  unless both numbers are positive
 */
export function capacityRatio(sizes: { readonly parameters: number; readonly trainTextBits: number }): CapacityRatio {
  const { parameters, trainTextBits } = sizes
  for (const [name, value] of Object.entries({ parameters, trainTextBits }))
    if (!(value > 0)) throw new ConfigError(`${name} must be a positive number, got ${value}`)
  const modelBits = BITS_PER_PARAMETER * parameters
  return { ratio: modelBits / trainTextBits, modelBits, trainTextBits }
}
