// From bytes to a compiled module. With the caller's permission V8 is told, for the moment of compiling, to skip its baseline
// compiler and to join neighboring 128-bit vectors to 256 bits where it can.
import { platform } from "#platform"
import { type WasmModule, webAssembly } from "./webassembly.ts"

/**
 * V8 13 and newer (Node 24) pair adjacent 128-bit operations: products ran at 116 instead of 58 GFLOP/s a core. The pass of
 * Node 22 does not know fused multiply-add, that of Node 20 does not exist.
 */
const FIRST_NODE_THAT_PAIRS = 24

/** Flags for the moment of compiling, each as [while compiling, afterwards]. */
function flagsWhileCompiling(pair: boolean): readonly (readonly [string, string])[] {
  const always = [
    ["--no-liftoff", "--liftoff"],
    ["--no-wasm-lazy-compilation", "--wasm-lazy-compilation"],
  ] as const
  const pairing = ["--experimental-wasm-revectorize", "--no-experimental-wasm-revectorize"] as const
  return pair ? [...always, pairing] : always
}

/** Whether V8 here has a pass that makes 256-bit code, if it may be asked to. */
export function canPairVectors(): boolean {
  const major = /^node (\d+)\./.exec(platform.engine)?.[1]
  return platform.name === "node" && Number(major) >= FIRST_NODE_THAT_PAIRS
}

/** How many compilations under way want a flag: it is reset when the last of them is done. */
const wanted = new Map<string, number>()

/** Sets the flags; what is returned resets them. */
function setFlags(allowV8Flags: boolean, pair: boolean): () => void {
  const flags = allowV8Flags ? flagsWhileCompiling(pair) : []
  const changed = flags.filter(([set]) => platform.setEngineFlag(set))
  for (const [set] of changed) wanted.set(set, (wanted.get(set) ?? 0) + 1)
  return () => {
    for (const [set, reset] of changed) {
      wanted.set(set, wanted.get(set)! - 1)
      if (wanted.get(set) === 0) platform.setEngineFlag(reset)
    }
  }
}

/** Compiles now, on this thread; with `allowV8Flags` the first run of the code is as fast as the hundredth, and vectors are joined if `pair`. */
export function compileModule(bytes: Uint8Array, allowV8Flags: boolean, pair: boolean = canPairVectors()): WasmModule {
  const reset = setFlags(allowV8Flags, pair)
  try {
    return new webAssembly.Module(bytes)
  } finally {
    reset()
  }
}

/** Compiles on threads of the engine, so that the caller can go on; the flags stand until it is done. */
export async function compileInBackground(bytes: Uint8Array, allowV8Flags: boolean): Promise<WasmModule> {
  const reset = setFlags(allowV8Flags, canPairVectors())
  const release = platform.keepAlive()
  try {
    return await webAssembly.compile(bytes)
  } finally {
    release()
    reset()
  }
}
