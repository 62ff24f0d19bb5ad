// Laws of units: nothing is lost, copies stay together, and few documents become blocks.
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { BLOCK_BYTES, type DocumentScore } from "../score/document-score.ts"
import { scored } from "./testing.ts"
import { MIN_UNITS, unitsOf } from "./units.ts"

const documents = (count: number, bytes = 50) =>
  Array.from({ length: count }, (_, i) => scored(`d${i}`, i + 1, bytes, cutNats(i + 1, bytes)))

/** Nats spread evenly over blocks of {@link BLOCK_BYTES}. */
function cutNats(nats: number, bytes: number): number[] {
  const count = Math.max(1, Math.ceil(bytes / BLOCK_BYTES))
  return Array.from({ length: count }, () => nats / count)
}

const total = (items: readonly { readonly nats: number; readonly bytes: number }[]) => ({
  nats: items.reduce((sum, { nats }) => sum + nats, 0),
  bytes: items.reduce((sum, { bytes }) => sum + bytes, 0),
})

const anyDocuments: fc.Arbitrary<DocumentScore[]> = fc.array(
  fc
    .record({ key: fc.nat({ max: 30 }), nats: fc.nat({ max: 9999 }), bytes: fc.nat({ max: 60_000 }) })
    .map(({ key, nats, bytes }) => scored(`d${key}`, nats, bytes, cutNats(nats, bytes))),
  { maxLength: 60 },
)

describe("unitsOf", () => {
  it("units hold all nats and bytes of the documents, each key once, whatever the order", () => {
    fc.assert(
      fc.property(anyDocuments, (documents) => {
        const { units } = unitsOf(documents)
        expect(total(units).bytes).toBe(total(documents).bytes)
        expect(total(units).nats).toBeCloseTo(total(documents).nats, 6)
        expect(new Set(units.map(({ key }) => key)).size).toBe(units.length)
        expect(unitsOf([...documents].reverse()).units.map(({ key }) => key)).toEqual(units.map(({ key }) => key))
      }),
    )
  })

  it("a document that occurs twice is one unit with the nats and bytes of both", () => {
    const { unit, units } = unitsOf([...documents(20), scored("d3", 4, 50)])
    expect([unit, units.length]).toEqual(["document", 20])
    expect(units.find(({ key }) => key === "d3")).toEqual({ key: "d3", nats: 8, bytes: 100 })
  })

  it("copies do not make up for documents: 19 texts twice each are blocks, not documents", () => {
    const texts = documents(19)
    expect(unitsOf(texts).unit).toBe("block")
    expect(unitsOf([...texts, ...texts])).toMatchObject({ unit: "block", tooFew: expect.stringContaining("19") })
    expect(unitsOf(documents(MIN_UNITS))).not.toHaveProperty("tooFew")
  })

  it("copies of a long text share their blocks", () => {
    const book = scored("book", 100, 100_000, cutNats(100, 100_000))
    const { units } = unitsOf([book, { ...book, id: "again" }])
    expect(units.length).toBe(10)
    for (const unit of units) expect(unit).toMatchObject({ nats: 20, bytes: 2 * BLOCK_BYTES })
  })

  it("blocks have 10 kB, and a last one under half of that joins the one before", () => {
    const bytesOf = (bytes: number) =>
      unitsOf([scored("d", 1, bytes, cutNats(1, bytes))]).units.map(({ bytes }) => bytes)
    expect(bytesOf(24_999)).toEqual([10_000, 14_999])
    expect(bytesOf(25_000)).toEqual([10_000, 10_000, 5000])
    expect(bytesOf(4000)).toEqual([4000])
  })

  it("blocks say that they do not cover new authors, documents say nothing", () => {
    expect(unitsOf([scored("d", 1, 300_000, cutNats(1, 300_000))]).note).toContain("does not cover new authors")
    expect(unitsOf(documents(40))).not.toHaveProperty("note")
  })

  it("fewer than 20 blocks: how many there are and how many it takes", () => {
    expect(unitsOf(documents(1, 150_000)).tooFew).toBe(
      "no interval: it needs 20 documents, or blocks of 10 kB; got 1 document in 15 such blocks",
    )
    expect(unitsOf([]).tooFew).toContain("got 0 documents in 0 such blocks")
  })

  it("a loss that is not finite, or a text without bytes, is a reason", () => {
    const texts = documents(30)
    expect(unitsOf([...texts, scored("x", Infinity, 5)]).tooFew).toContain("1 of 31 units")
    expect(unitsOf([...texts, scored("x", NaN, 5)]).tooFew).toContain("not finite")
    expect(unitsOf(documents(30, 0)).tooFew).toContain("bytes in two units")
    expect(unitsOf([...texts, scored("empty", 3, 0)])).not.toHaveProperty("tooFew")
  })
})
