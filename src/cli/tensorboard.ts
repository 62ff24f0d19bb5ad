// TensorBoard event files: TFRecords of Event protocol buffers, written by hand. Format: tensorflow/core/lib/io/record_writer.h
// (length, masked CRC-32C of the length, data, masked CRC-32C of the data) and tensorflow/core/util/event.proto.

import { platform } from "#platform"
import type { TrainEvent } from "../train/index.ts"
import type { Reader } from "./reader.ts"

/** Castagnoli's polynomial, bits reversed. RFC 3720, appendix B.4. */
const POLYNOMIAL = 0x82f63b78
/** TensorFlow stores `rotate(crc, 15) + 0xa282ead8`, so that a CRC over data that holds CRCs is still a good one. */
const MASK = 0xa282ead8

export function crc32c(bytes: Uint8Array): number {
  let crc = ~0
  for (const byte of bytes) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? POLYNOMIAL : 0)
  }
  return ~crc >>> 0
}

export function maskedCrc32c(bytes: Uint8Array): number {
  const crc = crc32c(bytes)
  return (((crc >>> 15) | (crc << 17)) + MASK) >>> 0
}

/** One record: `length u64 | crc(length) u32 | data | crc(data) u32`, little-endian. */
export function tfRecord(data: Uint8Array): Uint8Array {
  const record = new Uint8Array(data.length + 16)
  const view = new DataView(record.buffer)
  view.setBigUint64(0, BigInt(data.length), true)
  view.setUint32(8, maskedCrc32c(record.subarray(0, 8)), true)
  record.set(data, 12)
  view.setUint32(12 + data.length, maskedCrc32c(data), true)
  return record
}

// Protocol buffers: a field is `number << 3 | type` and its value; types 0 varint, 1 eight bytes, 2 length and bytes, 5 four bytes.

function varint(value: number): number[] {
  const bytes: number[] = []
  for (let rest = BigInt(value); bytes.length === 0 || rest > 0n; rest >>= 7n)
    bytes.push(Number(rest & 127n) | (rest > 127n ? 128 : 0))
  return bytes
}

function fixed(bytes: number, write: (view: DataView) => void): number[] {
  const view = new DataView(new ArrayBuffer(bytes))
  write(view)
  return [...new Uint8Array(view.buffer)]
}

const bytesField = (field: number, bytes: readonly number[]): number[] => [
  (field << 3) | 2,
  ...varint(bytes.length),
  ...bytes,
]
const textField = (field: number, text: string): number[] => bytesField(field, [...new TextEncoder().encode(text)])
const floatField = (field: number, value: number): number[] => [
  (field << 3) | 5,
  ...fixed(4, (view) => view.setFloat32(0, value, true)),
]

/** Event: wall_time = 1, step = 2, file_version = 3, summary = 5; Summary.Value: tag = 1, simple_value = 2. */
function eventBytes(wallTime: number, step: number, rest: readonly number[]): Uint8Array {
  const time = [(1 << 3) | 1, ...fixed(8, (view) => view.setFloat64(0, wallTime, true))]
  return Uint8Array.from([...time, (2 << 3) | 0, ...varint(step), ...rest])
}

export const versionEvent = (wallTime: number): Uint8Array => eventBytes(wallTime, 0, textField(3, "brain.Event:2"))

export function scalarsEvent(wallTime: number, step: number, scalars: { readonly [tag: string]: number }): Uint8Array {
  const values = Object.entries(scalars).flatMap(([tag, value]) =>
    bytesField(1, [...textField(1, tag), ...floatField(2, value)]),
  )
  return eventBytes(wallTime, step, bytesField(5, values))
}

/** What TensorBoard shows of an event. */
function scalarsOf(event: TrainEvent): { readonly [tag: string]: number } | undefined {
  if (event.type === "step-end")
    return {
      "train/loss": event.loss,
      "train/learning_rate": event.learningRate,
      "train/gradient_norm": event.gradientNorm,
      "train/tokens_per_second": event.tokensPerSecond,
    }
  if (event.type === "evaluation-end")
    return { "held_out/nats": event.nats, "held_out/bits_per_byte": event.bitsPerByte }
  return undefined
}

/** Records between two writes. */
const FLUSH_RECORDS = 256

/** Writes `DIR/tensorboard/events.out.tfevents.SECONDS.kinglet`, a new file for each sitting. */
export function tensorboardReader(dir: string): Reader {
  const files = platform.files!
  const seconds = () => platform.wallClock() / 1000
  const folder = files.join(dir, "tensorboard")
  const path = files.join(folder, `events.out.tfevents.${Math.floor(seconds())}.kinglet`)
  let pending: Uint8Array[] = []
  let position = 0
  const flush = async (): Promise<void> => {
    if (pending.length === 0) return
    await files.makeDirectory(folder)
    const file = await files.open(path, "append")
    try {
      for (const record of pending) {
        await file.write(record, position)
        position += record.length
      }
    } finally {
      await file.close()
    }
    pending = []
  }
  return {
    read: async (event) => {
      const scalars = "step" in event ? scalarsOf(event) : undefined
      if (scalars && position === 0 && pending.length === 0) pending.push(tfRecord(versionEvent(seconds())))
      if (scalars) pending.push(tfRecord(scalarsEvent(seconds(), (event as { step: number }).step, scalars)))
      if (pending.length >= FLUSH_RECORDS || event.type === "evaluation-end") await flush()
    },
    close: flush,
  }
}
