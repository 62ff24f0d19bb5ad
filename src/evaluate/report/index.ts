// Stand-in: what reports are made of.
export * from "./facts.ts"
export { reportHtml } from "./report-html.ts"
