// One line that says what is being done, rewritten as it changes and gone when it is done. Nothing where no one watches.
import type { Output } from "./output.ts"
import { fit } from "./text.ts"

export interface TransientLine {
  tell(text: string): void
  clear(): Promise<void>
}

const TO_START_AND_CLEAR = "\r\x1b[K"

export function transientLine({ isLive, terminal, colors }: Output): TransientLine {
  const { stdout } = terminal
  return {
    tell: (text) => {
      if (isLive) void stdout.write(`${TO_START_AND_CLEAR}${colors.dim(fit(`  ${text} …`, stdout.columns - 1))}`)
    },
    clear: async () => {
      if (isLive) await stdout.write(TO_START_AND_CLEAR)
    },
  }
}
