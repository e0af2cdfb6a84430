/** Properties of datalinks: `dladm set-linkprop`, `reset-linkprop`, `show-linkprop`, and `-p` of `create-vnic`. */
import type { HostContext } from "./CommandContext.js"
import type { Datalink } from "./HostState.js"
import { allValues, hasFlag, lastValue, type ParsedArguments } from "./internal/getopt.js"
import { print, type Row } from "./internal/ofmt.js"
import * as inet from "./internal/inet.js"
import { fail, ok, type Result } from "./internal/result.js"

interface Definition {
  readonly values?: ReadonlyArray<string>
  /** Several values may be given. */
  readonly list?: boolean
  readonly fallback: string
  readonly permission: "rw" | "r-"
}

const one = (values: ReadonlyArray<string>, fallback = ""): Definition => ({ values, fallback, permission: "rw" })
const free: Definition = { fallback: "", permission: "rw" }

const definitions: Readonly<Record<string, Definition>> = {
  maxbw: free,
  priority: one(["low", "medium", "high"], "high"),
  mtu: free,
  state: { fallback: "up", permission: "r-", values: ["up", "down"] },
  "dynamic-methods": { values: ["dhcpv4", "dhcpv6", "slaac"], list: true, fallback: "", permission: "rw" },
  protection: { values: ["mac-nospoof", "restricted", "ip-nospoof", "dhcp-nospoof"], list: true, fallback: "", permission: "rw" },
  "allowed-ips": { list: true, fallback: "", permission: "rw" },
  "allowed-dhcp-cids": { list: true, fallback: "", permission: "rw" },
  "promisc-filtered": one(["on", "off"], "on"),
  "secondary-macs": { list: true, fallback: "", permission: "rw" },
  zone: { fallback: "", permission: "rw" },
  cpus: { list: true, fallback: "", permission: "rw" },
  pool: free,
  tagmode: one(["normal", "vlanonly"], "vlanonly"),
  forward: one(["1", "0"], "1"),
  default_tag: { fallback: "1", permission: "rw" },
  learn_limit: { fallback: "1000", permission: "rw" },
  rxrings: free,
  txrings: free
}

/** A refused assignment: the line of warning, and the bare reason. @category models */
export interface Refusal {
  readonly warning: string
  readonly text: string
}

/** Splits `a=b,c=d` where a value may hold commas itself: a part without `=` belongs to the value before it. @category combinators */
export const parse = (list: string): ReadonlyArray<readonly [string, string]> | undefined => {
  const assignments: Array<[string, string]> = []
  for (const part of list.split(",")) {
    const at = part.indexOf("=")
    const last = assignments.at(-1)
    if (at > 0) assignments.push([part.slice(0, at), part.slice(at + 1)])
    else if (last === undefined || part === "") return undefined
    else last[1] += `,${part}`
  }
  return assignments
}

/** Bandwidth in kbit/s; a bare number means Mbit/s. `undefined` when it is none. @category combinators */
export const bandwidth = (text: string): number | undefined => {
  const match = /^(\d+(?:\.\d+)?)([KMG]?)$/i.exec(text)
  if (match === null) return undefined
  const factor = { "": 1000, K: 1, M: 1000, G: 1_000_000 }[(match[2] ?? "").toUpperCase()] ?? 1000
  return Math.round(Number(match[1]) * factor)
}

const bandwidthText = (kilobits: number): string => {
  const whole = String(Math.floor(kilobits / 1000)).padStart(5)
  return kilobits % 1000 === 0 ? whole : `${whole}.${String(kilobits % 1000).padStart(3, "0")}`
}

/** Sets one property of a link; why it was refused, or nothing. @category combinators */
export const assign = (link: Datalink, property: string, value: string): Refusal | undefined => {
  const definition = definitions[property]
  if (definition === undefined) return { warning: `warning: invalid link property '${property}'`, text: "invalid property" }
  const cannot = (text: string): Refusal => ({ warning: `warning: cannot set link property '${property}' on '${link.name}': ${text}`, text })
  if (definition.permission === "r-") return cannot("read-only property")
  const values = definition.list === true ? value.split(",") : [value]
  if (definition.values !== undefined && !values.every((item) => definition.values?.includes(item) === true)) {
    return { warning: `warning: link property '${property}' must be one of: ${definition.values.join(",")}`, text: "invalid value" }
  }
  if (property === "allowed-ips") {
    if (values.length > 13) return cannot("invalid number of values")
    if (values.some((item) => inet.parse(item) === undefined)) return cannot("invalid IP address")
  }
  if (property === "maxbw") {
    const kilobits = bandwidth(value)
    if (kilobits === undefined) return cannot("invalid value")
    if (kilobits === 0) delete link.properties["maxbw"]
    else if (kilobits < 1200) return cannot("minimum value for maxbw is 1200K")
    else link.properties["maxbw"] = String(kilobits)
    return undefined
  }
  if (property === "mtu") {
    if (!/^\d+$/.test(value) || Number(value) < 68 || Number(value) > 9216) return cannot("invalid value")
    link.mtu = Number(value)
    return undefined
  }
  if (property === "zone") link.zone = value
  else link.properties[property] = value
  return undefined
}

