import { describe, expect, it } from "vitest"
import { publicSets } from "./public-sets.ts"
import { recipeOf } from "./recipes.ts"

/** What the set `name` makes of one file. */
const made = (name: string, text: string, { path = "a", index = 0 } = {}): string =>
  recipeOf(name).textOf({ path, text }, index)

describe("every set", () => {
  it.each(publicSets.map((set) => [set.name, set] as const))("%s has a recipe whose files are pinned", (_, set) => {
    const { sources } = recipeOf(set.name)
    expect(typeof sources === "function").toBe(set.download === "archive")
    if (typeof sources === "function") return
    expect(new Set(sources.map(({ path }) => path)).size).toBe(sources.length)
    for (const { bytes, sha256 } of sources)
      expect([bytes > 0, sha256]).toEqual([true, expect.stringMatching(/^[0-9a-f]{64}$/)])
    expect(sources.reduce((sum, { bytes }) => sum + bytes, 0)).toBe(set.downloadBytes)
  })
})

describe("a recipe", () => {
  it("of BLiMP keeps six fields of a pair", () => {
    const pair = {
      sentence_good: 'She "sings".',
      sentence_bad: "She sing.",
      field: "syntax",
      linguistics_term: "agreement",
      UID: "a_1",
      pairID: "7",
      one_prefix_method: true,
    }
    expect(made("blimp", `${JSON.stringify(pair)}\n`)).toBe(
      '{"uid": "a_1", "phenomenon": "agreement", "field": "syntax", "good": "She \\"sings\\".", "bad": "She sing.", "pair": "7"}\n',
    )
  })

  it("of a novel takes its body's paragraphs, in which page breaks leave no trace", () => {
    const tei = `<TEI><titleStmt><title>A &amp; B\n : edition</title><author ref="x"><surname>Ada</surname> L</author></titleStmt>
      <front><p>not this</p></front><body n="1"><head>I.</head><p>in<pb n="2"/>dulged
      in <hi>it</hi> &lt;once&gt;</p><p> </p><quote><l>So</l><l>long</l></quote></body></TEI>`
    expect(JSON.parse(made("eltec-fra", tei, { path: "level1/FRA1_A.xml" }))).toEqual({
      id: "FRA1_A",
      language: "fra",
      author: "Ada",
      title: "A & B\n : edition",
      text: "I.\n\nindulged in it <once>\n\nSo\n\nlong",
    })
  })

  it("of MedQuAD takes every third file, and answers that say something", () => {
    const answer = "It is   a condition\n that mainly affects &quot;wrens&quot; and kinglets."
    const qa = (text: string) =>
      `<QAPair pid="1"><Question qid="1" qtype="causes">Why?</Question>\n<Answer>${text}</Answer></QAPair>`
    const xml = `<Document><Focus>Song</Focus>${qa(answer)}${qa("Unknown.")}${qa("")}</Document>`
    expect(JSON.parse(made("medquad", xml, { path: "1/2.xml", index: 3 }))).toEqual({
      id: "1/2.xml",
      focus: "Song",
      type: "causes",
      question: "Why?",
      answer: 'It is a condition that mainly affects "wrens" and kinglets.',
    })
    expect(made("medquad", xml, { index: 4 })).toBe("")
  })

  it("of the over-trained runs writes settings as they are written", () => {
    const run = `{ "name": "r", "dataset_name": "c4", "hyperparameters": { "tokens": 10, "lr": 0.003, "wd": 0.1, "global_bs": 8,
      "params": 5, "params_no_embed": 4, "chinchilla_multiplier": 4.0
      }, "results": [{ "loss": 2.5, "val_data": ["data/c4_val/shard"] }] }`
    expect(made("gadre-104", run, { index: 1 })).toBe("10,5,4,8,c4,2.5,,,,,,,,0.003,4.0,r,0.1\r\n")
    expect(made("gadre-104", run)).toMatch(/^D,N,Nne,.*\r\n10,5/)
  })

  it("of the repeated data takes the last list that the notebook printed", () => {
    const printed = (...text: string[]) => ({ outputs: [{ text }] })
    const cells = [printed("a 1.0 2.0 3.0 4.5\n"), {}, printed("runs:\n", "b 5.0 6.0 7.0 0.5\n"), printed("done\n")]
    expect(made("muennighoff-182", JSON.stringify({ cells }))).toBe("name,N,D,U,loss\nb,5,6,7,0.5\n")
  })
})
