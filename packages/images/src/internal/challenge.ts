/** What a registry asks for when it refuses a request (`WWW-Authenticate`). */

/** One way to prove who one is. Names are lower-case. */
export interface Challenge {
  readonly scheme: string
  readonly parameters: Readonly<Record<string, string>>
}

const token = "[!#$%&'*+.^_`|~0-9A-Za-z-]+"
const parameterPattern = new RegExp(`\\s*(${token})\\s*=\\s*(?:"((?:[^"\\\\]|\\\\.)*)"|(${token}))\\s*(?:,|$)`, "y")
const schemePattern = new RegExp(`[\\s,]*(${token})(?:\\s+|\\s*,|$)`, "y")

/** The challenges of header lines. What is malformed ends its line: what came before it counts. */
export const parse = (lines: ReadonlyArray<string>): ReadonlyArray<Challenge> => {
  const challenges: Array<Challenge> = []
  for (const line of lines.slice(0, 8)) {
    // A header is not worth more: the patterns below go over it once.
    const text = line.slice(0, 8192)
    let at = 0
    while (at < text.length) {
      schemePattern.lastIndex = at
      const scheme = schemePattern.exec(text)
      if (scheme === null) break
      at = schemePattern.lastIndex
      const parameters: Record<string, string> = {}
      for (;;) {
        parameterPattern.lastIndex = at
        const parameter = parameterPattern.exec(text)
        if (parameter === null) break
        at = parameterPattern.lastIndex
        parameters[(parameter[1] ?? "").toLowerCase()] = parameter[2]?.replaceAll(/\\(.)/g, "$1") ?? parameter[3] ?? ""
      }
      challenges.push({ scheme: (scheme[1] ?? "").toLowerCase(), parameters })
    }
  }
  return challenges
}