const target = (context: HostContext, parsed: ParsedArguments): Datalink | Result => {
  const [name, surplus] = parsed.operands
  if (name === undefined || surplus !== undefined) return fail("usage:  dladm <subcommand> <args> ...\n\tset-linkprop [-t] -p <prop>=<value>[,...] <name>")
  return context.host.links.find((link) => link.name === name) ?? fail(`dladm: link ${name} is not valid: object not found`)
}

const busyForMtu = (context: HostContext, link: Datalink): boolean => link.zone !== "" || context.host.interfaces.some((entry) => entry.name === link.name)

/** `dladm set-linkprop`. @category commands */
export const set = (context: HostContext, parsed: ParsedArguments): Result => {
  const lists = allValues(parsed, "p")
  if (lists.length === 0) return fail("dladm: link property must be specified")
  const link = target(context, parsed)
  if ("exitCode" in link) return link
  for (const list of lists) {
    const assignments = parse(list)
    if (assignments === undefined) return fail(`dladm: invalid link property '${list}'`)
    for (const [property, value] of assignments) {
      const lower = context.host.links.find((other) => other.name === link.over)
      if (property === "mtu" && lower !== undefined && Number(value) > lower.mtu) return fail(`dladm: warning: cannot set link property 'mtu' on '${link.name}': MTU check failed, MTU outside of device's supported range`)
      if (property === "mtu" && busyForMtu(context, link)) return fail(`dladm: warning: cannot set link property 'mtu' on '${link.name}': link busy`)
      const refused = assign(link, property, value)
      if (refused !== undefined) return fail(`dladm: ${refused.warning}`)
    }
  }
  return ok()
}

/** `dladm reset-linkprop`. @category commands */
export const reset = (context: HostContext, parsed: ParsedArguments): Result => {
  const link = target(context, parsed)
  if ("exitCode" in link) return link
  const names = allValues(parsed, "p").flatMap((list) => list.split(","))
  const unknown = names.find((name) => !(name in definitions))
  if (unknown !== undefined) return fail(`dladm: warning: invalid link property '${unknown}'`)
  for (const name of names.length === 0 ? Object.keys(link.properties) : names) delete link.properties[name]
  return ok()
}

const shown = (link: Datalink, property: string): string => {
  switch (property) {
    case "mtu": return String(link.mtu)
    case "zone": return link.zone
    case "maxbw": return link.properties["maxbw"] === undefined ? "" : bandwidthText(Number(link.properties["maxbw"]))
    default: return link.properties[property] ?? definitions[property]?.fallback ?? ""
  }
}

/** `dladm show-linkprop`. @category commands */
export const show = (context: HostContext, parsed: ParsedArguments): Result => {
  const [name] = parsed.operands
  const links = context.host.links.filter((link) => name === undefined || link.name === name)
  if (name !== undefined && links.length === 0) return fail(`dladm: link ${name} is not valid: object not found`)
  const names = allValues(parsed, "p").flatMap((list) => list.split(","))
  const unknown = names.find((property) => !(property in definitions))
  if (unknown !== undefined) return fail(`dladm: warning: invalid link property '${unknown}'`)
  const parsable = hasFlag(parsed, "c")
  const output = lastValue(parsed, "o")
  if (parsable && output === undefined) return fail("dladm: output fields must be specified in parsable mode")
  const rows = links.flatMap((link) =>
    (names.length === 0 ? Object.keys(definitions) : names).map((property): Row => ({
      link: link.name,
      property,
      perm: definitions[property]?.permission ?? "rw",
      value: shown(link, property),
      default: property === "mtu" ? String(link.mtu) : definitions[property]?.fallback ?? "",
      possible: definitions[property]?.values?.join(",") ?? ""
    }))
  )
  const fields = ["link", "property", "perm", "value", "default", "possible"]
  return print({ program: "dladm", parsable, output, fields, defaults: fields, allRefused: "output field `all' invalid in parsable mode" }, rows)
}
