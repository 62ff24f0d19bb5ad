// The contract of the terminal: what the command line needs of its host beyond files and a clock.

/** A stream people or programs read. */
export interface TerminalStream {
  /** Settles when the text has been handed to the system, so that a slow reader slows the writer down. */
  write(text: string): Promise<void>
  readonly isTTY: boolean
  /** Characters a line; 80 where nobody knows. */
  readonly columns: number
  readonly rows: number
}

/** Why a command is asked to end; `closed`: nobody reads its output any more. */
export type Interrupt = "SIGINT" | "SIGTERM" | "SIGHUP" | "closed"

export interface Terminal {
  readonly stdout: TerminalStream
  readonly stderr: TerminalStream
  /** A person can type lines. */
  readonly isInteractive: boolean
  /** Lines as they are typed or piped in, after `prompt` where a person types; ends with the input. */
  readLines(prompt: string): AsyncIterable<string>
  /** Calls `listener` when the window changes its size; returns how to stop that. */
  onResize(listener: () => void): () => void
  /** While listened to, signals no longer end the process; returns how to stop listening. */
  onInterrupt(listener: (reason: Interrupt) => void): () => void
  /** Ends the process at once. */
  exit(code: number): never
  /** Folder of the package this code belongs to; undefined where there is none. */
  readonly packageFolder: string | undefined
}
