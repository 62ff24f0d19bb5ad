// Cross-entropy of rows of logits and its gradient. Lanes share the rows; within a row the order of the sum depends on the
// row's length alone.
import type { FunctionBuilder, FunctionHandle, Local, ModuleBuilder } from "../assembler.ts"
import { emitExp, emitLog, emitTanh } from "../vector-math.ts"
import {
  defineKernel,
  emitForUnits,
  emitLoadPart,
  emitStorePart,
  emitSumOfLanes,
  type LaneParams,
  VECTOR_BYTES,
} from "./lane-slice.ts"

export interface CrossEntropyShape {
  readonly N: number
  readonly V: number
}

/** Vectors summed side by side, so that additions need not wait for each other. */
const CHAINS = 4

/**
 * `(logits [N, V], targets i32 [N], nats [N])`: `(max - logit[target]) + ln Σ e^(logit - max)`, 0 where the target is
 * negative, NaN where it is V or more. With `statistics` also `(…, logSumExp [N])`; a `softcap` other than 0 bends the logits
 * first, in place.
 */
export function emitCrossEntropy(
  module: ModuleBuilder,
  { N, V }: CrossEntropyShape,
  options: { fma: boolean; softcap?: number; statistics?: boolean },
): FunctionHandle {
  const { fma, softcap = 0, statistics = false } = options
  const name = `crossEntropy ${N}x${V} ${softcap} ${statistics}`
  const build = (f: FunctionBuilder, [logits, targets, nats, logSumExp]: readonly Local[], lane: LaneParams) => {
    const [target, row] = f.locals("i32", 2)
    const [largest, total] = f.locals("v128", 2)
    emitForUnits(f, lane, N, (n) => {
      const rowOf = (statistics: Local) => f.address(statistics, () => f.scaled(n, 4))
      rowOf(targets), f.i32.load(), f.local.set(target)
      if (statistics) rowOf(logSumExp), f.i32.const(0), f.i32.store()
      rowOf(nats)
      f.local.get(target), f.i32.const(0), f.i32.ltS()
      const loss = () => {
        f.address(logits, () => f.scaled(n, 4 * V)), f.local.set(row)
        if (softcap !== 0) emitSoftcapRow(f, row, V, softcap, fma)
        emitRowMax(f, row, V, largest)
        emitRowExpSum(f, row, V, largest, fma), f.f32x4.splat(), f.local.set(total)
        emitLog(f, total, fma), f.local.set(total)
        if (statistics) rowOf(logSumExp), f.local.get(largest), f.local.get(total), f.f32x4.add(), f.v128.store32Lane(0)
        f.local.get(total), f.f32x4.extractLane(0)
        f.local.get(largest), f.f32x4.extractLane(0), emitTargetLogit(f, row, target, V), f.f32.sub(), f.f32.add()
      }
      f.if(() => f.f32.const(0), loss, "f32")
      f.f32.store()
    })
  }
  return module.once(name, () => defineKernel(module, name, statistics ? 4 : 3, build))
}

function emitSoftcapRow(f: FunctionBuilder, row: Local, V: number, softcap: number, fma: boolean): void {
  f.scope(() => {
    const value = f.local("v128")
    emitForChains(f, row, V, (at, offset, count) => {
      f.local.get(at), f.v128.load(offset), f.local.set(value)
      emitSoftcap(f, value, softcap, fma), emitStorePart(f, at, value, count, offset)
    })
  })
}

