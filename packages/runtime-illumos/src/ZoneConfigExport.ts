/** Reads what `zonecfg export` prints (and the scripts this package writes) back into the typed model. */
import * as Either from "effect/Either"
import { UnreadableOutput } from "./HostError.js"
import { assemble, type Reading as Assembled } from "./internal/zonecfg/assemble.js"
import { type Block, trim, unquote } from "./internal/zonecfg/blocks.js"
import { aliases } from "./internal/zonecfg/resources.js"
import type { ZoneConfig } from "./ZoneConfig.js"

/**
 * A configuration, and the names of the resources in it that the model has no place for.
 *
 * @category models
 */
export interface Reading extends Assembled {}

interface Script {
  readonly globals: Map<string, string>
  readonly blocks: Array<Block>
}

interface Draft extends Block {
  readonly values: Map<string, string>
  readonly additions: Array<readonly [property: string, value: string]>
}

const readScript = (text: string): Either.Either<Script, string> => {
  const globals = new Map<string, string>()
  const blocks: Array<Block> = []
  let open: Draft | undefined
  for (const raw of text.split("\n")) {
    const line = trim(raw)
    if (line === "" || line.startsWith("#") || /^(create|verify|commit|exit)\b/.test(line)) continue
    const assignment = /^set\s+([a-z-]+)[ \t]*=(.*)$/s.exec(line)
    const addition = /^add\s+([a-z-]+)(?:[ \t]+(.+))?$/s.exec(line)
    if (assignment !== null) {
      const target = open?.values ?? globals
      target.set(assignment[1] ?? "", unquote(assignment[2] ?? ""))
    } else if (addition !== null && open === undefined && addition[2] === undefined) {
      open = { resource: addition[1] ?? "", values: new Map(), additions: [] }
    } else if (addition !== null && open !== undefined && addition[2] !== undefined) {
      open.additions.push([addition[1] ?? "", addition[2]])
    } else if (line === "end" && open !== undefined) {
      blocks.push(open)
      open = undefined
    } else {
      return Either.left(line)
    }
  }
  return open === undefined ? Either.right({ globals, blocks }) : Either.left(`add ${open.resource} without end`)
}

/** A limit as a script sets it: an export prints the resource control instead. */
const asControl = (property: string, value: string): Block | undefined => {
  const alias = aliases.find((candidate) => candidate.property === property)
  const limit = /^(\d+)([KMGT]?)$/i.exec(value)
  if (alias === undefined || limit === null) return undefined
  const scale = 1024n ** BigInt(["", "K", "M", "G", "T"].indexOf((limit[2] ?? "").toUpperCase()))
  return {
    resource: "rctl",
    values: new Map([["name", alias.rctl]]),
    additions: [["value", `(priv=privileged,limit=${BigInt(limit[1] ?? "0") * scale},action=${alias.action})`]]
  }
}

/**
 * The configuration in an export, and what of the export is not in it. Caps and limits come back as such although the host stores
 * them as resource controls.
 *
 * @category combinators
 */
export const read = (zone: string, text: string): Either.Either<Reading, UnreadableOutput> =>
  Either.mapBoth(readScript(text), {
    onLeft: (detail) => new UnreadableOutput({ operation: "read the configuration of zone", object: zone, detail }),
    onRight: ({ blocks, globals }) => {
      const controls = [...globals].flatMap(([property, value]) => asControl(property, value) ?? [])
      return assemble(globals, [...controls, ...blocks])
    }
  })

/**
 * The configuration in an export. Resources the model has no place for are left out.
 *
 * @category combinators
 */
export const parse = (zone: string, text: string): Either.Either<ZoneConfig, UnreadableOutput> =>
  Either.map(read(zone, text), ({ config }) => config)
