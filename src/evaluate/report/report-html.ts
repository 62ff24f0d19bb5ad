// Stand-in until the page itself is merged: the facts, readable and escaped.
import type { ReportFacts } from "./facts.ts"

/** One page of HTML about `facts`. */
export const reportHtml = async (facts: ReportFacts): Promise<string> => {
  const text = JSON.stringify(facts, null, 1).replaceAll("&", "&amp;").replaceAll("<", "&lt;")
  return `<!doctype html><title>bits per byte</title><pre>${text}</pre>`
}
