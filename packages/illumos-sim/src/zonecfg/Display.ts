/** `info` and `export`. */
import type { ZoneConfiguration, ZoneResource } from "../HostState.js"
import type { Pair } from "./Parser.js"
import * as Rctls from "./Rctls.js"
import { matching } from "./Resources.js"
import { configuration, print, type Session } from "./Session.js"
import { aliases, scaled } from "./Values.js"

type Dialect = "gate" | "omnios"

const header = ["zonename", "zonepath", "brand", "autoboot", "bootargs", "pool", "limitpriv", "scheduling-class", "ip-type", "hostid", "fs-allowed"]
const blocks = ["fs", "net", "device", "dedicated-cpu", "capped-cpu", "capped-memory", "attr", "dataset", "rctl", "admin", "security-flags"]

const shown = (text: string): string => (text.includes(" ") ? `"${text}"` : text)

const property = (resource: ZoneResource, name: string): string => {
  const value = resource.properties[name]
  return value === undefined ? `\t${name} not specified` : `\t${name}: ${shown(value)}`
}

const complex = (value: Readonly<Record<string, string>>): string => `(priv=${value["priv"] ?? ""},limit=${value["limit"] ?? ""},action=${value["action"] ?? ""})`

const option = (text: string): string => (text.includes("=") ? `"${text}"` : text)

const netLines = (resource: ZoneResource, dialect: Dialect): ReadonlyArray<string> => {
  if (dialect === "gate") return ["address", "allowed-address", "physical", "defrouter"].map((name) => property(resource, name))
  return [
    ...["address", "allowed-address", "defrouter", "global-nic", "mac-addr", "physical", "vlan-id"].map((name) => property(resource, name)),
    ...resource.values.map((value) => `\tproperty: (name=${value["name"] ?? ""},value="${value["value"] ?? ""}")`)
  ]
}

const memoryLines = (resource: ZoneResource, dialect: Dialect): ReadonlyArray<string> =>
  ["physical", "swap", "locked"].flatMap((name) => {
    const value = resource.properties[name]
    if (value === undefined) return []
    const line = `${name}: ${scaled(Number(value))}`
    return [name === "physical" && dialect === "gate" ? `\t${line}` : `\t[${line}]`]
  })

/** The block of one resource as `info` prints it. @category combinators */
export const block = (resource: ZoneResource, dialect: Dialect): string => {
  const lines = (): ReadonlyArray<string> => {
    switch (resource.kind) {
      case "fs":
        return [...["dir", "special", "raw", "type"].map((name) => property(resource, name)), `\toptions: [${resource.options.map(option).join(",")}]`]
      case "net": return netLines(resource, dialect)
      case "device": return [property(resource, "match")]
      case "rctl": return [property(resource, "name"), ...resource.values.map((value) => `\tvalue: ${complex(value)}`)]
      case "attr": return ["name", "type", "value"].map((name) => property(resource, name))
      case "dataset": return [property(resource, "name")]
      case "dedicated-cpu": return ["ncpus", "importance"].flatMap((name) => name in resource.properties ? [property(resource, name)] : [])
      case "capped-cpu": return [`\t[ncpus: ${(Number(resource.properties["ncpus"] ?? 0) / 100).toFixed(2)}]`]
      case "capped-memory": return memoryLines(resource, dialect)
      case "admin": return ["user", "auths"].map((name) => property(resource, name))
      default: return ["default", "lower", "upper"].flatMap((name) => name in resource.properties ? [property(resource, name)] : [])
    }
  }
  return [`${resource.kind}:`, ...lines()].join("\n")
}

const aliasLine = (config: ZoneConfiguration, name: string): ReadonlyArray<string> => {
  const alias = aliases[name]
  const value = alias === undefined ? undefined : Rctls.limit(config, alias.rctl)
  return value === undefined ? [] : [`[${name}: ${alias?.sized === true ? scaled(Number(value)) : value}]`]
}

