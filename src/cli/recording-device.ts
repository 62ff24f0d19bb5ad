// A device that remembers what was compiled on it, so that the very programs of training and generating can be asked where
// their time went, though nobody hands them out.
import type { Device, Executable, StepTime, Workspace } from "../backends/index.ts"

export interface Recording {
  readonly device: Device
  /** What the calls of a program took on average since it was compiled or last asked for; empty if there is none of this name. */
  profileOf(name: string): readonly StepTime[]
  /** What was chosen by measuring in the workspaces made so far. */
  readonly choices: Device["choices"]
}

/**
 * `device` stays the caller's to close. Of programs with one name the newest is meant. A workspace that closes leaves its times.
 *
 * @param recorded  what another recording chose by measuring, to be taken over
 */
export function recordingOf(device: Device, recorded?: Device["choices"]): Recording {
  const programs = new Map<string, () => readonly StepTime[]>()
  let choices: Device["choices"] = {}
  const record = (workspace: Workspace): Workspace => ({
    ...workspace,
    compile: async (asked) => {
      const executables = await workspace.compile(asked)
      for (const [name, executable] of Object.entries<Executable>(executables))
        programs.set(name, () => executable.profile?.() ?? [])
      choices = { ...choices, ...workspace.choices }
      return executables
    },
    get plannedBytes() {
      return workspace.plannedBytes
    },
    get choices() {
      return workspace.choices
    },
    close() {
      for (const [name, profile] of programs) {
        const times = profile()
        programs.set(name, () => times)
      }
      workspace.close()
    },
  })
  return {
    device: { ...device, createWorkspace: (other) => record(device.createWorkspace(other ?? recorded)) },
    profileOf: (name) => programs.get(name)?.() ?? [],
    get choices() {
      return choices
    },
  }
}
