// A small WebAssembly assembler that runs when a plan is compiled. Instructions are called in stack order, under the
// names of the specification: `f32x4.relaxed_madd` is `f.f32x4.relaxedMadd()`. Nothing is checked here beyond what the
// types say; `WebAssembly.validate` finds the rest. An example, y[i] += x[i] for n floats in steps of four:
//
//   const module = createModule({ memory: { min: 1, max: 16, shared: false } })
//   module.function("add", ["i32", "i32", "i32"], [], true, (f, x, y, bytes) => {
//     const i = f.local("i32")
//     f.forRange(i, 0, bytes, 16, () => {
//       f.address(y, i)                       // y + i            (the address the store will use)
//       f.address(x, i), f.v128.load()        // x[i..i+3]
//       f.address(y, i), f.v128.load()
//       f.f32x4.add(), f.v128.store()         // offsets are arguments: f.v128.store(16)
//     })
//   })
//   new WebAssembly.Instance(new WebAssembly.Module(module.bytes()), { env: { memory } })
import { invariant } from "../../core/index.ts"
import { ByteWriter } from "./assembler-bytes.ts"
import * as op from "./assembler-opcodes.ts"

export type ValueType = "i32" | "i64" | "f32" | "f64" | "v128"

/** A typed local variable or parameter of the function being built. */
export interface Local {
  readonly index: number
  readonly type: ValueType
}
/** A defined or imported function, to be handed to `f.call`. */
export interface FunctionHandle {
  readonly index: number
  readonly params: readonly ValueType[]
  readonly results: readonly ValueType[]
}
/** A module-level variable, private to each instance (so: to each lane). */
export interface GlobalHandle {
  readonly index: number
  readonly type: ValueType
}
/** An i32 for loops and addresses: a constant, a local, or code that leaves one on the stack. */
export type Operand = number | Local | (() => void)

export interface MemoryOptions {
  /** In pages of 64 KiB. */
  readonly min: number
  readonly max: number
  /** A shared memory lets several lanes work on it; it must be imported with the same sizes. */
  readonly shared: boolean
}

const TYPE_CODE: { readonly [T in ValueType]: number } = { i32: 0x7f, i64: 0x7e, f32: 0x7d, f64: 0x7c, v128: 0x7b }
const EMPTY_BLOCK = 0x40
const EXTERNAL_FUNCTION = 0
const EXTERNAL_MEMORY = 2

/** Collects functions; `bytes()` gives the binary module. It imports `env.memory` and the functions asked for. */
export function createModule(options: { readonly memory?: MemoryOptions } = {}): ModuleBuilder {
  return new ModuleBuilder(options.memory)
}

export class ModuleBuilder {
  readonly #memory: MemoryOptions | undefined
  readonly #types: string[] = []
  readonly #imports: { module: string; name: string; type: number }[] = []
  readonly #functions: { name: string; type: number; exported: boolean; body: ByteWriter | undefined }[] = []
  readonly #globals: { type: ValueType; initial: number }[] = []
  readonly #once = new Map<string, FunctionHandle>()
  /** Instructions are hundreds of small functions, made once for each nesting of wasm functions under way. */
  readonly #pens: Pen[] = []

  constructor(memory: MemoryOptions | undefined) {
    this.#memory = memory
  }

