import { expect, it } from "vitest"
import { reportHtml } from "../report-html.ts"

it("a matrix of any shape is shown, with a border around a model's own text only, and every reason and note", async () => {
  const page = await reportHtml({
    version: 1,
    title: "t",
    runs: [],
    crossDomain: {
      rows: [{ name: "a", own: 1 }, { name: "b" }],
      columns: ["one", "two", "three"],
      cells: [
        [2, 3, null],
        [4, "no é", 5],
      ],
      notes: ["b saw one"],
    },
  })
  const table = /<table class="heat">[^]*?<\/table>/.exec(page)![0]
  const cells = [...table.matchAll(/<td(?: class="([^"]*)")?(?: style="[^"]*")?>([^<]*)</g)].map(([, ...cell]) => cell)
  expect(cells.filter(([name]) => name !== "corner")).toEqual([
    ["best", "2.000"],
    ["best home", "3.000"],
    [undefined, "–"],
    ["", "4.000"],
    [undefined, "–"],
    ["best", "5.000"],
  ])
  expect(page).toContain("<li>b has no number on two: no é</li>")
  expect(page).toContain("<li>b saw one</li>")
})
