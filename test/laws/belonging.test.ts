// A model is read with the tokenizer it was trained with, or not at all.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, expect, it } from "vitest"
import { readModel } from "../../src/generate/index.ts"
import { train } from "../../src/train/index.ts"
import { device, TINY_TEXT, tinyRecipe } from "../../src/train/testing.ts"

const root = mkdtempSync(join(tmpdir(), "kinglet-belonging-"))
const dir = join(root, "run")
const tokenizer = join(dir, "tokenizer.json")
beforeAll(() => train(tinyRecipe(), { device, data: TINY_TEXT, dir }).result)
afterAll(() => rmSync(root, { recursive: true, force: true }))

it("a tokenizer.json with other spacing is the same tokenizer", async () => {
  writeFileSync(tokenizer, JSON.stringify(JSON.parse(readFileSync(tokenizer, "utf8")), undefined, 7))
  expect((await readModel(dir)).tokenizer.vocabSize).toBeGreaterThan(0)
})

it("a tokenizer of the same size with other tokens is refused in one sentence", async () => {
  const own = readFileSync(tokenizer, "utf8")
  const json = JSON.parse(own) as { model: { vocab: { [token: string]: number } } }
  const { vocab } = json.model
  const [first, second] = Object.keys(vocab).filter((token) => /^[a-z]$/.test(token)) as [string, string]
  ;[vocab[first], vocab[second]] = [vocab[second]!, vocab[first]!]
  writeFileSync(tokenizer, JSON.stringify(json))
  await expect(readModel(dir)).rejects.toThrow(/is not the one this model was trained with/)
  writeFileSync(tokenizer, own)
})
