/** `ipadm`: IP interfaces and addresses of the emulated global zone. Nothing is created on the real machine. */
import { isIP } from "node:net"
import type { HostContext, InstantCommand } from "./CommandContext.js"
import type { IpInterface } from "./HostState.js"
import { getopt, hasFlag, type LongOptions, lastValue, type ParsedArguments } from "./internal/getopt.js"
import { print } from "./internal/ofmt.js"
import { fail, ok, type Result } from "./internal/result.js"
import * as Routing from "./network/Routing.js"
import * as Tables from "./network/Tables.js"

const longOptions: LongOptions = {
  temporary: "t", type: "T", address: "a", down: "d", "host-name": "h", wait: "w", primary: "1", "interface-id": "i", prop: "p", protocol: "m",
  module: "m", parsable: "p", parseable: "p", output: "o", release: "r"
}

const synopses: Readonly<Record<string, string>> = {
  "create-if": "create-if [-t] <interface>",
  "delete-if": "delete-if <interface>",
  "show-if": "show-if [[-p] -o <field>,...] [<interface>]",
  "create-addr": "create-addr [-t] -T static [-d] -a{local|remote=addr[/prefixlen]} <addrobj>\n\tcreate-addr [-t] -T dhcp [-1] [-h <hostname>] [-w <seconds> | forever] <addrobj>\n\tcreate-addr [-t] -T addrconf [-i interface-id] [-p {stateful|stateless}={yes|no}] <addrobj>",
  "delete-addr": "delete-addr [-r] <addrobj>",
  "show-addr": "show-addr [[-p] -o <field>,...] [<addrobj>]",
  "down-addr": "down-addr [-t] <addrobj>",
  "up-addr": "up-addr [-t] <addrobj>",
  "set-prop": "set-prop [-t] -p <prop>[+|-]=<value> <protocol>",
  "show-prop": "show-prop [[-c] -o <field>,...] [-p <prop>,...] [protocol]",
  "set-ifprop": "set-ifprop [-t] -p <prop>=<value> -m <protocol> <interface>",
  "show-ifprop": "show-ifprop [[-c] -o <field>,...] [-p <prop>,...] [-m <protocol>] [interface]"
}

const usage = (subcommand: string): string => `usage: ${synopses[subcommand] ?? subcommand}`

const find = (context: HostContext, name: string): IpInterface | undefined => context.host.interfaces.find((entry) => entry.name === name)

const createInterface = (context: HostContext, name: string, temporary: boolean): IpInterface | Result => {
  if (find(context, name) !== undefined) return fail(`ipadm: Could not create ${name} : Interface already exists`)
  const link = context.host.links.find((candidate) => candidate.name === name && candidate.zone === "" && candidate.class !== "etherstub" && candidate.class !== "overlay")
  if (link === undefined) return fail(`ipadm: Could not create ${name} : Datalink does not exist`)
  const entry: IpInterface = { name, temporary, properties: {}, addresses: [] }
  context.host.interfaces.push(entry)
  return entry
}

const createIf = (context: HostContext, parsed: ParsedArguments): Result => {
  const [name, surplus] = parsed.operands
  if (name === undefined || surplus !== undefined) return fail(usage("create-if"))
  const made = createInterface(context, name, hasFlag(parsed, "t"))
  return "exitCode" in made ? made : ok()
}

const deleteIf = (context: HostContext, parsed: ParsedArguments): Result => {
  const [name, surplus] = parsed.operands
  if (name === undefined || surplus !== undefined) return fail(usage("delete-if"))
  if (find(context, name) === undefined) return fail(`ipadm: Could not delete ${name}: Interface does not exist`)
  context.host.interfaces = context.host.interfaces.filter((entry) => entry.name !== name)
  return ok()
}

const classful = (address: string): number => {
  const first = Number(address.split(".")[0])
  return first < 128 ? 8 : first < 192 ? 16 : 24
}

/** The address with its prefix length; `undefined` when it is none. */
const normal = (text: string): string | undefined => {
  const [address = "", length] = text.replace(/^local=/, "").split("/")
  const version = isIP(address)
  if (version === 0) return undefined
  const limit = version === 4 ? 32 : 128
  if (length !== undefined && !(/^\d+$/.test(length) && Number(length) <= limit)) return undefined
  return `${address}/${length ?? (version === 4 ? classful(address) : 64)}`
}

