// Laws of task files: what a user writes is what is run, and each mistake is one sentence with its place.
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { gzipSync } from "node:zlib"
import fc from "fast-check"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { DataError } from "../../core/index.ts"
import { loadTask, openTask } from "./load-task.ts"
import type { Task } from "./task.ts"

const HEAD = { kinglet: "task", version: 1, name: "birds" }
const PAIRS = { ...HEAD, kind: "minimal-pairs", items: [{ good: "It sings.", bad: "It sing." }] }
const QUESTION = { question: "Who sings?", choices: ["a wren", "a stone"], answer: 0 }
const CHOICES = { ...HEAD, kind: "multiple-choice", items: [QUESTION] }
const CLOZE = { ...HEAD, kind: "cloze", items: [{ text: "The wren", target: "sings" }] }

const load = (task: unknown): Promise<Task> => loadTask(JSON.stringify(task), "birds.json")

/** The sentence with which a task is refused. */
async function refusal(task: unknown): Promise<string> {
  const json = typeof task === "string" ? task : JSON.stringify(task)
  const error = await loadTask(json, "birds.json").then(
    () => expect.unreachable("the task was accepted"),
    (error: unknown) => error,
  )
  expect(error).toBeInstanceOf(DataError)
  return (error as DataError).message
}

/** `count` questions that differ. */
const questions = (count: number) =>
  Array.from({ length: count }, (_, at) => ({ question: `Q${at}`, choices: ["yes", "no"], answer: at % 2 }))

describe("a task file", () => {
  it("is read as its kind says, renamed fields included", async () => {
    const pairs = {
      ...PAIRS,
      fields: { good: "yes", group: "uid" },
      items: [{ yes: "A", bad: "B", uid: "g", more: 1 }],
    }
    expect((await load(pairs)).items).toEqual([{ context: "", endings: ["A", "B"], answer: 0, group: "g" }])
    const prompt = "Question: {question} ({{{n}}})\nAnswer:"
    const { items } = await load({ ...CHOICES, prompt, items: [{ ...QUESTION, n: 3, answer: "a stone" }] })
    expect(items).toEqual([
      { context: "Question: Who sings? ({3})\nAnswer:", endings: ["a wren", "a stone"], answer: 1 },
    ])
    expect((await load(CLOZE)).items).toEqual([{ context: "The wren", endings: ["sings"], answer: 0 }])
  })

  it("may keep each choice in a field of its own, and the target as the last word", async () => {
    const apart = { ...CHOICES, fields: { choices: ["a", "b"], answer: "label" }, prompt: "{goal}" }
    const [item] = (await load({ ...apart, items: [{ goal: "To fly", a: "use wings", b: "use roots", label: 0 }] }))
      .items
    expect(item).toEqual({ context: "To fly", endings: ["use wings", "use roots"], answer: 0 })
    const { items } = await load({ ...CLOZE, lastWord: true, items: [{ text: "It hid  in the\n hedge.\n" }] })
    expect(items).toEqual([{ context: "It hid  in the", endings: ["hedge."], answer: 0 }])
  })

  it("carries what it says about itself", async () => {
    const facts = { description: "d", licence: "CC0", source: "s", published: { "GPT-2": 0.83, "1": 0.5 } }
    expect(await load({ ...PAIRS, ...facts })).toMatchObject({
      name: "birds",
      kind: "minimal-pairs",
      ...facts,
      published: expect.arrayContaining([{ name: "GPT-2", accuracy: 0.83 }]) as unknown,
    })
  })

  it("takes keys like __proto__ for fields like any other", async () => {
    const item = '{"__proto__": "Who", "constructor": 7, "choices": ["a", "b"], "answer": 0}'
    const json = `{"kinglet":"task","version":1,"name":"n","kind":"multiple-choice","prompt":"{__proto__} {constructor}","items":[${item}]}`
    expect((await loadTask(json, "birds.json")).items[0]!.context).toBe("Who 7")
    expect(await refusal({ ...CHOICES, prompt: "{toString}" })).toContain('has no field "toString"')
  })
})

describe("a missing field names file, item and field", () => {
  it.each<[string, unknown, RegExp]>([
    [
      "of a pair",
      { ...PAIRS, items: [...PAIRS.items, { good: "x" }] },
      /^birds.json: item 2 has no field "bad".* its fields are good$/,
    ],
    [
      "of a question",
      { ...CHOICES, items: [{ ...QUESTION, answer: undefined }] },
      /^birds.json: item 1 has no field "answer"/,
    ],
    [
      "of a prompt",
      { ...CHOICES, prompt: "{topic}: {question}" },
      /item 1 has no field "topic", which "prompt" needs; its fields are question, choices, answer/,
    ],
    ["of a cloze", { ...CLOZE, items: [{ text: "a b" }] }, /item 1 has no field "target"/],
    [
      "of an example",
      { ...CHOICES, fewShot: { count: 1, examples: [{ question: "x" }] } },
      /example 1 has no field "choices"/,
    ],
    ["of the head", { ...PAIRS, name: undefined }, /^birds.json: "name" must be a text, got nothing/],
    ["of few-shot", { ...CHOICES, fewShot: {} }, /"fewShot": "count" must be a whole number in 0..256, got nothing/],
  ])("%s", async (_, task, message) => {
    expect(await refusal(task)).toMatch(message)
  })
})

