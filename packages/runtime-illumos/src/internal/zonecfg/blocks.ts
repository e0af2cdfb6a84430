/** From names and values, as `export` and `info` print them, to the resources of the model. */
import * as LinkName from "../../LinkName.js"
import type * as Model from "../../ZoneConfig.js"

/** A resource as a tool prints it. */
export interface Block {
  readonly resource: string
  readonly values: ReadonlyMap<string, string>
  /** What `add <property> …` lines of the block say, in order. */
  readonly additions: ReadonlyArray<readonly [property: string, value: string]>
}

/** The lexer of zonecfg skips spaces and tabs alone; other white space of Unicode belongs to the value. */
export const trim = (text: string): string => text.replace(/^[ \t]+|[ \t]+$/g, "")

export const unquote = (text: string): string => {
  const trimmed = trim(text)
  return trimmed.length >= 2 && trimmed.startsWith("\"") && trimmed.endsWith("\"") ? trimmed.slice(1, -1) : trimmed
}

/** Splits at commas outside quotes. */
export const items = (text: string): Array<string> => text.match(/(?:[^,"]|"[^"]*")+/g) ?? []

export const inner = (text: string, open: string, close: string): string => {
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

/** Bytes of `512M`, `1.5G`, `1048576`. */
export const bytesOf = (text: string): bigint | undefined => {
  const match = /^(\d+)(?:\.(\d+))?([KMGT]?)$/i.exec(text)
  const scale = unit[match?.[3]?.toUpperCase() ?? "?"]
  if (match === null || scale === undefined) return undefined
  const fraction = match[2] ?? ""
  return BigInt(`${match[1]}${fraction}`) * scale / 10n ** BigInt(fraction.length)
}

export const optional = <A, B extends object>(value: A | undefined, build: (value: A) => B): B | undefined =>
  value === undefined ? undefined : build(value)

const text = (block: Block, name: string): string => block.values.get(name) ?? ""

/** Properties that are there and hold something: a property without a value is as good as none. */
const set = (block: Block, name: string): string | undefined => {
  const value = block.values.get(name)
  return value === "" ? undefined : value
}

export const net = (block: Block): Model.NetResource | undefined => {
  const physical = text(block, "physical")
  if (!LinkName.is(physical)) return undefined
  const properties = block.additions.flatMap(([property, value]) => {
    const pair = complexValue(value)
    return property === "property" ? [{ name: pair.get("name") ?? "", value: pair.get("value") ?? "" }] : []
  })
  return {
    physical,
    ...optional(set(block, "address"), (address) => ({ address })),
    ...optional(set(block, "allowed-address"), (allowedAddress) => ({ allowedAddress })),
    ...optional(set(block, "defrouter"), (defrouter) => ({ defrouter })),
    ...optional(set(block, "mac-addr"), (macAddr) => ({ macAddr })),
    ...optional(set(block, "vlan-id"), (vlan) => ({ vlanId: Number(vlan) })),
    ...optional(set(block, "global-nic"), (globalNic) => ({ globalNic })),
    ...(properties.length === 0 ? {} : { properties })
  }
}

export const fs = (block: Block): Model.FsResource => ({
  dir: text(block, "dir"),
  special: text(block, "special"),
  ...optional(set(block, "raw"), (raw) => ({ raw })),
  type: text(block, "type"),
  options: block.additions.flatMap(([property, value]) =>
    property === "options" ? items(inner(value, "[", "]")).map(unquote).filter((option) => option !== "") : []
  )
})

export const device = (block: Block): string | undefined => set(block, "match")

const attrTypes: ReadonlyArray<Model.AttrResource["type"]> = ["string", "boolean", "int", "uint"]

export const attr = (block: Block): Model.AttrResource | undefined => {
  const type = attrTypes.find((type) => type === block.values.get("type"))
  return type === undefined ? undefined : { name: text(block, "name"), type, value: text(block, "value") }
}

export const rctl = (block: Block): Model.RctlResource | undefined => {
  const values = block.additions.flatMap(([property, value]): Array<Model.RctlValue> => {
    const pairs = complexValue(value)
    const limit = pairs.get("limit") ?? ""
    const action = pairs.get("action")
    const known = property === "value" && pairs.get("priv") === "privileged" && /^\d+$/.test(limit)
    return known && (action === "none" || action === "deny") ? [{ limit: BigInt(limit), action }] : []
  })
  const [first, ...further] = values
  if (first === undefined || values.length !== block.additions.length) return undefined
  return { name: text(block, "name"), ...first, ...(further.length === 0 ? {} : { further }) }
}

export const dataset = (block: Block): string | undefined => set(block, "name")

const authorizations = ["login", "manage", "clonefrom"] as const

/** Every word is one of the known ones, compared without case. */
const words = <A extends string>(value: string, known: ReadonlyArray<A>): ReadonlyArray<A> | undefined => {
  const found = value.split(",").map((word) => known.find((name) => name.toLowerCase() === word.trim().toLowerCase()))
  return found.every((word) => word !== undefined) ? found : undefined
}

export const admin = (block: Block): Model.AdminResource | undefined => {
  const auths = words(text(block, "auths"), authorizations)
  return auths === undefined ? undefined : { user: text(block, "user"), auths }
}

const flagNames: ReadonlyArray<Model.SecurityFlag> = ["ASLR", "FORBIDNULLMAP", "NOEXECSTACK", "all", "none"]

export const securityFlags = (block: Block): Model.SecurityFlags | undefined => {
  const sets: { -readonly [K in keyof Model.SecurityFlags]: Model.SecurityFlags[K] } = {}
  for (const name of ["default", "lower", "upper"] as const) {
    const value = set(block, name)
    if (value === undefined) continue
    const flags = words(value, flagNames)
    if (flags === undefined) return undefined
    sets[name] = flags
  }
  return Object.keys(sets).length === 0 ? undefined : sets
}

export const dedicatedCpu = (block: Block): Model.DedicatedCpu | undefined => {
  const range = /^(\d+)(?:-(\d+))?$/.exec(text(block, "ncpus"))
  const least = range?.[1]
  if (least === undefined) return undefined
  return {
    least: Number(least),
    ...optional(range?.[2], (most) => ({ most: Number(most) })),
    ...optional(set(block, "importance"), (weight) => ({ importance: Number(weight) }))
  }
}

const schedulingClasses = ["FSS", "TS", "FX", "RT", "IA"] as const

/** The properties of the global scope; those without a value are not set. */
export const globals = (values: ReadonlyMap<string, string>) => {
  const of = (name: string): string | undefined => {
    const value = values.get(name)
    return value === "" ? undefined : value
  }
  return {
    zonepath: of("zonepath") ?? "",
    brand: of("brand") ?? "",
    autoboot: of("autoboot") === "true",
    // Templates of some releases name no ip-type, which means shared.
    ipType: of("ip-type") === "exclusive" ? "exclusive" as const : "shared" as const,
    ...optional(of("limitpriv"), (limitpriv) => ({ limitpriv })),
    ...optional(of("bootargs"), (bootargs) => ({ bootargs })),
    ...optional(of("pool"), (pool) => ({ pool })),
    ...optional(schedulingClasses.find((name) => name === of("scheduling-class")), (schedulingClass) => ({ schedulingClass })),
    ...optional(of("hostid"), (hostid) => ({ hostid })),
    ...optional(of("fs-allowed"), (fsAllowed) => ({ fsAllowed }))
  }
}
