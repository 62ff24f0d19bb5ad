// The name somebody meant.

/** Names farther off than this share of their length are not what was meant. */
const GREATEST_SHARE = 0.4

/** The name fewest edits away from `text`, or one that begins with it; undefined where none is near. */
export function nearestName(text: string, names: readonly string[]): string | undefined {
  const lower = text.toLowerCase()
  const begun = lower.length > 1 ? names.find((name) => name.startsWith(lower) || lower.startsWith(name)) : undefined
  if (begun !== undefined) return begun
  const distances = names.map((name) => ({ name, share: editDistance(lower, name) / Math.max(1, name.length) }))
  const [nearest] = distances.sort((a, b) => a.share - b.share)
  return nearest !== undefined && nearest.share <= GREATEST_SHARE ? nearest.name : undefined
}

/** Characters to insert, delete or replace. Levenshtein 1966, one row of the table at a time. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, at) => at)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++)
      next[j] = Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1))
    row = next
  }
  return row[b.length]!
}