const inUse = (context: HostContext, address: string): boolean => {
  const bare = address.replace(/\/.*/, "")
  return context.host.interfaces.some((entry) => entry.addresses.some((object) => object.address.replace(/\/.*/, "") === bare))
}

const createAddr = (context: HostContext, parsed: ParsedArguments): Result => {
  const [name, surplus] = parsed.operands
  const type = lastValue(parsed, "T")
  if (name === undefined || surplus !== undefined || type === undefined) return fail(usage("create-addr"))
  if (!["static", "dhcp", "addrconf"].includes(type)) return fail(`ipadm: Invalid address type ${type}`)
  const allowed = { static: "tTad", dhcp: "tT1hw", addrconf: "tTip" }[type] ?? ""
  const given = lastValue(parsed, "a")
  const foreign = parsed.options.some(({ flag }) => !allowed.includes(flag))
  if (foreign || (type === "static" && given === undefined)) return fail(`ipadm: Invalid arguments for type ${type}\n${usage("create-addr")}`)
  const [interfaceName = "", part, deeper] = name.split("/")
  if (part === undefined || deeper !== undefined || interfaceName === "") return fail(`ipadm: invalid address object name: ${name}\n${usage("create-addr")}`)
  if (!/^[A-Za-z][A-Za-z0-9]{0,30}$/.test(part)) return fail("ipadm: Error in creating address object: Invalid argument provided")
  const address = type === "static" ? normal(given ?? "") : type === "dhcp" ? "0.0.0.0/8" : "fe80::8:20ff:fe00:1/10"
  if (address === undefined) return fail("ipadm: Error in setting local address: Invalid address")
  if (find(context, interfaceName)?.addresses.some((object) => object.name === name) === true) {
    return fail("ipadm: Could not create address: Address object already exists")
  }
  if (type === "static" && inUse(context, address)) return fail("ipadm: Could not create address: Address already in use")
  const temporary = hasFlag(parsed, "t")
  const existing = find(context, interfaceName) ?? createInterface(context, interfaceName, temporary)
  if ("exitCode" in existing) return fail("ipadm: Could not create address: Datalink does not exist")
  existing.addresses.push({ name, type, address, state: hasFlag(parsed, "d") ? "down" : "ok", temporary })
  return ok()
}

const locate = (context: HostContext, name: string) => {
  const entry = find(context, name.split("/")[0] ?? "")
  const object = entry?.addresses.find((candidate) => candidate.name === name)
  return entry === undefined || object === undefined ? undefined : { entry, object }
}

const deleteAddr = (context: HostContext, parsed: ParsedArguments): Result => {
  const [name, surplus] = parsed.operands
  if (name === undefined || surplus !== undefined) return fail(usage("delete-addr"))
  const found = locate(context, name)
  if (found === undefined) return fail("ipadm: could not delete address: Object not found")
  found.entry.addresses = found.entry.addresses.filter((object) => object !== found.object)
  return ok()
}

const setState = (state: "ok" | "down", verb: string) => (context: HostContext, parsed: ParsedArguments): Result => {
  const [name] = parsed.operands
  if (name === undefined) return fail(usage(`${verb}-addr`))
  const found = locate(context, name)
  if (found === undefined) return fail(`ipadm: Could not mark the address ${verb}: Object not found`)
  found.object.state = state
  return ok()
}

const needsOutput = (parsed: ParsedArguments, flag: string): Result | undefined =>
  hasFlag(parsed, flag) && lastValue(parsed, "o") === undefined ? fail(`ipadm: -${flag} requires -o`) : undefined

const layout = (parsed: ParsedArguments, fields: ReadonlyArray<string>, defaults: ReadonlyArray<string>, flag = "p") => ({
  program: "ipadm",
  parsable: hasFlag(parsed, flag),
  output: lastValue(parsed, "o"),
  fields,
  defaults,
  allRefused: "output field `all' invalid in parsable mode"
})

const flags = (temporary: boolean): string => (temporary ? "---" : "U--")

