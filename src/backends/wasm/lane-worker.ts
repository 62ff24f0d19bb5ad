// The program of a lane, as source text: it runs in a worker, where nothing can be imported. It sleeps on the control
// words until the sequence moves; then it runs the step that the words name, or goes back to its event loop, where a
// message waits (a module to load or to forget).

/** Indices of the words that the caller and the lanes of one pool share. */
export const WORD = { sequence: 0, command: 1, module: 2, step: 3, done: 4, finished: 5 } as const
export const WORDS = 8
export const COMMAND = { run: 1, message: 2 } as const

/** What the caller posts. `sequence` is the value from which the lane listens on. */
export type ToLane =
  | { kind: "open"; sequence: number; control: SharedArrayBuffer; lane: number; lanes: number; wakeByMessage: boolean }
  | {
      kind: "load"
      sequence: number
      id: number
      module: unknown
      memory: unknown
      names: readonly string[]
      /** Source text that gives `sgemm` for a memory, if the module imports it. */
      bindBlas: string | undefined
    }
  | { kind: "unload"; sequence: number; id: number }

/** What a lane posts. `done` comes from the last lane of a step, and only where `Atomics.waitAsync` is missing. */
export type FromLane = { kind: "ready" } | { kind: "done" } | { kind: "failed"; lane: number; message: string }

export const LANE_SOURCE = `
let words, lane, lanes, wakeByMessage
let bind
const modules = new Map()
const now = () => performance.now()

const receive = {
  open(message) {
    ({ lane, lanes, wakeByMessage } = message)
    words = new Int32Array(message.control)
  },
  load({ id, module, memory, names, bindBlas }) {
    if (bindBlas) bind ??= eval(bindBlas)
    const { exports } = new WebAssembly.Instance(module, { env: { memory, now, sgemm: bindBlas && bind(memory) } })
    modules.set(id, names.map((name) => exports[name]))
  },
  unload({ id }) {
    modules.delete(id)
  },
}

self.onmessage = ({ data }) => {
  try {
    receive[data.kind](data)
    postMessage({ kind: "ready" })
    listen(data.sequence)
  } catch (error) {
    postMessage({ kind: "failed", lane, message: String(error) })
  }
}

function listen(sequence) {
  for (;;) {
    Atomics.wait(words, ${WORD.sequence}, sequence)
    const now = Atomics.load(words, ${WORD.sequence})
    if (now === sequence) continue
    sequence = now
    if (Atomics.load(words, ${WORD.command}) !== ${COMMAND.run}) return
    modules.get(words[${WORD.module}])[words[${WORD.step}]](lane, lanes)
    if (Atomics.add(words, ${WORD.done}, 1) === lanes - 1) finish()
  }
}

function finish() {
  Atomics.add(words, ${WORD.finished}, 1)
  Atomics.notify(words, ${WORD.finished})
  if (wakeByMessage) postMessage({ kind: "done" })
}
`
