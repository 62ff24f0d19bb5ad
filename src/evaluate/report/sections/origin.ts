// Where the numbers come from: machine, version, commit, data.
import type { DataHash, MachineFacts } from "../facts.ts"
import { bytes, whole } from "../format.ts"
import type { Group } from "../groups.ts"
import { type Html, html } from "../html.ts"
import { tableOf } from "../table.ts"
import { type Section, unknown } from "./section.ts"

export function origin(groups: readonly Group[]): Section {
  const [id, title] = ["origin", "Machine, commit, data"]
  const runs = groups.flatMap((group) => group.runs)
  const machines = byContent(
    runs.flatMap(({ name, machine }) => (machine === undefined ? [] : [{ name, fact: machine }])),
  )
  const hashes = byContent(runs.flatMap(({ name, dataHashes = [] }) => dataHashes.map((fact) => ({ name, fact }))))
  if (machines.length + hashes.length === 0) return unknown(id, title, "no run tells its machine or its data")
  return {
    id,
    title,
    body: html`${machines.map((each) => machineOf(each.fact, each.names, runs.length))}${hashes.length > 0 && hashTable(hashes)}`,
  }
}

interface Shared<T> {
  readonly fact: T
  /** Runs that tell it. */
  readonly names: string[]
}

/** What several runs share is said once. */
function byContent<T>(facts: readonly { readonly name: string; readonly fact: T }[]): Shared<T>[] {
  const found = new Map<string, Shared<T>>()
  for (const { name, fact } of facts) {
    const key = JSON.stringify(fact)
    const shared = found.get(key) ?? { fact, names: [] }
    shared.names.push(name)
    found.set(key, shared)
  }
  return [...found.values()]
}

function machineOf(machine: MachineFacts, names: readonly string[], runs: number): Html {
  const { engine, system, processor, cores, device, trainedOn, version, commit } = machine
  const entries = [
    ["engine", engine],
    ["system", system],
    ["processor", processor],
    ["cores", cores === undefined ? undefined : whole(cores)],
    ["device", device],
    ["trained on", trainedOn],
    ["kinglet", version],
    ["commit", commit],
  ].filter(([, value]) => value !== undefined)
  return html`<dl class="origin">${names.length < runs && html`<div><dt>runs</dt><dd>${namesOf(names)}</dd></div>`}${entries.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>
`
}

function hashTable(hashes: readonly Shared<DataHash>[]): Html {
  return tableOf({
    cards: true,
    columns: [{ title: "data" }, { title: "bytes", number: true }, { title: "SHA-256" }, { title: "runs" }],
    rows: hashes.map(({ fact, names }) => [
      fact.name,
      bytes(fact.bytes),
      html`<code class="hash">${fact.sha256}</code>`,
      namesOf(names),
    ]),
  })
}

const namesOf = (names: readonly string[]): string =>
  names.length <= 4 ? names.join(", ") : `${names.slice(0, 3).join(", ")} and ${names.length - 3} more`
