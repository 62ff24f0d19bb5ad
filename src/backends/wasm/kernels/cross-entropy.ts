// Cross-entropy of rows of logits and its gradient. Lanes share the rows; within a row the order of the sum depends on the
// row's length alone.
import type { FunctionBuilder, FunctionHandle, Local, ModuleBuilder } from "../assembler.ts"
import { emitExp, emitLog, emitTanh } from "../vector-math.ts"
import { defineKernel, emitForUnits, emitLoadPart, emitStorePart, type LaneParams, VECTOR_BYTES } from "./lane-slice.ts"

export interface CrossEntropyShape {
  readonly N: number
  readonly V: number
}

export interface CrossEntropyOptions {
  readonly fma: boolean
  /** Logits are within ± this; 0 for none. */
  readonly softcap?: number
}

/** Vectors summed side by side, so that additions need not wait for each other. */
const CHAINS = 4

/**
 * `(logits [N, V], targets i32 [N], nats [N], statistics [N, 2])`: statistics are `max, ln Σ e^(logit - max)`, nats `(max -
 * logit[target]) + ln Σ`, NaN where the target is V or more; all are 0 where it is negative. A softcap bends the logits first,
 * in place.
 */
export function emitCrossEntropy(
  module: ModuleBuilder,
  { N, V }: CrossEntropyShape,
  { fma, softcap = 0 }: CrossEntropyOptions,
): FunctionHandle {
  const name = `crossEntropy ${N}x${V} ${softcap}`
  const build = (f: FunctionBuilder, [logits, targets, nats, statistics]: readonly Local[], lane: LaneParams) => {
    const [target, row] = f.locals("i32", 2)
    const [largest, total] = f.locals("v128", 2)
    emitForUnits(f, lane, N, (n) => {
      const at = (numbers: Local, bytes = 4) => f.address(numbers, () => f.scaled(n, bytes))
      at(targets), f.i32.load(), f.local.set(target)
      f.f32x4.const(0), f.local.tee(largest), f.local.set(total)
      at(nats)
      f.local.get(target), f.i32.const(0), f.i32.ltS()
      const loss = () => {
        f.address(logits, () => f.scaled(n, 4 * V)), f.local.set(row)
        if (softcap !== 0) emitSoftcapRow(f, row, V, softcap, fma)
        emitReduceRow(f, row, V, largest, { start: -Infinity, combine: f.f32x4.pmax, of: f.local.get })
        const term = (value: Local) => {
          f.local.get(value), f.local.get(largest), f.f32x4.sub(), f.local.set(value), emitExp(f, value, fma)
        }
        emitReduceRow(f, row, V, total, { start: 0, combine: f.f32x4.add, of: term })
        emitLog(f, total, fma), f.local.set(total)
        f.local.get(total), f.f32x4.extractLane(0)
        f.local.get(largest), f.f32x4.extractLane(0), emitTargetLogit(f, row, target, V), f.f32.sub(), f.f32.add()
      }
      f.if(() => f.f32.const(0), loss, "f32")
      f.f32.store()
      at(statistics, 8), f.local.get(largest), f.v128.store32Lane(0)
      at(statistics, 8), f.local.get(total), f.v128.store32Lane(0, 4)
    })
  }
  return module.once(name, () => defineKernel(module, name, 4, build))
}

/** `softcap · tanh(z / softcap)` for the row, in place. */
function emitSoftcapRow(f: FunctionBuilder, row: Local, V: number, softcap: number, fma: boolean): void {
  f.scope(() => {
    const value = f.local("v128")
    emitForChains(f, row, V, (at, offset, count) => {
      f.local.get(at), f.v128.load(offset), f.f32x4.const(1 / softcap), f.f32x4.mul(), f.local.set(value)
      emitTanh(f, value, fma), f.f32x4.const(softcap), f.f32x4.mul(), f.local.set(value)
      emitStorePart(f, at, value, count, offset)
    })
  })
}

/** Leaves the slope of `softcap · tanh(z / softcap)` from its value: `1 - (value / softcap)²`. */
function emitSlope(f: FunctionBuilder, value: Local, softcap: number): void {
  f.f32x4.const(1), f.local.get(value), f.local.get(value), f.f32x4.mul()
  f.f32x4.const(1 / softcap ** 2), f.f32x4.mul(), f.f32x4.sub()
}

/** Leaves `row[target]`, or NaN where there is none. */
function emitTargetLogit(f: FunctionBuilder, row: Local, target: Local, V: number): void {
  f.local.get(target), f.i32.const(V), f.i32.ltU()
  f.if(
    () => (f.address(row, () => f.scaled(target, 4)), f.f32.load()),
    () => f.f32.const(NaN),
    "f32",
  )
}

/**
 * `(logits [N, V], targets i32 [N], statistics [N, 2], dNats [N], dLogits [N, V])`: `dNats · (softmax(logits) -
 * onehot(target)) · slope`, zeros where the target is negative; dLogits may be logits. The slope is that of the softcap, whose
 * results the logits already are.
 */