describe("one clear sentence for", () => {
  it.each<[string, unknown, RegExp]>([
    ["no JSON", "{", /^birds.json: not valid JSON/],
    ["another file", { a: 1 }, /expected "kinglet": "task", got nothing/],
    ["a list", [], /expected an object, got a list of 0/],
    ["another version", { ...PAIRS, version: 2 }, /"version" must be 1, got 2/],
    [
      "another kind",
      { ...PAIRS, kind: "essay" },
      /"kind" must be one of minimal-pairs, multiple-choice, cloze, got "essay"/,
    ],
    ["a kind from a prototype", { ...PAIRS, kind: "constructor" }, /"kind" must be one of/],
    ["an unknown key", { ...PAIRS, lisence: "x" }, /unknown key "lisence"/],
    ["a key of another kind", { ...PAIRS, prompt: "x" }, /unknown key "prompt"/],
    ["an unknown role", { ...PAIRS, fields: { choices: "c" } }, /"fields": unknown key "choices"/],
    ["no items", { ...PAIRS, items: [] }, /"items" is an empty list/],
    ["neither items nor file", { ...HEAD, kind: "cloze" }, /either "items" or "file", got neither/],
    ["both", { ...PAIRS, file: "x.jsonl" }, /got both/],
    ["a file elsewhere", { ...HEAD, kind: "cloze", file: "../x" }, /must lie beside the task file or below/],
    ["an absolute file", { ...HEAD, kind: "cloze", file: "/x" }, /must lie beside/],
    ["an item that is none", { ...PAIRS, items: ["x"] }, /item 1: expected an object, got "x"/],
    ["an empty sentence", { ...PAIRS, items: [{ good: "", bad: "x" }] }, /item 1: "good" is empty/],
    ["half a character", { ...PAIRS, items: [{ good: "\ud800", bad: "x" }] }, /"good" holds half of a surrogate pair/],
    [
      "an answer out of range",
      { ...CHOICES, items: [{ ...QUESTION, answer: 2 }] },
      /item 1: "answer" must be a whole number in 0..1 or one of the choices, got 2/,
    ],
    ["an answer that is no choice", { ...CHOICES, items: [{ ...QUESTION, answer: "B" }] }, /got "B"/],
    [
      "a choice given twice",
      { ...CHOICES, items: [{ ...QUESTION, choices: ["a", "b", "a"] }] },
      /the choice "a" is given twice/,
    ],
    ["one choice", { ...CHOICES, items: [{ ...QUESTION, choices: ["a"] }] }, /must be a list of 2 to 256 texts/],
    [
      "a lone brace",
      { ...CHOICES, prompt: "{question} {" },
      /"prompt": expected \{field\} .* got "\{" at character 12/,
    ],
    ["a hole without a name", { ...CHOICES, prompt: "{}" }, /got "\{\}" at character 1/],
    [
      "a list in a prompt",
      { ...CHOICES, prompt: "{choices}" },
      /item 1: "choices" must be a text or a number .* got a list of 2/,
    ],
    ["a text too long", { ...PAIRS, items: [{ good: "x".repeat(1_000_001), bad: "y" }] }, /at most 1000000 characters/],
    ["a task file too long", { ...PAIRS, description: "x".repeat(5e6) }, /at most 4194304 bytes/],
    ["one word to find the last of", { ...CLOZE, lastWord: true, items: [{ text: "word" }] }, /at least two words/],
    [
      "a group in some items only",
      {
        ...PAIRS,
        items: [
          { good: "a", bad: "b", group: "g" },
          { good: "a", bad: "b" },
        ],
      },
      /item 2 has no group, unlike item 1/,
    ],
    [
      "a phenomenon without group",
      { ...PAIRS, items: [{ good: "a", bad: "b", phenomenon: "p" }] },
      /a phenomenon but no group/,
    ],
    [
      "a group with two phenomena",
      { ...PAIRS, items: ["p", "q"].map((phenomenon) => ({ good: "a", bad: "b", group: "g", phenomenon })) },
      /the group "g" has two phenomena: p, and q in item 2/,
    ],
    ["a published number in percent", { ...PAIRS, published: { "GPT-2": 83 } }, /must be a share in 0..1, got 83/],
    [
      "more examples than there are",
      { ...CHOICES, fewShot: { count: 1 } },
      /asks for 1 examples, but only 0 have another prompt than item 1/,
    ],
  ])("%s", async (_, task, message) => {
    expect(await refusal(task)).toMatch(message)
  })

  it("any damage to a task file: it is refused as data, or still a task", async () => {
    const json = JSON.stringify({ ...CHOICES, fewShot: { count: 1, examples: questions(2) } })
    await fc.assert(
      fc.asyncProperty(
        fc.nat(json.length - 1),
        fc.constantFrom("", "{", "}", '"', ",", "[", "0", "null"),
        async (at, put) => {
          const damaged = json.slice(0, at) + put + json.slice(at + 1)
          const loaded = await loadTask(damaged, "birds.json").catch((error: unknown) => error)
          if (loaded instanceof Error) expect(loaded).toBeInstanceOf(DataError)
          else expect((loaded as Task).items).toHaveLength(1)
        },
      ),
      { numRuns: 300 },
    )
  })
})

