// Tokenizing a long text leaves the event loop its turns.
import { expect, it } from "vitest"
import { bytesTokenizer } from "../../tokenizer/index.ts"
import { Ledger } from "./ledger.ts"
import { placedTokens } from "./placed-tokens.ts"

it("a long document is tokenized with turns of the event loop between its pieces", async () => {
  let turns = 0
  const timer = setInterval(() => turns++, 0)
  const document = { id: "long", text: "a kinglet sings ".repeat(1 << 19) }
  const documents = (async function* () {
    yield document
  })()
  let tokens = 0
  for await (const { ids } of placedTokens(documents, bytesTokenizer(), new Ledger())) tokens += ids.length
  clearInterval(timer)
  expect(tokens).toBe(document.text.length + 1)
  expect(turns).toBeGreaterThan(0)
})