  /** Imports a function. All imports come before the first `function`, because they share one numbering. */
  importFunction(
    module: string,
    name: string,
    params: readonly ValueType[],
    results: readonly ValueType[],
  ): FunctionHandle {
    invariant(this.#functions.length === 0, "functions must be imported before the first one is defined")
    this.#imports.push({ module, name, type: this.#typeIndex(params, results) })
    return { index: this.#imports.length - 1, params, results }
  }

  /**
   * Defines a function. `build` receives the code builder and one local per parameter; it may define other functions of
   * this module on the way. The final `end` is written for it.
   */
  function(
    name: string,
    params: readonly ValueType[],
    results: readonly ValueType[],
    exported: boolean,
    build: (f: FunctionBuilder, ...params: Local[]) => void,
  ): FunctionHandle {
    const slot = { name, type: this.#typeIndex(params, results), exported, body: undefined as ByteWriter | undefined }
    const handle = { index: this.#imports.length + this.#functions.length, params, results }
    this.#functions.push(slot)
    const pen = this.#pens.pop() ?? createPen()
    const f = createFunctionBuilder(params, pen)
    build(f, ...f.params)
    slot.body = f.finish()
    this.#pens.push(pen)
    return handle
  }

  /** The function made under `key` before, or the one `make` makes now: kernels of equal shapes share their code. */
  once(key: string, make: () => FunctionHandle): FunctionHandle {
    const known = this.#once.get(key)
    if (known !== undefined) return known
    const made = make()
    this.#once.set(key, made)
    return made
  }

  /** A mutable variable of the instance (`i32`, `f32` or `f64`). */
  global(type: "i32" | "f32" | "f64", initial = 0): GlobalHandle {
    this.#globals.push({ type, initial })
    return { index: this.#globals.length - 1, type }
  }

  /** The module in binary form, with function names for profilers and stack traces. */
  bytes(): Uint8Array {
    const out = new ByteWriter().raw([0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00])
    out.section(1, (w) => w.vector(this.#types, (type) => w.raw(type.split(",").map(Number))))
    out.section(2, (w) => this.#writeImports(w))
    out.section(3, (w) => w.vector(this.#functions, (fn) => w.unsigned(fn.type)))
    out.section(6, (w) => w.vector(this.#globals, (global) => writeGlobal(w, global)))
    out.section(7, (w) => this.#writeExports(w))
    out.section(10, (w) => w.vector(this.#functions, (fn) => w.sized(fn.body!)))
    out.section(0, (w) => this.#writeNames(w))
    return out.bytes()
  }

  #typeIndex(params: readonly ValueType[], results: readonly ValueType[]): number {
    const codes = (types: readonly ValueType[]) => [types.length, ...types.map((type) => TYPE_CODE[type])]
    const type = [0x60, ...codes(params), ...codes(results)].join(",")
    const known = this.#types.indexOf(type)
    return known >= 0 ? known : this.#types.push(type) - 1
  }

  #writeImports(w: ByteWriter): void {
    w.unsigned(this.#imports.length + (this.#memory ? 1 : 0))
    for (const { module, name, type } of this.#imports) w.name(module).name(name).byte(EXTERNAL_FUNCTION).unsigned(type)
    if (!this.#memory) return
    const { min, max, shared } = this.#memory
    w.name("env")
      .name("memory")
      .byte(EXTERNAL_MEMORY)
      .byte(shared ? 3 : 1)
      .unsigned(min)
      .unsigned(max)
  }

  #writeExports(w: ByteWriter): void {
    const exported = [...this.#functions.entries()].filter(([, fn]) => fn.exported)
    w.vector(exported, ([index, fn]) =>
      w
        .name(fn.name)
        .byte(EXTERNAL_FUNCTION)
        .unsigned(index + this.#imports.length),
    )
  }

  #writeNames(w: ByteWriter): void {
    w.name("name")
    const names = new ByteWriter()
    names.vector([...this.#functions.entries()], ([index, fn]) =>
      names.unsigned(index + this.#imports.length).name(fn.name),
    )
    w.byte(1).sized(names)
  }
}

function writeGlobal(w: ByteWriter, global: { type: ValueType; initial: number }): void {
  w.byte(TYPE_CODE[global.type]).byte(1)
  if (global.type === "i32") w.byte(0x41).signed(global.initial)
  else if (global.type === "f32") w.byte(0x43).f32(global.initial)
  else w.byte(0x44).f64(global.initial)
  w.byte(0x0b)
}

/** Writes one function's body. Locals are handed out by `f.local(type)` and come back at the end of an `f.scope`. */
export type FunctionBuilder = ReturnType<typeof createFunctionBuilder>

/** The code of a function under way, and the instructions that append to it; used again when the function is finished. */
type Pen = ReturnType<typeof createPen>

function createPen() {
  const [prologue, code] = [new ByteWriter(), new ByteWriter()]
  return { prologue, code, group: instructionGroups(code) }
}

/**
 * Vector constants other than zero, made once at the start of the function: V8 13 makes a constant of four instructions
 * again in each turn of a loop (a sweep of GELU took 1.6 times as long).
 */
function createConstants(locals: ReturnType<typeof createLocals>, prologue: ByteWriter) {
  const made = new Map<string, Local>()
  return (bits: Int32Array): Local => {
    const key = bits.join(" ")
    const known = made.get(key)
    if (known !== undefined) return known
    const local = locals.keep("v128")
    prologue.byte(op.PREFIX.simd).unsigned(0x0c).raw(bytesOf(bits)).byte(0x21).unsigned(local.index)
    made.set(key, local)
    return local
  }
}

const bytesOf = ({ buffer }: Int32Array): Uint8Array => new Uint8Array(buffer)

function createFunctionBuilder(paramTypes: readonly ValueType[], { prologue, code, group }: Pen) {
  const locals = createLocals(paramTypes)
  const constantOf = createConstants(locals, prologue)
  const vectorConstant = (bits: Int32Array): void => {
    if (bits.every((word) => word === 0)) code.byte(op.PREFIX.simd).unsigned(0x0c).raw(bytesOf(bits))
    else get(constantOf(bits))
  }
  const { i32 } = group
  const end = () => void code.byte(0x0b)
  const structured = (opcode: number, result: ValueType | undefined, body: () => void) => {
    code.byte(opcode).byte(result ? TYPE_CODE[result] : EMPTY_BLOCK)
    body()
    end()
  }
  const get = (local: Local) => void code.byte(0x20).unsigned(local.index)
  const set = (local: Local) => void code.byte(0x21).unsigned(local.index)
  let loops = 0
  const looped = (emit: () => void) => {
    loops++
    emit()
    loops--
  }
  const zeros = new Map<ValueType, Local>()
  const forget = (local: Local) => {
    const zero = zeros.get(local.type) ?? locals.keep(local.type) // never set, so it stays zero
    zeros.set(local.type, zero)
    get(zero), set(local)
  }
  const push = (operand: Operand) => {
    if (typeof operand === "number") i32.const(operand)
    else if (typeof operand === "function") operand()
    else get(operand)
  }
  /** `f.local("v128")` allocates; its content is undefined (a reused local keeps old values): set it before reading. */
  const local = Object.assign((type: ValueType): Local => locals.take(type), {
    get,
    set,
    tee: (target: Local) => void code.byte(0x22).unsigned(target.index),
  })

  return {
    ...group,
    i32x4: {
      ...group.i32x4,
      /** The same constant in all lanes, or one a lane. */
      const: (a: number, b = a, c = a, d = a) => vectorConstant(Int32Array.of(a, b, c, d)),
    },
    f32x4: {
      ...group.f32x4,
      /** The same constant in all lanes, or one a lane. */
      const: (a: number, b = a, c = a, d = a) => vectorConstant(new Int32Array(Float32Array.of(a, b, c, d).buffer)),
    },
    params: locals.params,
    local,
    /** `count` fresh locals. */
    locals: (type: ValueType, count: number): Local[] => Array.from({ length: count }, () => locals.take(type)),
    /**
     * Locals allocated inside `body` may be reused after it. Inside a loop they are forgotten at the end: a dead value that
     * goes round as a phi node is an outside use of one half of a vector, and costs V8's 256-bit code an extraction.
     */
    scope<R>(body: () => R): R {
      return locals.scope(body, (local) => loops > 0 && forget(local))
    },
    /** Tells the engine that these values are not read any more. */
    forget(dead: readonly Local[]): void {
      for (const local of dead) forget(local)
    },
    global: {
      get: (global: GlobalHandle) => void code.byte(0x23).unsigned(global.index),
      set: (global: GlobalHandle) => void code.byte(0x24).unsigned(global.index),
    },
    /** `block … end`: a branch to depth 0 inside `body` leaves it. */
    block: (body: () => void, result?: ValueType) => structured(0x02, result, body),
    /** `loop … end`: a branch to depth 0 inside `body` starts it again. */
    loop: (body: () => void, result?: ValueType) => looped(() => structured(0x03, result, body)),
    /** Takes an i32 condition from the stack. */
    if(then: () => void, otherwise?: () => void, result?: ValueType): void {
      structured(0x04, result, () => {
        then()
        if (otherwise) code.byte(0x05), otherwise()
      })
    },
    br: (depth = 0) => void code.byte(0x0c).unsigned(depth),
    brIf: (depth = 0) => void code.byte(0x0d).unsigned(depth),
    return: () => void code.byte(0x0f),
    call: (target: FunctionHandle) => void code.byte(0x10).unsigned(target.index),
    drop: () => void code.byte(0x1a),
    select: () => void code.byte(0x1b),
    unreachable: () => void code.byte(0x00),
    nop: () => void code.byte(0x01),

    /** Leaves an operand on the stack: constant, local, or the code's own result. */
    push,
    /** `target = operand` (i32, or any type when the operand is a local or code). */
    assign(target: Local, operand: Operand): void {
      push(operand)
      set(target)
    },
    /** Leaves the i32 sum of all terms on the stack; constants are added up beforehand. */
    address(...terms: readonly Operand[]): void {
      let [constant, pushed] = [0, 0]
      for (const term of terms) {
        if (typeof term === "number") constant += term
        else if ((push(term), pushed++ > 0)) i32.add()
      }
      if (constant === 0 && pushed > 0) return
      i32.const(constant)
      if (pushed > 0) i32.add()
    },
    /** Leaves `operand · factor` (i32) on the stack: a shift where the factor is a power of two. */
    scaled(operand: Operand, factor: number): void {
      if (typeof operand === "number") return i32.const(Math.imul(operand, factor))
      push(operand)
      if (factor === 1) return
      const shift = 31 - Math.clz32(factor)
      i32.const(factor === 1 << shift ? shift : factor)
      if (factor === 1 << shift) i32.shl()
      else i32.mul()
    },
    /** `local += amount`. */
    increment(target: Local, amount: Operand): void {
      get(target)
      push(amount)
      i32.add()
      set(target)
    },
    /**
     * `for (i = start; i < end; i += step) body()`, unsigned: addresses reach beyond 2 GiB. A code operand for `end` is evaluated once. Inside `body`,
     * depth 0 of a branch is the loop itself, so leave early only through a block of your own.
     */
    forRange(i: Local, start: Operand, end: Operand, step: Operand, body: () => void): void {
      if (typeof start === "number" && typeof end === "number" && start >= end) return
      locals.scope(() => {
        const limit = typeof end === "function" ? locals.take("i32") : end
        if (typeof end === "function") push(end), set(limit as Local)
        push(start)
        set(i)
        const loop = () =>
          looped(() =>
            structured(0x03, undefined, () => {
              body()
              get(i), push(step), i32.add(), code.byte(0x22).unsigned(i.index)
              push(limit), i32.ltU(), code.byte(0x0d).unsigned(0)
            }),
          )
        if (typeof start === "number" && typeof end === "number") return loop()
        get(i), push(limit), i32.ltU()
        structured(0x04, undefined, loop)
      })
    },
    /** Bytes written so far: kernels that unroll may watch their size. */
    size: () => code.length,
    /** The finished body; called by the module. */
    finish(): ByteWriter {
      const body = locals.declare().append(prologue).append(code).byte(0x0b)
      prologue.clear()
      code.clear()
      return body
    },
  }
}

/** Numbers the locals in order of first use and reuses those whose scope ended. */
function createLocals(paramTypes: readonly ValueType[]) {
  const params = paramTypes.map((type, index): Local => ({ index, type }))
  const declared: ValueType[] = []
  const free: Local[] = []
  let taken: Local[] = []
  const declare = (type: ValueType): Local => ({ index: params.length + declared.push(type) - 1, type })
  return {
    params,
    /** A local that no scope gives back. */
    keep: declare,
    take(type: ValueType): Local {
      const position = free.findIndex((local) => local.type === type)
      const local = position >= 0 ? free.splice(position, 1)[0]! : declare(type)
      taken.push(local)
      return local
    },
    /** `leave` is called for each local that the scope gives back. */
    scope<R>(body: () => R, leave?: (local: Local) => void): R {
      const outer = taken
      taken = []
      const result = body()
      if (leave !== undefined) for (const local of taken) leave(local)
      free.push(...taken)
      taken = outer
      return result
    },
    /** The declaration that opens a body: runs of equal types. */
    declare(): ByteWriter {
      const runs: [number, ValueType][] = []
      for (const type of declared) {
        const last = runs.at(-1)
        if (last?.[1] === type) last[0]++
        else runs.push([1, type])
      }
      const out = new ByteWriter()
      return out.vector(runs, ([count, type]) => out.unsigned(count).byte(TYPE_CODE[type]))
    },
  }
}

type Emit = () => void
type EmitMemory = (offset?: number, alignLog2?: number) => void
type EmitLane = (lane: number) => void
type EmitLaneMemory = (lane: number, offset?: number, alignLog2?: number) => void

/** The instructions of every type, as methods that append to `code`. */
function instructionGroups(code: ByteWriter) {
  const prefixed = (prefix: number, opcode: number) => {
    if (prefix === op.PREFIX.plain) code.byte(opcode)
    else code.byte(prefix).unsigned(opcode)
  }
  const table = <T extends object, E>(names: T, make: (entry: T[keyof T]) => E) =>
    Object.fromEntries(Object.entries(names).map(([name, entry]) => [name, make(entry as T[keyof T])])) as {
      readonly [K in keyof T]: E
    }
  const plain = <T extends op.Plain>(names: T, prefix: number = op.PREFIX.plain) =>
    table<T, Emit>(names, (opcode) => () => prefixed(prefix, opcode as number))
  const memory = <T extends op.Memory>(names: T, prefix: number = op.PREFIX.plain) =>
    table<T, EmitMemory>(names, (entry) => (offset = 0, alignLog2 = (entry as readonly [number, number])[1]) => {
      prefixed(prefix, (entry as readonly [number, number])[0])
      code.unsigned(alignLog2).unsigned(offset)
    })
  const lanes = <T extends op.Plain>(names: T) =>
    table<T, EmitLane>(names, (opcode) => (lane) => {
      prefixed(op.PREFIX.simd, opcode as number)
      code.byte(lane)
    })
  const laneMemory = table<typeof op.V128_LANE_MEMORY, EmitLaneMemory>(
    op.V128_LANE_MEMORY,
    ([opcode, natural]) =>
      (lane, offset = 0, alignLog2 = natural) => {
        prefixed(op.PREFIX.simd, opcode)
        code.unsigned(alignLog2).unsigned(offset).byte(lane)
      },
  )
  const { simd, atomic, bulk } = op.PREFIX
  const vectorConst = (write: () => void) => {
    prefixed(simd, 0x0c)
    write()
  }
  return {
    i32: {
      ...plain(op.I32),
      ...plain(op.I32_BULK, bulk),
      ...memory(op.I32_MEMORY),
      ...memory(op.I32_ATOMIC, atomic),
      const: (value: number) => void code.byte(0x41).signed(value),
    },
    i64: {
      ...plain(op.I64),
      ...plain(op.I64_BULK, bulk),
      ...memory(op.I64_MEMORY),
      ...memory(op.I64_ATOMIC, atomic),
      const: (value: bigint | number) => void code.byte(0x42).signed64(BigInt(value)),
    },
    f32: {
      ...plain(op.F32),
      ...memory(op.F32_MEMORY),
      const: (value: number) => void code.byte(0x43).f32(value),
    },
    f64: {
      ...plain(op.F64),
      ...memory(op.F64_MEMORY),
      const: (value: number) => void code.byte(0x44).f64(value),
    },
    v128: { ...plain(op.V128, simd), ...memory(op.V128_MEMORY, simd), ...laneMemory },
    i8x16: {
      ...plain(op.I8X16, simd),
      ...lanes(op.I8X16_LANE),
      const: (value: number) => vectorConst(() => code.raw(Array.from({ length: 16 }, () => value & 0xff))),
      /** Picks 16 bytes out of the 32 of both operands. */
      shuffle: (bytes: readonly number[]) => {
        invariant(bytes.length === 16, `shuffle takes 16 bytes, got ${bytes.length}`)
        prefixed(simd, 0x0d)
        code.raw(bytes)
      },
    },
    i16x8: { ...plain(op.I16X8, simd), ...lanes(op.I16X8_LANE) },
    i32x4: {
      ...plain(op.I32X4, simd),
      ...lanes(op.I32X4_LANE),
      /** `shuffle` by whole lanes: 0-3 from the first operand, 4-7 from the second. */
      shuffle: (a: number, b: number, c: number, d: number) => {
        prefixed(simd, 0x0d)
        code.raw([a, b, c, d].flatMap((lane) => [0, 1, 2, 3].map((byte) => 4 * lane + byte)))
      },
    },
    f32x4: { ...plain(op.F32X4, simd), ...lanes(op.F32X4_LANE) },
    memory: {
      ...memory(op.MEMORY_ATOMIC, atomic),
      /** Takes address, value, bytes. */
      fill: () => void code.byte(bulk).unsigned(11).byte(0),
      /** Takes destination, source, bytes. */
      copy: () => void code.byte(bulk).unsigned(10).byte(0).byte(0),
    },
    atomicFence: () => void code.byte(atomic).unsigned(3).byte(0),
  }
}
