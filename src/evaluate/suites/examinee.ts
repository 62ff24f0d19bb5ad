// Who is examined: a tokenizer, a context and a way to score endings. Models and count models look the same from here.
import { DataError } from "../../core/index.ts"
import type { Model } from "../../generate/index.ts"
import type { Tokenizer } from "../../tokenizer/index.ts"
import { type EndingScore, type EndingsItem, type ScoreEndingsOptions, scoreEndings } from "../score/score-endings.ts"

/** For each item, for each of its endings, what it costs after the item's prefix. */
export type EndingScorer = (
  items: readonly EndingsItem[],
  options: ScoreEndingsOptions,
) => Promise<readonly (readonly EndingScore[])[]>

export interface Examinee {
  readonly tokenizer: Pick<Tokenizer, "encode" | "endOfText">
  /** Tokens it can see at once; `Infinity` for count models. */
  readonly contextTokens: number
  readonly scoreEndings: EndingScorer
}

/** A model as who is examined. */
export const modelExaminee = (model: Model): Examinee => ({
  tokenizer: model.tokenizer,
  contextTokens: model.config.maxPositionEmbeddings,
  scoreEndings: (items, options) => scoreEndings(model, items, options),
})

/** What stands before every text. */
export type Beginning = "end-of-text" | "newline" | "nothing"

/** What stands before a text in ids, and in text where it is part of the text. */
export interface Lead {
  readonly beginning: Beginning
  readonly ids: readonly number[]
  readonly text: string
}

/**
 * A text begins as documents did in training: after the end-of-text token where there is one, else on a new line, and where
 * the tokenizer knows no line feed after nothing, so that its first token is not scored.
 *
 * @throws DataError  if the beginning that is asked for cannot be had
 */
export function leadOf(tokenizer: Examinee["tokenizer"], asked?: Beginning): Lead {
  const beginning = asked ?? likeliestBeginning(tokenizer)
  if (beginning === "newline") return { beginning, ids: [], text: "\n" }
  if (beginning === "nothing") return { beginning, ids: [], text: "" }
  if (tokenizer.endOfText === undefined)
    throw new DataError("the tokenizer has no end-of-text token to begin with", 'ask for "newline" or "nothing"')
  return { beginning, ids: [tokenizer.endOfText], text: "" }
}

function likeliestBeginning(tokenizer: Examinee["tokenizer"]): Beginning {
  if (tokenizer.endOfText !== undefined) return "end-of-text"
  return tryToEncode(tokenizer, "\n") instanceof DataError ? "nothing" : "newline"
}

/** Ids of `text`, or why there are none. */
export function tryToEncode(tokenizer: Examinee["tokenizer"], text: string): Int32Array | DataError {
  try {
    return tokenizer.encode(text)
  } catch (error) {
    if (error instanceof DataError) return error
    throw error
  }
}