describe("few-shot examples", () => {
  const SHOTS = { count: 3, seed: 5 }

  it("never hold the item itself, and are otherwise the same for all items", async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 4, max: 30 }), fc.nat(1000), async (count, seed) => {
        const { items } = await load({ ...CHOICES, items: questions(count), fewShot: { count: 3, seed } })
        const beginnings = items.map(({ context }, at) => {
          const parts = context.split("\n\n")
          expect(parts).toHaveLength(4)
          expect(parts[3]).toBe(`Q${at}`)
          expect(parts.slice(0, 3).every((shot) => !shot.startsWith(`Q${at} `))).toBe(true)
          return parts.slice(0, 3).join()
        })
        const common = beginnings.filter((each) => each === mostFrequent(beginnings))
        expect(common.length).toBeGreaterThanOrEqual(count - 3)
      }),
      { numRuns: 50 },
    )
  })

  it("carry their right answers", async () => {
    const { items } = await load({ ...CHOICES, items: questions(9), fewShot: SHOTS, separator: " => " })
    const shots = items[0]!.context.split("\n\n").slice(0, 3)
    for (const shot of shots) expect(shot).toMatch(Number(/\d/.exec(shot)![0]) % 2 ? /=> no$/ : /=> yes$/)
  })

  it("depend on the seed alone, and come from their own list where there is one", async () => {
    const task = { ...CHOICES, items: questions(20), fewShot: SHOTS }
    expect(await load(task)).toEqual(await load(task))
    expect(await load(task)).not.toEqual(await load({ ...task, fewShot: { ...SHOTS, seed: 6 } }))
    const examples = [{ question: "E", choices: ["x", "y"], answer: 1 }]
    const { items } = await load({ ...CHOICES, fewShot: { count: 1, examples, separator: "\n" } })
    expect(items[0]!.context).toBe("E y\nWho sings?")
  })
})

const mostFrequent = (values: readonly string[]): string =>
  values.toSorted((a, b) => values.filter((each) => each === b).length - values.filter((each) => each === a).length)[0]!

describe("a file of items", () => {
  const LINES = '{"good": "A", "bad": "B"}\r\n\n{"good": "C", "bad": "D"}\n'
  const task = (file: string) => JSON.stringify({ ...HEAD, kind: "minimal-pairs", file })
  let folder: string
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "kinglet-task-"))
  })
  afterAll(() => rmSync(folder, { recursive: true }))

  const openWith = (name: string, bytes: Uint8Array | string): Promise<Task> => {
    writeFileSync(join(folder, name), bytes)
    writeFileSync(join(folder, "birds.json"), task(name))
    return openTask(join(folder, "birds.json"))
  }

  it("lies beside the task file, packed or not, and gives the same task", async () => {
    const plain = await openWith("items.jsonl", LINES)
    expect(plain.items.map(({ endings }) => endings.join(""))).toEqual(["AB", "CD"])
    expect(await openWith("items.jsonl.gz", gzipSync(LINES))).toEqual(plain)
  })

  it("is named with its line where something is wrong", async () => {
    const failing = (bytes: Uint8Array | string) =>
      openWith("items.jsonl", bytes).catch((error: Error) => error.message)
    expect(await failing(`${LINES}{"good": "E"}`)).toMatch(/item 3 \(items.jsonl:4\) has no field "bad"/)
    expect(await failing(`${LINES}{"good": `)).toMatch(/item 3 \(items.jsonl:4\): not valid JSON/)
    expect(await failing("\n \n")).toMatch(/the task has no items/)
    expect(await failing(gzipSync(LINES).subarray(0, 30))).toMatch(/items.jsonl: /)
    expect(await failing(Uint8Array.of(0x22, 0xff, 0x22))).toMatch(/not UTF-8/)
  })

  it("must exist, as must the task", async () => {
    await expect(openTask(join(folder, "none.json"))).rejects.toThrow(/cannot read the task .*none.json: no such file/)
    writeFileSync(join(folder, "alone.json"), task("absent.jsonl"))
    await expect(openTask(join(folder, "alone.json"))).rejects.toThrow(/cannot read .*absent.jsonl: no such file/)
  })
})

describe("the tasks among the examples", () => {
  const folder = join(import.meta.dirname, "../../../examples/tasks")
  it.each(readdirSync(folder))("%s is a task of the kind its name says", async (name) => {
    const { kind, items, description, licence } = await loadTask(readFileSync(join(folder, name)), name)
    expect(`${kind}.json`).toBe(name)
    expect(items.length).toBeGreaterThan(5)
    expect([description, licence]).not.toContain(undefined)
  })
})
