/** svcprop: the properties of services. Command builder, parser of its shell-quoted output, failure texts. */
import * as CommandLine from "./CommandLine.js"
import type { CommandResult } from "./CommandRunner.js"
import type * as Fmri from "./Fmri.js"
import { type HostError, HostPermissionDenied } from "./HostError.js"
import * as refusal from "./internal/refusal.js"
import { ServiceNotFound, ServicePropertyNotFound } from "./ServiceError.js"

const program = "/usr/bin/svcprop"

/** One property with its values. @category models */
export interface ServiceProperty {
  readonly group: string
  readonly name: string
  /** `astring`, `boolean`, `count`, `integer`, `time`, `fmri` and others. */
  readonly type: string
  /** In order; a property may have none. */
  readonly values: ReadonlyArray<string>
}

/**
 * Properties of an instance as it runs: all, or those named (`group/name`, or `group` for a whole group). With their types, so the output
 * has one form.
 *
 * @category constructors
 */
export const read = (fmri: Fmri.Fmri, ...properties: ReadonlyArray<string>): CommandLine.CommandLine =>
  CommandLine.make(program, "-t", ...properties.flatMap((property) => ["-p", property]), fmri)

/** Waits until one of the properties of a group changes, then prints it. Give the command a time limit. @category constructors */
export const wait = (fmri: Fmri.Fmri, property: string): CommandLine.CommandLine => CommandLine.make(program, "-w", "-t", "-p", property, fmri)

/** The same command on the services of a zone, called from the global zone. @category combinators */
export const inZone = (zone: string, line: CommandLine.CommandLine): CommandLine.CommandLine => ({ ...line, args: ["-z", zone, ...line.args] })

/** Words of one line: blanks part them, a backslash keeps the next character (also a line break), `""` is an empty word. */
const records = (text: string): ReadonlyArray<ReadonlyArray<string>> => {
  const found: Array<ReadonlyArray<string>> = []
  let words: Array<string> = []
  let word: string | undefined
  const endWord = () => {
    if (word !== undefined) words.push(word)
    word = undefined
  }
  const endLine = () => {
    endWord()
    if (words.length > 0) found.push(words)
    words = []
  }
  for (let at = 0; at < text.length; at++) {
    const char = text.charAt(at)
    if (char === "\\" && at + 1 < text.length) {
      at += 1
      word = (word ?? "") + text.charAt(at)
    } else if (char === "\"" && text.charAt(at + 1) === "\"") {
      at += 1
      word = word ?? ""
    } else if (char === "\n") endLine()
    else if (char === " ") endWord()
    else word = (word ?? "") + char
  }
  endLine()
  return found
}

/**
 * Reads the output of {@link read}. Names are `group/name`, or a whole FMRI when several services were asked for. Lines of another form are
 * passed over.
 *
 * @category combinators
 */
export const parse = (text: string): ReadonlyArray<ServiceProperty> =>
  records(text).flatMap(([path = "", type = "", ...values]): ReadonlyArray<ServiceProperty> => {
    const match = /(?:^|\/:properties\/)([^/\s]+)\/([^/\s]+)$/.exec(path)
    return match === null || type === "" ? [] : [{ group: match[1] ?? "", name: match[2] ?? "", type, values }]
  })

/**
 * The texts by which svcprop refuses.
 *
 * @category errors
 */
export const refusals: ReadonlyArray<refusal.Row> = [
  { pattern: /Couldn't find property/, error: ServicePropertyNotFound },
  { pattern: /doesn't match any (entities|instances)/, error: ServiceNotFound },
  { pattern: /Permission denied/, error: HostPermissionDenied }
]

/**
 * The error a refusal of svcprop means.
 *
 * @category errors
 */
export const classify = (operation: string, fmri: string, result: CommandResult): HostError =>
  refusal.classify(refusals, operation, fmri, result)
