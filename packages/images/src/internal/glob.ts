/** Wildcards of file names: `*`, `?`, `[a-z]`, `[^a-z]`, `\` before a character that stands for itself. */

/** Without going back more than one star: time is bounded by the product of both lengths. A malformed pattern fits nothing. */
export const globMatches = (pattern: string, text: string): boolean => {
  const parts = parse(pattern)
  if (parts === undefined) return false
  let at = 0
  let position = 0
  let star = -1
  let starPosition = 0
  while (position < text.length) {
    const part = parts[at]
    if (part === "*") {
      star = at
      starPosition = position
      at += 1
    } else if (part !== undefined && part(text[position] ?? "")) {
      at += 1
      position += 1
    } else if (star >= 0) {
      starPosition += 1
      position = starPosition
      at = star + 1
    } else return false
  }
  return parts.slice(at).every((part) => part === "*")
}

type Part = "*" | ((character: string) => boolean)

const parse = (pattern: string): ReadonlyArray<Part> | undefined => {
  const parts: Array<Part> = []
  for (let at = 0; at < pattern.length; at += 1) {
    const character = pattern[at] ?? ""
    if (character === "*") parts.push("*")
    else if (character === "?") parts.push(() => true)
    else if (character === "[") {
      const end = setEnd(pattern, at)
      const set = end === undefined ? undefined : setOf(pattern.slice(at + 1, end))
      if (set === undefined || end === undefined) return undefined
      parts.push(set)
      at = end
    } else {
      const literal = character === "\\" ? pattern[at += 1] : character
      if (literal === undefined) return undefined
      parts.push((other) => other === literal)
    }
  }
  return parts
}

/** The bracket that closes a set, which must not be empty. */
const setEnd = (pattern: string, start: number): number | undefined => {
  const first = start + (pattern[start + 1] === "^" ? 2 : 1)
  const end = pattern.indexOf("]", first)
  return end <= first ? undefined : end
}

const setOf = (text: string): ((character: string) => boolean) | undefined => {
  const negated = text.startsWith("^")
  const members = negated ? text.slice(1) : text
  const ranges: Array<readonly [from: string, to: string]> = []
  for (let at = 0; at < members.length; at += 1) {
    const from = members[at] ?? ""
    const to = members[at + 1] === "-" ? members[at + 2] : from
    if (to === undefined || to < from) return undefined
    ranges.push([from, to])
    if (members[at + 1] === "-") at += 2
  }
  return (character) => ranges.some(([from, to]) => from <= character && character <= to) !== negated
}
