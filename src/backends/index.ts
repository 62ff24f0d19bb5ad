// Backends: how and where programs run. `reference` is the specification, `wasm` the default.
export type { Device, DeviceKind, Executable, Feed, Results, Workspace } from "./backend.ts"
export { openReferenceDevice } from "./reference/index.ts"