export function emitCrossEntropyGrad(
  module: ModuleBuilder,
  { N, V }: CrossEntropyShape,
  { fma, softcap = 0 }: CrossEntropyOptions,
): FunctionHandle {
  const name = `crossEntropyGrad ${N}x${V} ${softcap}`
  const build = (f: FunctionBuilder, tensors: readonly Local[], lane: LaneParams) => {
    const [logits, targets, statistics, dNats, dLogits] = tensors
    const [row, dRow, to, target] = f.locals("i32", 4)
    const [largest, total, factor, column, value, exponent] = f.locals("v128", 6)
    const element = (at: Local, offset: number, count: number) => {
      f.local.get(at), f.v128.load(offset), f.local.set(value)
      f.local.get(value), f.local.get(largest), f.f32x4.sub(), f.local.get(total), f.f32x4.sub(), f.local.set(exponent)
      emitExp(f, exponent, fma)
      f.local.get(column), f.i32x4.const(0), f.i32x4.eq(), f.f32x4.const(1), f.v128.and(), f.f32x4.sub()
      f.local.get(factor), f.f32x4.mul()
      if (softcap !== 0) emitSlope(f, value, softcap), f.f32x4.mul()
      f.local.set(value)
      f.address(at, dRow), f.local.set(to), emitStorePart(f, to, value, count, offset)
      f.local.get(column), f.i32x4.const(4), f.i32x4.add(), f.local.set(column)
    }
    emitForUnits(f, lane, N, (n) => {
      const at = (numbers: Local, bytes = 4) => f.address(numbers, () => f.scaled(n, bytes))
      f.address(logits, () => f.scaled(n, 4 * V)), f.local.set(row)
      f.address(dLogits, () => f.scaled(n, 4 * V)), f.local.set(dRow)
      at(targets), f.i32.load(), f.local.tee(target), f.i32.const(0), f.i32.ltS()
      const gradient = () => {
        f.local.get(dRow), f.local.get(row), f.i32.sub(), f.local.set(dRow) // from here on what lies between the rows
        at(statistics, 8), f.v128.load32Splat(), f.local.set(largest)
        at(statistics, 8), f.v128.load32Splat(4), f.local.set(total)
        at(dNats), f.v128.load32Splat(), f.local.set(factor)
        // counts the columns, and is 0 at the target
        f.i32.const(0), f.local.get(target), f.i32.sub(), f.i32x4.splat(), f.i32x4.const(0, 1, 2, 3), f.i32x4.add()
        f.local.set(column)
        emitForChains(f, row, V, element)
      }
      f.if(() => (f.local.get(dRow), f.i32.const(0), f.i32.const(4 * V), f.memory.fill()), gradient)
    })
  }
  return module.once(name, () => defineKernel(module, name, 5, build))
}

/** Sets all lanes of `target` to the combination of `of(value)` over the row, begun with `start`. */
function emitReduceRow(
  f: FunctionBuilder,
  row: Local,
  V: number,
  target: Local,
  { start, combine, of }: { start: number; combine: () => void; of: (value: Local) => void },
): void {
  f.scope(() => {
    const value = f.local("v128")
    const chains = f.locals("v128", CHAINS)
    for (const chain of chains) f.f32x4.const(start), f.local.set(chain)
    emitForChains(f, row, V, (at, offset, count, chain) => {
      emitLoadPart(f, value, at, count, { offset, filler: -Infinity })
      f.local.get(chains[chain]), of(value), combine(), f.local.set(chains[chain])
    })
    const [a, b, c, d] = chains.map((chain) => () => f.local.get(chain))
    a(), b(), combine(), c(), d(), combine(), combine(), f.local.set(value)
    const fold = (...order: [number, number, number, number]) => {
      f.local.get(value), f.local.get(value), f.local.get(value), f.i32x4.shuffle(...order), combine()
      f.local.set(value)
    }
    fold(2, 3, 0, 1), fold(1, 0, 3, 2)
    f.assign(target, value)
  })
}

/** Calls `body` for each vector of a row, CHAINS vectors a turn; the rest of the row follows, its last vector partial. */
function emitForChains(
  f: FunctionBuilder,
  row: Local,
  V: number,
  body: (at: Local, offset: number, count: number, chain: number) => void,
): void {
  f.scope(() => {
    const [at, end] = f.locals("i32", 2)
    const step = VECTOR_BYTES * CHAINS
    const whole = Math.floor((4 * V) / step) * step
    f.address(row, whole), f.local.set(end)
    f.forRange(at, row, end, step, () => {
      for (let chain = 0; chain < CHAINS; chain++) body(at, VECTOR_BYTES * chain, 4, chain)
    })
    for (let chain = 0; whole + VECTOR_BYTES * chain < 4 * V; chain++)
      body(end, VECTOR_BYTES * chain, Math.min(V - whole / 4 - 4 * chain, 4), chain)
  })
}