/** `value = softcap · t` with `t = tanh(value / softcap)`; `slope` is set to `1 - t²` where it is given. */
export function emitSoftcap(f: FunctionBuilder, value: Local, softcap: number, fma: boolean, slope?: Local): void {
  f.local.get(value), f.f32x4.const(1 / softcap), f.f32x4.mul(), f.local.set(value)
  emitTanh(f, value, fma), f.local.set(value)
  if (slope !== undefined)
    f.f32x4.const(1), f.local.get(value), f.local.get(value), f.f32x4.mul(), f.f32x4.sub(), f.local.set(slope)
  f.local.get(value), f.f32x4.const(softcap), f.f32x4.mul(), f.local.set(value)
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
 * `(logits [N, V], targets i32 [N], dLoss [N], dLogits [N, V])`: `dLoss · (softmax(logits) - onehot(target))`, zeros where
 * the target is negative; dLogits may be logits.
 */
export function emitCrossEntropyGrad(
  module: ModuleBuilder,
  { N, V }: CrossEntropyShape,
  options: { fma: boolean },
): FunctionHandle {
  return defineKernel(module, `crossEntropyGrad ${N}x${V}`, 4, (f, [logits, targets, dLoss, dLogits], lane) => {
    const [target, row, dRow] = f.locals("i32", 3)
    const factor = f.local("f32")
    const largest = f.local("v128")
    emitForUnits(f, lane, N, (n) => {
      f.address(targets, () => f.scaled(n, 4)), f.i32.load(), f.local.set(target)
      f.address(dLogits, () => f.scaled(n, 4 * V)), f.local.set(dRow)
      f.address(dLoss, () => f.scaled(n, 4)), f.f32.load(), f.local.set(factor)
      const gradient = () => {
        f.address(logits, () => f.scaled(n, 4 * V)), f.local.set(row)
        emitRowMax(f, row, V, largest)
        f.local.get(factor)
        emitRowExpSum(f, row, V, largest, options.fma, dRow)
        f.f32.div()
        emitScaleRow(f, dRow, V)
        emitSubtractAtTarget(f, dRow, target, factor, V)
      }
      f.local.get(target), f.i32.const(0), f.i32.ltS()
      f.if(() => (f.local.get(dRow), f.i32.const(0), f.i32.const(4 * V), f.memory.fill()), gradient)
    })
  })
}

function emitSubtractAtTarget(f: FunctionBuilder, dRow: Local, target: Local, factor: Local, V: number): void {
  f.local.get(target), f.i32.const(V), f.i32.ltU()
  f.if(() => {
    f.address(dRow, () => f.scaled(target, 4)), f.local.tee(target)
    f.local.get(target), f.f32.load(), f.local.get(factor), f.f32.sub(), f.f32.store()
  })
}

/** Takes an f32 and multiplies the row by it. */
function emitScaleRow(f: FunctionBuilder, row: Local, V: number): void {
  f.scope(() => {
    const [factor, value] = f.locals("v128", 2)
    f.f32x4.splat(), f.local.set(factor)
    emitForChains(f, row, V, (at, offset, count) => {
      f.local.get(at), f.v128.load(offset), f.local.get(factor), f.f32x4.mul(), f.local.set(value)
      emitStorePart(f, at, value, count, offset)
    })
  })
}

/** Sets all lanes of `largest` to the row's largest number. */
function emitRowMax(f: FunctionBuilder, row: Local, V: number, largest: Local): void {
  f.scope(() => {
    const value = f.local("v128")
    const chains = f.locals("v128", CHAINS)
    for (const chain of chains) f.f32x4.const(-Infinity), f.local.set(chain)
    emitForChains(f, row, V, (at, offset, count, chain) => {
      emitLoadPart(f, value, at, count, { offset, filler: -Infinity })
      f.local.get(chains[chain]), f.local.get(value), f.f32x4.pmax(), f.local.set(chains[chain])
    })
    f.local.get(chains[0])
    for (const chain of chains.slice(1)) f.local.get(chain), f.f32x4.pmax()
    f.local.set(value)
    const fold = (...order: [number, number, number, number]) => {
      f.local.get(value), f.local.get(value), f.local.get(value), f.i32x4.shuffle(...order), f.f32x4.pmax()
      f.local.set(value)
    }
    fold(2, 3, 0, 1), fold(1, 0, 3, 2)
    f.local.get(value), f.local.set(largest)
  })
}

/** Leaves `Σ e^(x - largest)` as f32; with `target`, stores each term there too. */
function emitRowExpSum(f: FunctionBuilder, row: Local, V: number, largest: Local, fma: boolean, target?: Local): void {
  f.scope(() => {
    const shift = f.local("i32")
    const value = f.local("v128")
    const chains = f.locals("v128", CHAINS)
    for (const chain of chains) f.f32x4.const(0), f.local.set(chain)
    if (target !== undefined) f.local.get(target), f.local.get(row), f.i32.sub(), f.local.set(shift)
    emitForChains(f, row, V, (at, offset, count, chain) => {
      emitLoadPart(f, value, at, count, { offset, filler: -Infinity })
      f.local.get(value), f.local.get(largest), f.f32x4.sub(), f.local.set(value)
      emitExp(f, value, fma), f.local.set(value)
      f.local.get(chains[chain]), f.local.get(value), f.f32x4.add(), f.local.set(chains[chain])
      if (target !== undefined) emitStoreShifted(f, at, shift, value, count, offset)
    })
    f.local.get(chains[0]), f.local.get(chains[1]), f.f32x4.add()
    f.local.get(chains[2]), f.local.get(chains[3]), f.f32x4.add(), f.f32x4.add(), f.local.set(value)
    emitSumOfLanes(f, value)
  })
}

function emitStoreShifted(
  f: FunctionBuilder,
  at: Local,
  shift: Local,
  value: Local,
  count: number,
  offset: number,
): void {
  f.scope(() => {
    const to = f.local("i32")
    f.address(at, shift), f.local.set(to)
    emitStorePart(f, to, value, count, offset)
  })
}

/** Calls `body` for each vector of a row, CHAINS vectors a turn; the rest of the row follows, its last vector partial. */
export function emitForChains(
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
