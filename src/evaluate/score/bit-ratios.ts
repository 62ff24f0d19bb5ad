// Sums of a text as people read them: bits for each byte, character and token.

export interface TextSums {
  readonly nats: number
  readonly tokens: number
  readonly bytes: number
  readonly characters: number
}

/** `Σ nats / ln 2` over bytes, characters and tokens; and nats for each token. */
export const bitRatios = ({ nats, tokens, bytes, characters }: TextSums) => ({
  bitsPerByte: nats / Math.LN2 / bytes,
  bitsPerCharacter: nats / Math.LN2 / characters,
  bitsPerToken: nats / Math.LN2 / tokens,
  natsPerToken: nats / tokens,
})
