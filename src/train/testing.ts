// A run small enough for the reference backend, shared by the tests of this room.
import { type Device, type Executable, openReferenceDevice, type Workspace } from "../backends/index.ts"
import { defaultRecipe } from "./default-recipe.ts"
import type { TrainEvent } from "./events.ts"
import type { Run } from "./options.ts"
import type { Recipe } from "./recipe.ts"

/** About 1.4 kB in 12 paragraphs, 27 characters. */
export const TINY_TEXT = Array.from({ length: 12 }, (_, paragraph) =>
  Array.from(
    { length: 6 },
    (_, word) => `the ${["wren", "kinglet", "finch", "robin"][(paragraph + word) % 4]} sings ${word}`,
  ).join(" "),
).join("\n\n")

/** One layer of width 8 over 8 tokens; dropout on, so that random streams count. */
export function tinyRecipe(changes: Partial<Recipe> = {}): Recipe {
  const base = defaultRecipe({
    hiddenSize: 32,
    numHiddenLayers: 1,
    sequenceLength: 8,
    batchSize: 2,
    steps: 8,
    vocabSize: 32,
  })
  const model = {
    ...base.model,
    hiddenSize: 8,
    intermediateSize: 16,
    numAttentionHeads: 2,
    numKeyValueHeads: 2,
    headDim: 4,
    dropout: 0.1,
  }
  return {
    ...base,
    name: "tiny",
    model,
    evaluation: { everySteps: 4, maxTokens: 16 },
    sampling: { everySteps: 0, prompt: "the", tokens: 8 },
    checkpoint: { everySteps: 2 },
    ...changes,
  }
}

export async function collect(run: Run): Promise<TrainEvent[]> {
  const events: TrainEvent[] = []
  for await (const event of run) events.push(event)
  return events
}

/** The reference computes in f64 and keeps its states so; checkpoints hold f32. Here states are rounded after each run. */
export const device: Device = { ...openReferenceDevice(), createWorkspace: roundedWorkspace }

function roundedWorkspace(): Workspace {
  const workspace = openReferenceDevice().createWorkspace()
  const rounded = (executable: Executable): Executable => ({
    ...executable,
    run: async (feed) => {
      const results = await executable.run(feed)
      for (const { state } of executable.program.updates) workspace.write(state, workspace.read(state))
      return results
    },
  })
  const compile: Workspace["compile"] = async (programs) => {
    const executables = Object.entries<Executable>(await workspace.compile(programs))
    return Object.fromEntries(executables.map(([name, executable]) => [name, rounded(executable)])) as never
  }
  return {
    compile,
    read: workspace.read,
    write: workspace.write,
    close: workspace.close,
    choices: workspace.choices,
    get plannedBytes() {
      return workspace.plannedBytes
    },
  }
}

/** Only the events of one type. */
export const ofType = <T extends TrainEvent["type"]>(
  events: readonly TrainEvent[],
  type: T,
): Extract<TrainEvent, { type: T }>[] =>
  events.filter((event): event is Extract<TrainEvent, { type: T }> => event.type === type)
