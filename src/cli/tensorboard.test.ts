import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { crc32c, maskedCrc32c, scalarsEvent, tensorboardReader, tfRecord, versionEvent } from "./tensorboard.ts"

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex")
const bytes = (length: number, at: (index: number) => number): Uint8Array =>
  Uint8Array.from({ length }, (_, index) => at(index))

/** Payloads of the records in a file, their checksums checked. */
function readRecords(file: Uint8Array): Uint8Array[] {
  const view = new DataView(file.buffer, file.byteOffset)
  const records: Uint8Array[] = []
  for (let at = 0; at < file.length; ) {
    const length = Number(view.getBigUint64(at, true))
    expect(view.getUint32(at + 8, true)).toBe(maskedCrc32c(file.subarray(at, at + 8)))
    const data = file.subarray(at + 12, at + 12 + length)
    expect(view.getUint32(at + 12 + length, true)).toBe(maskedCrc32c(data))
    records.push(data)
    at += length + 16
  }
  return records
}

describe("TensorBoard files", () => {
  it("CRC-32C gives the vectors of RFC 3720, appendix B.4", () => {
    expect(crc32c(bytes(32, () => 0))).toBe(0x8a9136aa)
    expect(crc32c(bytes(32, () => 0xff))).toBe(0x62a8ab43)
    expect(crc32c(bytes(32, (index) => index))).toBe(0x46dd794e)
    expect(crc32c(bytes(32, (index) => 31 - index))).toBe(0x113fdb5c)
    expect(crc32c(new TextEncoder().encode("123456789"))).toBe(0xe3069283)
  })

  it("the masked checksum of a length of 24 is what every file that TensorFlow writes begins with", () => {
    expect(hex(tfRecord(new Uint8Array(24)).subarray(0, 12))).toBe("1800000000000000a37f4b22")
  })

  it("a record is length, its checksum, data, their checksum", () => {
    const record = tfRecord(Uint8Array.of(1, 2, 3))
    expect(record).toHaveLength(19)
    expect(readRecords(record).map(hex)).toEqual(["010203"])
  })

  it("events are protocol buffers as event.proto numbers them", () => {
    expect(hex(versionEvent(1))).toBe(`09000000000000f03f10001a0d${hex(new TextEncoder().encode("brain.Event:2"))}`)
    expect(hex(scalarsEvent(0, 300, { a: 1 }))).toBe("09000000000000000010ac022a0a0a080a0161150000803f")
  })

  it("a run's steps and evaluations become records of one file, in order", async () => {
    const dir = mkdtempSync(join(tmpdir(), "kinglet-tensorboard-"))
    const reader = tensorboardReader(dir)
    const step = {
      type: "step-end",
      learningRate: 0.1,
      gradientNorm: 1,
      tokens: 8,
      tokensPerSecond: 5,
      seconds: 1,
    } as const
    await reader.read({ ...step, step: 1, loss: 3 })
    await reader.read({ ...step, step: 2, loss: 2 })
    await reader.close()
    const [name] = readdirSync(join(dir, "tensorboard"))
    const records = readRecords(readFileSync(join(dir, "tensorboard", name!))).map((record) =>
      Buffer.from(record).toString("latin1"),
    )
    expect(records).toHaveLength(3)
    expect(records[0]).toContain("brain.Event:2")
    expect(records[2]).toContain("train/loss")
    rmSync(dir, { recursive: true })
  })

  it("a run that never began leaves nothing", async () => {
    const dir = mkdtempSync(join(tmpdir(), "kinglet-tensorboard-"))
    await tensorboardReader(dir).close()
    expect(readdirSync(dir)).toEqual([])
    rmSync(dir, { recursive: true })
  })
})
