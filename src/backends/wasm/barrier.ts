// Where lanes meet inside a step: a counter and a generation in the control block that opens every shared memory. Waiting
// spins first, because lanes arrive microseconds apart, then sleeps in the futex, because a busy machine may have taken
// a lane's core away.
import type { FunctionHandle, ModuleBuilder } from "./assembler.ts"

// Each word has a cache line of its own: arrivals must not disturb those who watch the generation.
const ARRIVED = 0
const GENERATION = 64
const SLEEPERS = 128
/** Bytes from address 0 that belong to the barrier; a memory's tensors start here. */
export const CONTROL_BYTES = 192
/** Turns before the futex: 50-100 µs at 2-3 ns each. */
const SPINS = 30_000

/**
 * Defines `barrier(lanes)`: returns when all lanes have called it, and everything they wrote before is visible to all.
 *
 * One lane passes at once and touches no atomics, so that an unshared memory will do.
 */
export function emitBarrier(module: ModuleBuilder): FunctionHandle {
  return module.once("barrier", () =>
    module.function("barrier", ["i32"], [], false, (f, lanes) => {
      const [generation, spins] = f.locals("i32", 2)
      const word = (address: number) => (f.i32.const(address), f.i32.atomicLoad())
      const add = (address: number, amount: number) => (f.i32.const(address), f.i32.const(amount), f.i32.atomicRmwAdd())
      const closed = () => (word(GENERATION), f.local.get(generation), f.i32.eq())
      f.local.get(lanes), f.i32.const(1), f.i32.leS()
      f.if(f.return)
      word(GENERATION), f.local.set(generation)
      add(ARRIVED, 1), f.address(lanes, -1), f.i32.eq()
      f.if(() => {
        f.i32.const(ARRIVED), f.i32.const(0), f.i32.atomicStore()
        add(GENERATION, 1), f.drop()
        word(SLEEPERS)
        f.if(() => (f.i32.const(GENERATION), f.local.get(lanes), f.memory.atomicNotify(), f.drop()))
        f.return()
      })
      f.forRange(spins, 0, SPINS, 1, () => {
        closed(), f.i32.eqz()
        f.if(f.return)
      })
      // a sleeper counts itself before it looks at the generation again: either it sees the new one or it is notified
      add(SLEEPERS, 1), f.drop()
      f.loop(() => {
        f.i32.const(GENERATION), f.local.get(generation), f.i64.const(-1), f.memory.atomicWait32(), f.drop()
        closed(), f.brIf()
      })
      add(SLEEPERS, -1), f.drop()
    }),
  )
}
