/**
 * Reads what `zonecfg info` prints. For people it is easier to read than an export, for programs it is worse: sizes are rounded to one
 * decimal (a `physical` cap of illumos-gate is known only so), while sizes that are resource controls are read exactly from those.
 */
import * as Either from "effect/Either"
import { UnreadableOutput } from "./HostError.js"
import { assemble } from "./internal/zonecfg/assemble.js"
import { type Block, bytesOf, inner, items, unquote } from "./internal/zonecfg/blocks.js"
import { aliases } from "./internal/zonecfg/resources.js"
import type { ZoneConfig, ZoneLimits } from "./ZoneConfig.js"
import type { Reading } from "./ZoneConfigExport.js"

interface Draft extends Block {
  readonly values: Map<string, string>
  readonly additions: Array<readonly [property: string, value: string]>
}

type Limits = { -readonly [K in keyof ZoneLimits]: ZoneLimits[K] }

const limit = (limits: Limits, property: string, value: string): boolean => {
  const alias = aliases.find((candidate) => candidate.property === property)
  const bytes = bytesOf(value)
  if (alias === undefined || bytes === undefined) return false
  if (alias.field === "maxShmMemory") limits.maxShmMemory = bytes
  else limits[alias.field] = Number(bytes)
  return true
}

/** One line inside a block. */
const member = (block: Draft, line: string): boolean => {
  const text = line.startsWith("[") && line.endsWith("]") ? line.slice(1, -1) : line
  if (/^[a-z-]+ not specified$/.test(text)) return true
  const pair = /^([a-z-]+): ?(.*)$/s.exec(text)
  if (pair === null) return false
  const [, name = "", value = ""] = pair
  if (name === "options") {
    // Blanks belong to an option; only those with an equals sign come quoted.
    for (const option of items(inner(value, "[", "]"))) block.additions.push([name, option.startsWith("\"") ? option : `"${option}"`])
  } else if (name === "property" || (name === "value" && block.resource === "rctl")) block.additions.push([name, value])
  else block.values.set(name, unquote(value))
  return true
}

/**
 * The configuration in the output of `info`, and the names of resources that are not in it.
 *
 * @category combinators
 */
export const read = (zone: string, text: string): Either.Either<Reading, UnreadableOutput> => {
  const globals = new Map<string, string>()
  const blocks: Array<Draft> = []
  const limits: Limits = {}
  const open = (line: string): boolean => {
    const resource = /^([a-z-]+):$/.exec(line)?.[1]
    if (resource !== undefined) blocks.push({ resource, values: new Map(), additions: [] })
    return resource !== undefined
  }
  const globalLine = (line: string): boolean => {
    const [, name = "", value = ""] = /^([a-z-]+): (.*)$/s.exec(line) ?? []
    if (name !== "") globals.set(name, unquote(value))
    return name !== ""
  }
  const limitLine = (line: string): boolean => {
    const [, name = "", value = ""] = /^\[([a-z-]+): (\S+)\]$/.exec(line) ?? []
    return name !== "" && limit(limits, name, value)
  }
  for (const line of text.split("\n")) {
    if (line === "") continue
    const block = blocks.at(-1)
    const known = line.startsWith("\t") ? block !== undefined && member(block, line.slice(1)) : open(line) || globalLine(line) || limitLine(line)
    if (!known) return Either.left(new UnreadableOutput({ operation: "read the configuration of zone", object: zone, detail: line }))
  }
  return Either.right(assemble(globals, blocks, limits))
}

/**
 * The configuration in the output of `info`; resources the model has no place for are left out.
 *
 * @category combinators
 */
export const parse = (zone: string, text: string): Either.Either<ZoneConfig, UnreadableOutput> =>
  Either.map(read(zone, text), ({ config }) => config)
