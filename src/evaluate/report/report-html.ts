// The door of the report: light in itself; what draws is loaded when a report is made.
import { ConfigError } from "../../core/index.ts"
import { REPORT_VERSION, type ReportFacts } from "./facts.ts"

/**
 * One self-contained HTML page of everything that was measured: inline SVG, light and dark, readable on a phone, printable,
 * without a script or a request. The same facts give the same bytes.
 *
 * @throws ConfigError  if the facts are of another version
 */
export async function reportHtml(facts: ReportFacts): Promise<string> {
  if (facts.version !== REPORT_VERSION)
    throw new ConfigError(
      `a report is made from facts of version ${REPORT_VERSION}, got version ${String(facts.version)}`,
      "gather the facts again with this version of kinglet",
    )
  const { pageOf } = await import("./page.ts")
  return pageOf(facts)
}
