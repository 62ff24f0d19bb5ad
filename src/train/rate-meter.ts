// Tokens a second over the last second or so of steps; evaluations and checkpoints between them do not count.

export interface RateMeter {
  add(tokens: number, milliseconds: number): void
  tokensPerSecond(): number
}

const WINDOW_MS = 1000

export function createRateMeter(): RateMeter {
  const steps: { readonly tokens: number; readonly milliseconds: number }[] = []
  let tokens = 0
  let milliseconds = 0
  const add = (newTokens: number, newMilliseconds: number): void => {
    steps.push({ tokens: newTokens, milliseconds: newMilliseconds })
    tokens += newTokens
    milliseconds += newMilliseconds
    while (steps.length > 1 && milliseconds - steps[0]!.milliseconds > WINDOW_MS) {
      const oldest = steps.shift()!
      tokens -= oldest.tokens
      milliseconds -= oldest.milliseconds
    }
  }
  return { add, tokensPerSecond: () => (milliseconds > 0 ? (1000 * tokens) / milliseconds : 0) }
}
