// A reader of a run: it gets every event in order. Views, JSON lines and TensorBoard files are readers.
import type { TrainEvent } from "../train/index.ts"

export interface Reader {
  read(event: TrainEvent): void | Promise<void>
  /** Called once, however the run ended. */
  close(): void | Promise<void>
}