const headerLine = (session: Session, config: ZoneConfiguration, name: string): string => {
  const value = name === "zonename" ? session.zoneName : config.properties[name] ?? (name === "autoboot" ? "false" : name === "ip-type" ? "shared" : "")
  return `${name}: ${shown(value)}`
}

const aliasOrder = ["max-lwps", "max-processes", "max-shm-memory", "max-shm-ids", "max-msg-ids", "max-sem-ids", "cpu-shares", "zfs-io-priority"]

/** `info [<subject> [<qualifiers>]]`. @category commands */
export const info = (session: Session, subject: string, where: ReadonlyArray<Pair>): void => {
  const { dialect } = session.context.host
  if (session.open !== undefined) {
    print(session, block(session.open.resource, dialect))
    return
  }
  const config = configuration(session)
  if (config === undefined) return
  if (header.includes(subject)) {
    print(session, headerLine(session, config, subject))
  } else if (aliasOrder.includes(subject)) {
    const line = aliasLine(config, subject)
    if (line.length > 0) print(session, line.join("\n"))
  } else if (subject !== "") {
    const found = matching(session, config, subject, where)
    print(session, found.length === 0 ? `No such ${subject} resource.` : found.map((resource) => block(resource, dialect)).join("\n"))
  } else {
    for (const name of header) print(session, headerLine(session, config, name))
    for (const name of aliasOrder) for (const line of aliasLine(config, name)) print(session, line)
    for (const kind of blocks) for (const resource of matching(session, config, kind, [])) print(session, block(resource, dialect))
  }
}

const exported = (resource: ZoneResource, dialect: Dialect): string => {
  const order: Readonly<Record<string, ReadonlyArray<string>>> = {
    fs: ["dir", "special", "raw", "type"],
    net: ["address", "allowed-address", "physical", "defrouter", ...(dialect === "omnios" ? ["mac-addr", "vlan-id", "global-nic"] : [])],
    "capped-memory": ["physical"],
    "security-flags": ["default", "lower", "upper"],
    admin: ["user", "auths"],
    attr: ["name", "type", "value"],
    "dedicated-cpu": ["ncpus", "importance"]
  }
  const names = order[resource.kind] ?? Object.keys(resource.properties)
  return [
    `add ${resource.kind}`,
    ...names.flatMap((name) => resource.properties[name] === undefined ? [] : [`set ${name}="${resource.properties[name]}"`]),
    ...resource.options.map((text) => `add options "${text}"`),
    ...resource.values.map((value) => resource.kind === "rctl" ? `add value ${complex(value)}` : `add property (name=${value["name"] ?? ""},value="${value["value"] ?? ""}")`),
    "end"
  ].join("\n")
}

/** The text `export` prints. Globals are not quoted, so not every export can be read back. @category combinators */
export const exportText = (config: ZoneConfiguration, dialect: Dialect): string => {
  const globals = ["zonepath", "brand", "autoboot", "bootargs", "pool", "limitpriv", "scheduling-class", "ip-type", "hostid", "fs-allowed"]
    .flatMap((name) => {
      const value = config.properties[name] ?? (name === "autoboot" ? "false" : name === "ip-type" ? "shared" : "")
      return value === "" ? [] : [`set ${name}=${value}`]
    })
  const physical = Rctls.physical.get(config, dialect)
  const memory: ReadonlyArray<ZoneResource> = dialect === "gate" && physical !== undefined
    ? [{ kind: "capped-memory", properties: { physical }, options: [], values: [] }]
    : []
  const of = (kind: string) => config.resources.filter((resource) => resource.kind === kind)
  const kinds = ["rctl", "attr", "dataset", "dedicated-cpu", "admin", "security-flags"]
  const resources = [...of("fs"), ...of("net"), ...of("device"), ...memory, ...kinds.flatMap(of)]
  return ["create -b", ...globals, ...resources.map((resource) => exported(resource, dialect))].join("\n")
}