const showAddr = (context: HostContext, parsed: ParsedArguments): Result => {
  const missing = needsOutput(parsed, "p")
  if (missing !== undefined) return missing
  const [wanted] = parsed.operands
  const objects = context.host.interfaces.flatMap((entry) => entry.addresses)
  const prefix = wanted === undefined ? "" : wanted.includes("/") ? wanted : `${wanted}/`
  const selected = objects.filter((object) => prefix.endsWith("/") || prefix === "" ? object.name.startsWith(prefix) : object.name === prefix)
  const interfaceOnly = prefix.endsWith("/") && find(context, prefix.slice(0, -1)) !== undefined
  if (wanted !== undefined && selected.length === 0 && !interfaceOnly) return fail("ipadm: Address object not found")
  const fields = ["addrobj", "type", "state", "current", "persistent", "addr"]
  return print(
    layout(parsed, fields, ["addrobj", "type", "state", "addr"]),
    selected.map((object) => ({ addrobj: object.name, type: object.type, state: object.state, current: "U--", persistent: flags(object.temporary), addr: object.address }))
  )
}

const showIf = (context: HostContext, parsed: ParsedArguments): Result => {
  const missing = needsOutput(parsed, "p")
  if (missing !== undefined) return missing
  const [name] = parsed.operands
  const entries = context.host.interfaces.filter((entry) => name === undefined || entry.name === name)
  if (name !== undefined && entries.length === 0) return fail("ipadm: Could not get interface(s): Interface does not exist")
  const fields = ["ifname", "class", "state", "current", "persistent"]
  return print(
    layout(parsed, fields, ["ifname", "class", "state", "current", "persistent"]),
    entries.map((entry) => ({
      ifname: entry.name,
      class: entry.name === "lo0" ? "loopback" : "ip",
      state: entry.addresses.some((object) => object.state === "ok") ? "ok" : "down",
      current: entry.name === "lo0" ? "-m46-v------" : "bm46--------",
      persistent: entry.temporary ? "---" : "46-"
    }))
  )
}

const protocols = new Set(["ip", "ipv4", "ipv6", "tcp", "udp", "sctp", "icmp"])
const defaultsOf: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  ipv4: { forwarding: "off", ttl: "255" },
  ipv6: { forwarding: "off", hoplimit: "255" }
}
const possible: Readonly<Record<string, ReadonlyArray<string>>> = { forwarding: ["on", "off"] }

const assignment = (parsed: ParsedArguments): readonly [string, string] | Result => {
  const match = /^([A-Za-z0-9_-]+?)([+-]?)=(.*)$/.exec(lastValue(parsed, "p") ?? "")
  const [, property, , value] = match ?? []
  if (property === undefined || value === undefined) return fail("ipadm: Invalid property value pair provided")
  if (possible[property]?.includes(value) === false) return fail(`ipadm: could not set property ${property}: Invalid argument provided`)
  return [property, value]
}

const setProp = (context: HostContext, parsed: ParsedArguments): Result => {
  const [protocol, surplus] = parsed.operands
  if (protocol === undefined || surplus !== undefined) return fail(usage("set-prop"))
  if (!protocols.has(protocol)) return fail(`ipadm: Could not set property: Invalid protocol '${protocol}'`)
  const pair = assignment(parsed)
  if ("exitCode" in pair) return pair
  const [property, value] = pair
  if (!(property in (defaultsOf[protocol] ?? {}))) return fail(`ipadm: could not set property ${property}: Unknown property`)
  const { temporaryProperties } = Tables.of(context.host)
  const key = `${protocol}:${property}`
  if (hasFlag(parsed, "t")) temporaryProperties[key] = value
  else {
    delete temporaryProperties[key]
    context.host.protocolProperties[protocol] = { ...context.host.protocolProperties[protocol], [property]: value }
  }
  return ok()
}

const propFields = ["proto", "property", "perm", "current", "persistent", "default", "possible"]

