// Backends: how and where programs run. `reference` is the specification, `wasm` the default.
export type { Choices, Device, DeviceKind, Executable, Feed, Results, StepTime, Workspace } from "./backend.ts"
export { type DeviceOptions, openDevice } from "./open-device.ts"
export { openReferenceDevice } from "./reference/index.ts"
export { canPairVectors } from "./wasm/compile-module.ts"
export { detectFeatures } from "./wasm/features.ts"
export { openWasmDevice } from "./wasm/index.ts"
export {
  type LaneRates,
  measureRoofline,
  openRooflineMeter,
  type Roofline,
  type RooflineMeter,
  type RooflineOptions,
} from "./wasm/roofline.ts"
