// The part of the engine's WebAssembly object that Kinglet uses, typed here because the rooms know neither the DOM's nor
// Node's type libraries.

export interface WasmMemory {
  readonly buffer: ArrayBuffer | SharedArrayBuffer
  grow(pages: number): number
}
/** A compiled module: immutable, may be posted to workers. */
export interface WasmModule {
  readonly __wasmModule?: never
}
export interface WasmInstance {
  readonly exports: { readonly [name: string]: WasmFunction }
}
export type WasmFunction = (...args: number[]) => number | undefined
type WasmImport = WasmMemory | ((...args: never[]) => number | void)
export type WasmImports = { readonly [module: string]: { readonly [name: string]: WasmImport } }

interface WebAssemblyApi {
  validate(bytes: Uint8Array): boolean
  compile(bytes: Uint8Array): Promise<WasmModule>
  Module: { new (bytes: Uint8Array): WasmModule; exports(module: WasmModule): { name: string; kind: string }[] }
  Instance: new (module: WasmModule, imports?: WasmImports) => WasmInstance
  Memory: new (options: { initial: number; maximum?: number; shared?: boolean }) => WasmMemory
}

/** The engine's own; absent only where WebAssembly is switched off. */
export const webAssembly: WebAssemblyApi = (globalThis as unknown as { WebAssembly: WebAssemblyApi }).WebAssembly
