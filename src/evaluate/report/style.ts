// The page's one style sheet: light and dark from the same variables, a column of text with charts a little wider, a phone,
// and paper. Colors: Okabe and Ito's eight, which people with any color vision can tell apart, darkened for white paper and
// lightened for a dark screen until they stand out from the page.

export const STYLE = `
:root {
  color-scheme: light;
  --page: #fdfdfb; --ink: #1d2125; --soft: #565d65; --rule: #d9dbd8; --quiet: #8b9199; --tint: #f2f3f0;
  --accent: #0b6aa8; --warn: #a84300;
  --series-1: #0b6aa8; --series-2: #c25e00; --series-3: #007a5c; --series-4: #9b4f8e; --series-5: #7a6a00; --series-6: #3f8fc4;
}
@media screen and (prefers-color-scheme: dark) {
  :root {
    color-scheme: dark;
    --page: #15181b; --ink: #e6e8ea; --soft: #a4abb3; --rule: #33383e; --quiet: #7d858e; --tint: #1d2226;
    --accent: #6db9ec; --warn: #f0a35c;
    --series-1: #6db9ec; --series-2: #f0a35c; --series-3: #4cc3a0; --series-4: #d78fc9; --series-5: #dccb4a; --series-6: #a8c7dd;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; text-size-adjust: 100%; }
body { margin: 0; background: var(--page); color: var(--ink); font: 17px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; overflow-wrap: break-word; }
main { max-width: 54rem; margin: 0 auto; padding: 3rem 1.25rem 5rem; }
p, ul, blockquote, dl { max-width: 72ch; margin: 0 0 1rem; }
h1 { font-size: clamp(1.6rem, 4.5vw, 2.3rem); line-height: 1.15; letter-spacing: -0.015em; margin: 0 0 0.5rem; overflow-wrap: anywhere; text-wrap: balance; }
h2 { font-size: 1.35rem; line-height: 1.25; letter-spacing: -0.01em; margin: 3.5rem 0 0.75rem; padding-top: 1rem; border-top: 1px solid var(--rule); }
h3 { font-size: 1.05rem; margin: 1.75rem 0 0.4rem; overflow-wrap: anywhere; }
small { color: var(--soft); font-size: 0.86em; }
code { font: 0.9em/1.4 ui-monospace, "SF Mono", Menlo, Consolas, monospace; background: var(--tint); padding: 0.1em 0.35em; border-radius: 4px; }
a { color: var(--accent); text-underline-offset: 0.18em; }
.date, .absent, figcaption, nav, summary, footer { color: var(--soft); }
.verdict { font-size: 1.22rem; line-height: 1.45; margin: 1rem 0 1.5rem; }
.sentence { border-left: 3px solid var(--accent); padding-left: 0.9rem; }
.note { border-left: 3px solid var(--warn); padding-left: 0.9rem; }
.notes { color: var(--soft); font-size: 0.92rem; padding-left: 1.1rem; }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(9.5rem, 1fr)); gap: 1rem 1.5rem; max-width: none; margin: 1.5rem 0; }
.figures dt { color: var(--soft); font-size: 0.86rem; }
.figures dd { margin: 0; font-size: 1.7rem; line-height: 1.2; letter-spacing: -0.02em; font-variant-numeric: tabular-nums; }
.figures dd.under { font-size: 0.86rem; line-height: 1.4; letter-spacing: 0; color: var(--soft); }
nav { display: flex; flex-wrap: wrap; gap: 0.2rem 1.1rem; font-size: 0.92rem; margin-top: 1.75rem; }
figure { margin: 1rem 0 1.5rem; }
figcaption { font-size: 0.92rem; max-width: 72ch; margin-top: 0.25rem; }
.chart { display: block; width: 100%; height: auto; font: 12px system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; font-variant-numeric: tabular-nums; overflow: visible; }
.chart text { white-space: pre; }
.chart.narrow { display: none; }
.legend { display: flex; flex-wrap: wrap; gap: 0.15rem 1.2rem; list-style: none; padding: 0; margin: 0 0 0.5rem; font-size: 0.92rem; max-width: none; }
.legend li { display: flex; align-items: center; gap: 0.45rem; min-width: 0; }
.legend span { overflow-wrap: anywhere; }
.key { flex: none; }
summary { cursor: pointer; font-size: 0.92rem; overflow-wrap: anywhere; }
details.run { margin: 0.75rem 0; }
details.run > summary { color: var(--ink); font-size: 1rem; font-weight: 600; margin-bottom: 0.5rem; }
details.numbers { margin-top: 0.35rem; }
.scroll { overflow-x: auto; margin: 0.5rem 0 1rem; }
table { border-collapse: collapse; font-size: 0.92rem; line-height: 1.4; font-variant-numeric: tabular-nums; }
th, td { text-align: left; vertical-align: top; padding: 0.35rem 0.9rem 0.35rem 0; border-bottom: 1px solid var(--rule); font-weight: normal; }
thead th { color: var(--soft); vertical-align: bottom; }
.scroll table { width: max-content; }
.scroll td { max-width: 20rem; overflow-wrap: break-word; }
.scroll th[scope="row"] { max-width: 20rem; overflow-wrap: break-word; }
.number { text-align: right; white-space: nowrap; }
.whole { white-space: nowrap; }
.fires { color: var(--warn); white-space: nowrap; }
.quiet { color: var(--soft); }
.heat td { text-align: right; padding: 0.6rem 0.9rem; border: 1px solid var(--page); background: color-mix(in srgb, var(--accent) var(--shade, 0%), var(--tint)); }
.heat td.best { font-weight: 700; }
.heat td.home { outline: 2px solid var(--accent); outline-offset: -3px; }
.heat td.corner { background: none; text-align: left; color: var(--soft); padding-left: 0; }
.heat th { border: 0; padding: 0.5rem 0.9rem 0.5rem 0; vertical-align: middle; }
.heat thead th { text-align: right; padding-right: 0.9rem; }
blockquote { border-left: 3px solid var(--rule); padding-left: 1rem; margin: 0 0 1.5rem; }
blockquote p { font: 1.05rem/1.6 "Iowan Old Style", "Palatino Linotype", Palatino, Georgia, serif; white-space: pre-wrap; overflow-wrap: anywhere; margin: 0 0 0.3rem; }
mark { background: none; color: var(--accent); font-weight: 600; }
blockquote footer { font-size: 0.86rem; }
.recipe { width: 100%; }
.recipe .value { font-weight: 600; overflow-wrap: anywhere; min-width: 6rem; }
.recipe .reason { color: var(--soft); width: 55%; padding-right: 0; }
.recipe th[scope="row"] { overflow-wrap: anywhere; min-width: 12rem; }
.origin { display: grid; grid-template-columns: repeat(auto-fit, minmax(8rem, 1fr)); gap: 0.6rem 1.5rem; max-width: none; }
.origin dt { color: var(--soft); font-size: 0.86rem; }
.origin dd { margin: 0; overflow-wrap: anywhere; }
.hash { overflow-wrap: anywhere; background: none; padding: 0; }
@media (max-width: 699px) {
  body { font-size: 16px; }
  main { padding: 1.75rem 1rem 3rem; }
  h2 { margin-top: 2.5rem; }
  .chart.wide { display: none; }
  .chart.narrow { display: block; max-width: 30rem; }
  .recipe, .recipe tbody, .recipe tr, .recipe td, .recipe th { display: block; width: auto; border: 0; padding: 0; max-width: none; }
  .recipe thead { display: none; }
  .recipe tr { padding: 0.5rem 0; border-bottom: 1px solid var(--rule); }
  .recipe .reason { width: auto; }
  .scroll td, .scroll th[scope="row"] { max-width: 11rem; }
  .cards, .cards tbody, .cards tr { display: block; width: auto !important; }
  .cards thead { display: none; }
  .cards tr { padding: 0.6rem 0; border-bottom: 1px solid var(--rule); }
  .cards th[scope="row"], .cards td { display: block; max-width: none; border: 0; padding: 0.1rem 0; text-align: left; white-space: normal; }
  .cards th[scope="row"] { font-weight: 600; }
  .cards td.empty { display: none; }
  .cards td[data-title]::before { content: attr(data-title) ": "; color: var(--soft); }
  .recipe th[scope="row"] { color: var(--soft); font-size: 0.86rem; }
}
@media print {
  @page { margin: 16mm 14mm; }
  :root { --page: #fff; }
  body { font-size: 10.5pt; }
  main { max-width: none; padding: 0; }
  nav { display: none; }
  .chart.wide { display: block; }
  .chart.narrow { display: none; }
  figure > .drawing, blockquote, tr, .figures, .legend { break-inside: avoid; }
  h1, h2, h3, summary, .legend { break-after: avoid; }
  figcaption { break-before: avoid; }
  .scroll { overflow: visible; }
  .scroll table { width: auto; max-width: 100%; }
  table { font-size: 8.5pt; }
  .number { white-space: normal; }
  details::details-content { content-visibility: visible; block-size: auto; }
  a { color: inherit; text-decoration: none; }
}
`
