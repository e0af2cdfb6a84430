/** Sets of completion indexes and their text, such as `0-2,5`. Pure. */

/** The text of a set: runs of three and more are written as a range, two neighbours one by one. Empty for an empty set. */
export const format = (indexes: Iterable<number>): string => {
  const sorted = [...indexes].sort((a, b) => a - b)
  const parts: Array<string> = []
  for (let at = 0; at < sorted.length;) {
    let end = at
    while (sorted[end + 1] === (sorted[end] ?? 0) + 1) end++
    const [first = 0, last = 0] = [sorted[at], sorted[end]]
    parts.push(first === last ? String(first) : last === first + 1 ? `${first},${last}` : `${first}-${last}`)
    at = end + 1
  }
  return parts.join(",")
}

/** The set of a text; what is not an index from 0 up to `completions` is left out, for a Job may have become smaller. */
export const parse = (text: string | undefined, completions: number): ReadonlySet<number> => {
  const found = new Set<number>()
  for (const part of (text ?? "").split(",")) {
    const match = /^(\d+)(?:-(\d+))?$/.exec(part.trim())
    if (match === null) continue
    const first = Number(match[1])
    const last = Math.min(Number(match[2] ?? match[1]), completions - 1)
    for (let index = first; index <= last; index++) found.add(index)
  }
  return found
}
