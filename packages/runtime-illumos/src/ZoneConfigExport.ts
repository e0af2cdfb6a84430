/** Reads what `zonecfg export` prints (and the scripts this package writes) back into the typed model. */
import * as Either from "effect/Either"
import { UnreadableOutput } from "./HostError.js"
import * as LinkName from "./LinkName.js"
import type { AttrResource, CappedMemory, FsResource, NetResource, RctlResource, ZoneConfig } from "./ZoneConfig.js"

interface Block {
  readonly resource: string
  readonly values: Map<string, string>
  /** What `add <property> …` lines of the block say, in order. */
  readonly additions: Array<readonly [property: string, value: string]>
}

/** The lexer of zonecfg skips spaces and tabs alone; other white space of Unicode belongs to the value. */
const trim = (text: string): string => text.replace(/^[ \t]+|[ \t]+$/g, "")

const unquote = (text: string): string => {
  const trimmed = trim(text)
  return trimmed.length >= 2 && trimmed.startsWith("\"") && trimmed.endsWith("\"") ? trimmed.slice(1, -1) : trimmed
}

/** Splits at commas outside quotes. */
const items = (text: string): Array<string> => text.match(/(?:[^,"]|"[^"]*")+/g) ?? []

const inner = (text: string, open: string, close: string): string => {
  const trimmed = trim(text)
  return trimmed.startsWith(open) && trimmed.endsWith(close) ? trimmed.slice(1, -1) : trimmed
}

const complexValue = (text: string): Map<string, string> =>
  new Map(
    items(inner(text, "(", ")")).map((item) => {
      const at = item.indexOf("=")
      return [item.slice(0, at).trim(), unquote(item.slice(at + 1))] as const
    })
  )

const unit: Readonly<Record<string, bigint>> = { "": 1n, K: 1024n, M: 1024n ** 2n, G: 1024n ** 3n, T: 1024n ** 4n }

const bytesOf = (text: string): bigint | undefined => {
  const match = /^(\d+)(?:\.(\d+))?([KMGT]?)$/i.exec(text)
  const scale = unit[match?.[3]?.toUpperCase() ?? "?"]
  if (match === null || scale === undefined) return undefined
  const fraction = match[2] ?? ""
  return BigInt(`${match[1]}${fraction}`) * scale / 10n ** BigInt(fraction.length)
}

const optional = <A, B extends object>(value: A | undefined, build: (value: A) => B): B | undefined =>
  value === undefined ? undefined : build(value)

const netOf = (block: Block): NetResource | undefined => {
  const physical = block.values.get("physical") ?? ""
  if (!LinkName.is(physical)) return undefined
  const vlan = block.values.get("vlan-id")
  const properties = block.additions.flatMap(([property, value]) => {
    const pair = complexValue(value)
    return property === "property" ? [{ name: pair.get("name") ?? "", value: pair.get("value") ?? "" }] : []
  })
  return {
    physical,
    ...optional(block.values.get("allowed-address"), (allowedAddress) => ({ allowedAddress })),
    ...optional(block.values.get("defrouter"), (defrouter) => ({ defrouter })),
    ...optional(block.values.get("mac-addr"), (macAddr) => ({ macAddr })),
    ...optional(vlan, (vlan) => ({ vlanId: Number(vlan) })),
    ...optional(block.values.get("global-nic"), (globalNic) => ({ globalNic })),
    ...(properties.length === 0 ? {} : { properties })
  }
}

const fsOf = (block: Block): FsResource => ({
  dir: block.values.get("dir") ?? "",
  special: block.values.get("special") ?? "",
  ...optional(block.values.get("raw"), (raw) => ({ raw })),
  type: block.values.get("type") ?? "",
  options: block.additions.flatMap(([property, value]) =>
    property === "options" ? items(inner(value, "[", "]")).map(unquote) : []
  )
})

const attrTypes: ReadonlyArray<AttrResource["type"]> = ["string", "boolean", "int", "uint"]

const attrOf = (block: Block): AttrResource => ({
  name: block.values.get("name") ?? "",
  type: attrTypes.find((type) => type === block.values.get("type")) ?? "string",
  value: block.values.get("value") ?? ""
})

const rctlOf = (block: Block): RctlResource | undefined => {
  const value = complexValue(block.additions.find(([property]) => property === "value")?.[1] ?? "")
  const limit = value.get("limit") ?? ""
  return /^\d+$/.test(limit)
    ? {
      name: block.values.get("name") ?? "",
      limit: BigInt(limit),
      action: value.get("action") === "none" ? "none" : "deny"
    }
    : undefined
}

const schedulingClasses = ["FSS", "TS", "FX", "RT", "IA"] as const

/** Caps are exported as the resource controls they are stored in. */
const memoryRctl = {
  "zone.max-physical-memory": "physical",
  "zone.max-swap": "swap",
  "zone.max-locked-memory": "locked"
} as const

const isMemoryRctl = (name: string): name is keyof typeof memoryRctl => Object.hasOwn(memoryRctl, name)

interface Script {
  readonly globals: Map<string, string>
  readonly blocks: Array<Block>
}

const readScript = (text: string): Either.Either<Script, string> => {
  const globals = new Map<string, string>()
  const blocks: Array<Block> = []
  let open: Block | undefined
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

/**
 * The configuration in an export. Resources and properties this package does not write are left out; caps come back as
 * caps although the host stores them as resource controls.
 *
 * @category combinators
 */
export const parse = (zone: string, text: string): Either.Either<ZoneConfig, UnreadableOutput> =>
  Either.mapBoth(readScript(text), {
    onLeft: (detail) => new UnreadableOutput({ operation: "read the configuration of zone", object: zone, detail }),
    onRight: ({ blocks, globals }) => {
      const of = <A>(resource: string, build: (block: Block) => A | undefined): Array<A> =>
        blocks.flatMap((block) => {
          const value = block.resource === resource ? build(block) : undefined
          return value === undefined ? [] : [value]
        })
      const memory: { -readonly [K in keyof CappedMemory]: bigint } = {}
      const rctl: Array<RctlResource> = []
      let cpuPercent: number | undefined
      for (const control of of("rctl", rctlOf)) {
        if (control.name === "zone.cpu-cap") cpuPercent = Number(control.limit)
        else if (isMemoryRctl(control.name)) memory[memoryRctl[control.name]] = control.limit
        else rctl.push(control)
      }
      for (const block of blocks) {
        if (block.resource === "capped-cpu") cpuPercent = Math.trunc(Number(block.values.get("ncpus")) * 100)
        if (block.resource !== "capped-memory") continue
        for (const kind of ["physical", "swap", "locked"] as const) {
          const bytes = bytesOf(block.values.get(kind) ?? "")
          if (bytes !== undefined) memory[kind] = bytes
        }
      }
      return {
        zonepath: globals.get("zonepath") ?? "",
        brand: globals.get("brand") ?? "",
        autoboot: globals.get("autoboot") === "true",
        // Templates of some releases name no ip-type, which means shared.
        ipType: globals.get("ip-type") === "exclusive" ? "exclusive" : "shared",
        ...optional(globals.get("limitpriv"), (limitpriv) => ({ limitpriv })),
        ...optional(globals.get("bootargs"), (bootargs) => ({ bootargs })),
        ...optional(globals.get("pool"), (pool) => ({ pool })),
        ...optional(schedulingClasses.find((name) => name === globals.get("scheduling-class")), (schedulingClass) => ({ schedulingClass })),
        ...optional(globals.get("hostid"), (hostid) => ({ hostid })),
        ...optional(globals.get("fs-allowed"), (fsAllowed) => ({ fsAllowed })),
        net: of("net", netOf),
        fs: of("fs", fsOf),
        device: of("device", (block) => block.values.get("match")),
        rctl,
        attr: of("attr", attrOf),
        dataset: of("dataset", (block) => block.values.get("name")),
        ...optional(cpuPercent, (cappedCpuPercent) => ({ cappedCpuPercent })),
        ...(Object.keys(memory).length === 0 ? {} : { cappedMemory: memory })
      }
    }
  })
