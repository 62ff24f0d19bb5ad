import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, beforeEach, expect, it, vi } from "vitest"
import { platform } from "#platform"
import type { TrainEvent } from "./events.ts"
import { openJournal, readEvents } from "./journal.ts"

const files = platform.files!
let dir: string
let path: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "kinglet-journal-"))
  path = join(dir, "events.jsonl")
})
afterEach(() => {
  vi.useRealTimers()
  rmSync(dir, { recursive: true, force: true })
})

const event = (step: number): TrainEvent => ({ type: "sample", step, prompt: "a", text: "ü\n" })

it("what is written comes back in order, one event a line", async () => {
  const journal = await openJournal(files, path)
  for (let step = 0; step < 100; step++) journal.write(event(step))
  await journal.close()
  expect((await files.readText(path)).split("\n").length).toBe(101)
  expect(await readEvents(files, path)).toEqual(Array.from({ length: 100 }, (_, step) => event(step)))
})

it("an event waits at most a second", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] })
  const append = vi.fn(async (_path: string, _text: string) => {})
  const journal = await openJournal({ ...files, append }, path)
  journal.write(event(1))
  journal.write(event(2))
  expect(append).not.toHaveBeenCalled()
  await vi.advanceTimersByTimeAsync(1000)
  expect(append).toHaveBeenCalledOnce()
  expect(append.mock.calls[0]![1].split("\n").length).toBe(3)
})

it("a line that a killed process left unfinished does not spoil the next", async () => {
  await files.append(path, `${JSON.stringify(event(1))}\n{"type":"sam`)
  const journal = await openJournal(files, path)
  journal.write(event(2))
  await journal.close()
  expect(await readEvents(files, path)).toEqual([event(1), event(2)])
})

it("lines that could not be written are written the next time", async () => {
  let full = true
  const append = async (to: string, text: string) =>
    full ? Promise.reject(new Error("the disk is full")) : files.append(to, text)
  const journal = await openJournal({ ...files, append }, path)
  journal.write(event(1))
  await expect(journal.flush()).rejects.toThrow("the disk is full")
  full = false
  await journal.close()
  expect(await readEvents(files, path)).toEqual([event(1)])
})
