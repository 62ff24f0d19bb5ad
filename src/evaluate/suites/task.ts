// A task is a list of items, each a context and endings, one of which is right. How it is written down stands in load-task.ts.

/** Two sentences of which one is grammatical; a question with choices; a text whose next word is to be found. */
export type TaskKind = "minimal-pairs" | "multiple-choice" | "cloze"

export interface TaskItem {
  /** What stands before the endings, few-shot examples included; empty for minimal pairs. */
  readonly context: string
  /** Minimal pairs: the good sentence, then the bad one. Multiple choice: the choices. Cloze: the target alone. */
  readonly endings: readonly string[]
  /** Index of the right ending. */
  readonly answer: number
  /** The paradigm it belongs to; all items of a task have one or none has. */
  readonly group?: string
  /** What its group is an example of; one for each group. */
  readonly phenomenon?: string
}

/** What a task says about itself; results carry it on. */
export interface TaskFacts {
  readonly name: string
  readonly kind: TaskKind
  readonly description?: string
  readonly licence?: string
  readonly source?: string
  /** What others have reached, as shares of 1, in the order of the file. */
  readonly published: readonly { readonly name: string; readonly accuracy: number }[]
}

export interface Task extends TaskFacts {
  /** Between context and ending. */
  readonly separator: string
  /** Worked examples before each item. */
  readonly shots: number
  readonly items: readonly TaskItem[]
}

/** The whole text whose end is `ending`. */
export const joinEnding = (context: string, separator: string, ending: string): string =>
  context === "" ? ending : context + separator + ending
