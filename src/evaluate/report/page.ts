// The page: headline, a line of links, sections in the order of questions (did it learn? how well? compared with what? by
// heart? what does it write? how was it made?), and a list of what is absent. Loaded only when a report is made.
import type { ReportFacts } from "./facts.ts"
import { groupsOf } from "./groups.ts"
import { Html, html } from "./html.ts"
import { comparison } from "./sections/comparison.ts"
import { crossDomain } from "./sections/cross-domain.ts"
import { frontier } from "./sections/frontier.ts"
import { generalization } from "./sections/generalization.ts"
import { headline } from "./sections/headline.ts"
import { origin } from "./sections/origin.ts"
import { recipe } from "./sections/recipe.ts"
import { reliability } from "./sections/reliability.ts"
import { samples } from "./sections/samples.ts"
import { absentOnes, type Section, sectionOf } from "./sections/section.ts"
import { suites } from "./sections/suites.ts"
import { textScore } from "./sections/text-score.ts"
import { training } from "./sections/training.ts"
import { STYLE } from "./style.ts"

/** Lets the page have its own style and nothing from anywhere: that it is self-contained is the browser's promise too. */
const POLICY = "default-src 'none'; style-src 'unsafe-inline'"

export function pageOf(facts: ReportFacts): string {
  const groups = groupsOf(facts)
  const all = [
    training(groups),
    textScore(groups),
    comparison(facts.comparisons),
    frontier(groups),
    suites(groups),
    reliability(groups),
    generalization(groups),
    crossDomain(facts.crossDomain),
    samples(groups),
    recipe(groups),
    origin(groups),
  ].filter((section) => section !== undefined)
  const [there, absent] = [all.filter(({ isAbsent }) => isAbsent !== true), all.filter(({ isAbsent }) => isAbsent)]
  const sections = [...there, ...absentOnes(absent)]
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<meta name="generator" content="kinglet">
<title>${facts.title}</title>
<style>${new Html(STYLE)}</style>
</head>
<body>
<main>
${headline(facts, groups)}${linksOf(sections)}${sections.map(sectionOf)}</main>
</body>
</html>
`.markup
}

function linksOf(sections: readonly Section[]): Html {
  return html`<nav aria-label="Sections">${sections.map(({ id, title }) => html`<a href="#${id}">${title}</a> `)}</nav>
`
}
