/** Files of rules: read line by line until the first that cannot be read. */
import * as fs from "node:fs"
import type { HostContext } from "../CommandContext.js"
import { result, type Result } from "../internal/result.js"
import * as Lines from "./RuleLines.js"

/** Makes a canonical rule of the words of a line. @category models */
export type RuleParser = (words: ReadonlyArray<string>) => string

/** The text of a rule file; `-` is standard input. @category constructors */
export const content = (context: HostContext, file: string, stdin: string): string | undefined => {
  if (file === "-") return stdin
  const real = context.files.locate(file)
  return real === undefined || !fs.existsSync(real) ? undefined : fs.readFileSync(real, "utf8")
}

/**
 * Applies one rule after the other. One that cannot be read ends it with status 1, and those before it stay; one that the
 * kernel refuses is only complained about.
 *
 * @category combinators
 */
export const apply = (text: string, parse: RuleParser, change: (rule: string) => string | undefined): Result => {
  const complaints: Array<string> = []
  for (const [index, line] of text.split("\n").entries()) {
    const words = Lines.wordsOf(line)
    if (words.length === 0) continue
    try {
      const refused = change(parse(words))
      if (refused !== undefined) complaints.push(`${index + 1}:${refused}`)
    } catch (error) {
      if (error instanceof Lines.Unreadable) return result(1, "", [...complaints, Lines.complaint(error, index + 1)].join("\n"))
      throw error
    }
  }
  return result(0, "", complaints.join("\n"))
}
