/** Expressions as the library is to read them: two functions of its own are replaced by ours. */

/** Name under which `matches` runs: in linear time, unlike the one of the library. */
export const linearMatches = "matchesInLinearTime"

/** Name under which `has` runs: also for fields of list items, which the one of the library refuses. */
export const hasField = "hasField"

// Strings (raw and bytes too, also with three quotes), comments, and the two names where they are called.
const pieces =
  /(?:[rRbB]{0,2})(?:"""[^]*?"""|'''[^]*?'''|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')|\/\/[^\n]*|(?<![\w.])has(?=\s*\()|(?<=\.\s*)matches(?=\s*\()/g

/** The source with the names of our functions in place of those of the library. */
export const rename = (source: string): string =>
  source.replaceAll(pieces, (piece) => piece === "has" ? hasField : piece === "matches" ? linearMatches : piece)
