// What the models write: the prompt marked, the rest as they wrote it.
import type { SampleFacts } from "../facts.ts"
import { plain, shorten, whole } from "../format.ts"
import type { Group } from "../groups.ts"
import { type Html, html } from "../html.ts"
import { absent, perRun, type Section } from "./section.ts"

const MAX_SAMPLES = 8

export function samples(groups: readonly Group[]): Section {
  const [id, title] = ["samples", "Samples"]
  const written = groups
    .flatMap(({ runs }) => runs)
    .flatMap(({ name, samples: all = [] }) =>
      all.length === 0 ? [] : [{ name, body: all.slice(-MAX_SAMPLES).map(sampleOf) }],
    )
  if (written.length === 0) return absent(id, title, 'kinglet generate RUN --prompt "…"')
  return { id, title, body: perRun(written) }
}

/** A prompt of white space only is shown by a sign for it. */
const visible = (prompt: string): string => (prompt !== "" && prompt.trim() === "" ? `↵${prompt}` : prompt)

function sampleOf({ prompt, text, temperature, seed, step }: SampleFacts): Html {
  const how = [
    step !== undefined && `after step ${whole(step)}`,
    temperature !== undefined && `temperature ${plain(temperature)}`,
    seed !== undefined && `seed ${plain(seed)}`,
  ].filter((part) => part !== false)
  return html`<blockquote><p><mark>${visible(prompt)}</mark>${text === "" ? html`<i>(nothing)</i>` : text}</p>${how.length > 0 && html`<footer>${shorten(how.join(", "), 200)}</footer>`}</blockquote>
`
}
