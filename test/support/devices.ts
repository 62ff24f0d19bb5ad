// Every device the laws are tested on. A device that this machine lacks is skipped aloud.
import { type Device, openReferenceDevice } from "../../src/backends/index.ts"

export interface TestDevice {
  readonly name: string
  open(): Promise<Device>
}

export const devices: readonly TestDevice[] = [{ name: "reference", open: async () => openReferenceDevice() }]
