// Laws of the identity: what is written into checkpoints today names the same tokenizer in every later version.
import { expect, it } from "vitest"
import { bytesTokenizer, charactersTokenizer, createBpe, END_OF_TEXT, loadTokenizer, tokenizerSha256 } from "./index.ts"

/** All bytes, "th" and "the": from its parts, so that another training of merges changes nothing here. */
function tinyBpe() {
  const [t, h, e] = [..."the"].map((letter) => letter.charCodeAt(0))
  const bytes = Array.from({ length: 256 }, (_, byte) => Uint8Array.of(byte))
  const merges = [
    { left: t!, right: h!, joined: 256 },
    { left: 256, right: e!, joined: 257 },
  ]
  const joined = [Uint8Array.of(t!, h!), Uint8Array.of(t!, h!, e!)]
  const tokens = [...bytes, ...joined, new Uint8Array(0)]
  return createBpe({ tokens, merges, specialTokens: new Map([[END_OF_TEXT, 258]]) })
}

// A checkpoint keeps this hash of `toJson()` and refuses any other tokenizer. A field more, another order or other spacing
// in `toJson` would orphan every checkpoint written before: whoever needs to change it keeps the old form for the hash.
it.each([
  ["bytes", () => bytesTokenizer(), "3ca329dd1596a20c0e3782ec0870faa392269d08d6a836677a7fe0529eabb66b"],
  [
    "characters",
    () => charactersTokenizer(["the cat — ça va? 漢字 😀\n"]),
    "d2b664f4e5f58faeb610fa04a1d08bc3008231dcd0b6fc5b514f34ad100289f0",
  ],
  ["bpe", tinyBpe, "a4304cd0d9a89941de386014c70f989d469f5a176887685222f2dcf0f2edf39d"],
])("the identity of a tokenizer of %s never changes", async (kind, make, sha256) => {
  const tokenizer = await make()
  expect(tokenizer.kind).toBe(kind)
  expect(await tokenizerSha256(tokenizer)).toBe(sha256)
  expect(await tokenizerSha256(loadTokenizer(tokenizer.toJson()))).toBe(sha256)
})