const showProp = (context: HostContext, parsed: ParsedArguments): Result => {
  const missing = needsOutput(parsed, "c")
  if (missing !== undefined) return missing
  const [wanted] = parsed.operands
  if (wanted !== undefined && !protocols.has(wanted)) return fail(`ipadm: invalid protocol '${wanted}' specified`)
  const names = lastValue(parsed, "p")?.split(",")
  const rows = Object.entries(defaultsOf)
    .filter(([protocol]) => wanted === undefined || protocol === wanted)
    .flatMap(([protocol, values]) =>
      Object.entries(values).filter(([name]) => names === undefined || names.includes(name)).map(([property, fallback]) => {
        const stored = context.host.protocolProperties[protocol]?.[property]
        return {
          proto: protocol, property, perm: "rw", current: Tables.of(context.host).temporaryProperties[`${protocol}:${property}`] ?? stored ?? fallback, persistent: stored ?? "", default: fallback, possible: possible[property]?.join(",") ?? ""
        }
      })
    )
  if (names !== undefined && rows.length === 0) return fail(`ipadm: could not get property ${names[0] ?? ""}: Unknown property`)
  return print(layout(parsed, propFields, propFields, "c"), rows)
}

const interfaceOf = (context: HostContext, parsed: ParsedArguments): IpInterface | Result => {
  const [name, surplus] = parsed.operands
  if (name === undefined || surplus !== undefined) return fail(usage("set-ifprop"))
  return find(context, name) ?? fail("ipadm: Interface does not exist")
}

const setIfprop = (context: HostContext, parsed: ParsedArguments): Result => {
  const entry = interfaceOf(context, parsed)
  if ("exitCode" in entry) return entry
  const pair = assignment(parsed)
  if ("exitCode" in pair) return pair
  entry.properties[`${lastValue(parsed, "m") ?? "ip"}:${pair[0]}`] = pair[1]
  return ok()
}

const showIfprop = (context: HostContext, parsed: ParsedArguments): Result => {
  const missing = needsOutput(parsed, "c")
  if (missing !== undefined) return missing
  const entry = interfaceOf(context, parsed)
  if ("exitCode" in entry) return entry
  const protocol = lastValue(parsed, "m") ?? "ipv4"
  const rows = (lastValue(parsed, "p") ?? "forwarding").split(",").map((property) => {
    const value = entry.properties[`${protocol}:${property}`]
    return { ifname: entry.name, property, proto: protocol, perm: "rw", current: value ?? "off", persistent: value ?? "", default: "off", possible: "on,off" }
  })
  const fields = ["ifname", "property", "proto", "perm", "current", "persistent", "default", "possible"]
  return print(layout(parsed, fields, fields, "c"), rows)
}

interface Subcommand {
  readonly spec: string
  readonly run: (context: HostContext, parsed: ParsedArguments) => Result
}

const subcommands: Readonly<Record<string, Subcommand>> = {
  "create-if": { spec: ":t", run: createIf },
  "create-ip": { spec: ":t", run: createIf },
  "delete-if": { spec: "", run: deleteIf },
  "delete-ip": { spec: "", run: deleteIf },
  "show-if": { spec: "po:", run: showIf },
  "create-addr": { spec: ":1T:a:dh:i:p:w:t", run: createAddr },
  "delete-addr": { spec: ":r", run: deleteAddr },
  "show-addr": { spec: "po:", run: showAddr },
  "down-addr": { spec: ":t", run: setState("down", "down") },
  "up-addr": { spec: ":t", run: setState("ok", "up") },
  "set-prop": { spec: ":p:t", run: setProp },
  "show-prop": { spec: ":p:co:", run: showProp },
  "set-ifprop": { spec: ":m:p:t", run: setIfprop },
  "show-ifprop": { spec: ":p:m:co:", run: showIfprop }
}

/** `ipadm <subcommand> …`. @category commands */
export const run: InstantCommand = (context, args) => {
  const [name = "", ...rest] = args
  const subcommand = subcommands[name]
  if (subcommand === undefined) {
    const list = Object.values(synopses).map((synopsis) => `\t${synopsis}`).join("\n")
    return fail(`${name === "" ? "" : `ipadm: unknown subcommand '${name}'\n`}usage:  ipadm <subcommand> <args> ...\n${list}`)
  }
  const parsed = getopt(rest, subcommand.spec, longOptions)
  if (parsed.error === undefined) {
    const done = subcommand.run(context, parsed)
    Routing.prune(context.host)
    return done
  }
  const reason = parsed.error.kind === "unknown" ? `unrecognized option '-${parsed.error.flag}'` : `option '-${parsed.error.flag}' requires a value`
  return fail(`ipadm: ${reason}\n${usage(name)}`)
}
