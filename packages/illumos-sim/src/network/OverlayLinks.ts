/** `dladm create-overlay`, `delete-overlay`, `show-overlay`, `create-vlan`, `delete-vlan`. */
import { isIP } from "node:net"
import * as fs from "node:fs"
import type { HostContext } from "../CommandContext.js"
import type { Datalink } from "../HostState.js"
import { allValues, hasFlag, lastValue, type ParsedArguments } from "../internal/getopt.js"
import { print, type Row } from "../internal/ofmt.js"
import { fail, ok, type Result } from "../internal/result.js"
import * as Linkprops from "../Linkprops.js"

type Handler = (context: HostContext, parsed: ParsedArguments) => Result

const nameProblem = (name: string): string | undefined =>
  name.length >= 32
    ? `link name too long '${name}'`
    : /^[A-Za-z_.][A-Za-z0-9_.]*?(0|[1-9][0-9]*)$/.test(name) ? undefined : `invalid link name '${name}'`

interface Property {
  readonly fallback: string
  readonly permission: "rw" | "r-"
  readonly required: boolean
  readonly possible: string
  readonly accepts: (value: string, context: HostContext) => boolean
}

const isPort = (value: string): boolean => /^\d+$/.test(value) && Number(value) >= 1 && Number(value) <= 65_535
const address: Property = { fallback: "", permission: "rw", required: true, possible: "", accepts: (value) => isIP(value) !== 0 }
const portNumber: Property = { fallback: "4789", permission: "rw", required: true, possible: "1-65535", accepts: isPort }

/** varpd reads the file when the overlay is made. */
const readable = (value: string, context: HostContext): boolean => {
  if (!value.startsWith("/")) return false
  const real = context.files.real(value)
  try {
    const parsed: unknown = JSON.parse(fs.readFileSync(real, "utf8"))
    return typeof parsed === "object" && parsed !== null && Object.keys(parsed).every((mac) => /^([0-9a-f]{1,2}:){5}[0-9a-f]{1,2}$/i.test(mac))
  } catch {
    return false
  }
}

const searches: Readonly<Record<string, Readonly<Record<string, Property>>>> = {
  direct: { "direct/dest_ip": address, "direct/dest_port": { ...portNumber, fallback: "" } },
  files: { "files/config": { fallback: "", permission: "rw", required: true, possible: "", accepts: readable } },
  svp: {
    "svp/host": { fallback: "", permission: "rw", required: true, possible: "", accepts: (value) => value !== "" },
    "svp/port": { ...portNumber, fallback: "1296" },
    "svp/underlay_ip": address,
    "svp/underlay_port": { ...portNumber, fallback: "" }
  }
}

const propertiesOf = (search: string): Readonly<Record<string, Property>> => ({
  mtu: { fallback: "1400", permission: "rw", required: false, possible: "576-8900", accepts: (value) => /^\d+$/.test(value) && Number(value) >= 576 && Number(value) <= 8900 },
  "vxlan/listen_ip": address,
  "vxlan/listen_port": portNumber,
  ...searches[search]
})

/** `dladm create-overlay`. @category commands */
export const create: Handler = (context, parsed) => {
  const { host } = context
  const [name, surplus] = parsed.operands
  const encapsulation = lastValue(parsed, "e")
  const search = lastValue(parsed, "s")
  const id = lastValue(parsed, "v")
  if (name === undefined || surplus !== undefined) return fail("dladm: missing overlay name")
  const problem = nameProblem(name)
  if (problem !== undefined) return fail(`dladm: ${problem}`)
  if (id === undefined) return fail("dladm: missing required virtual network id")
  if (encapsulation === undefined) return fail("dladm: missing required encapsulation plugin")
  if (search === undefined) return fail("dladm: missing required search plugin")
  if (!/^\d+$/.test(id)) return fail(`dladm: couldn't parse virtual network id: ${id}`)
  const failed = (text: string) => fail(`dladm: overlay creation failed: ${text}`)
  if (encapsulation !== "vxlan") return failed("invalid encapsulation protocol")
  if (Number(id) > 0xffffff || searches[search] === undefined) return failed("invalid argument")
  if (host.links.some((link) => link.name === name)) return failed("object already exists")
  const definitions = propertiesOf(search)
  const values: Record<string, string> = {}
  for (const list of allValues(parsed, "p")) {
    const assignments = Linkprops.parse(list)
    if (assignments === undefined) return fail("dladm: invalid overlay property")
    for (const [property, value] of assignments) {
      const definition = definitions[property]
      if (definition === undefined) return fail(`dladm: invalid property '${property}'`)
      if (!definition.accepts(value, context)) return failed(`invalid value for property '${property}'`)
      values[property] = value
    }
  }
  const missing = Object.entries(definitions).find(([property, { fallback, required }]) => required && fallback === "" && values[property] === undefined)
  if (missing !== undefined) return failed(`missing required property '${missing[0]}'`)
  for (const [property, { fallback }] of Object.entries(definitions)) values[property] ??= fallback
  const socket = (link: Datalink | undefined, given: Readonly<Record<string, string>>) => `${given["vxlan/listen_ip"] ?? ""} ${given["vxlan/listen_port"] ?? ""} ${link?.properties["vnetid"] ?? id}`
  if (host.links.some((link) => link.class === "overlay" && socket(link, link.properties) === socket(undefined, values))) return failed("object already exists")
  const { mtu = "1400", ...rest } = values
  host.links.push({
    name, class: "overlay", over: "", mac: "", macType: "", vid: 0, mtu: Number(mtu), temporary: hasFlag(parsed, "t"), zone: "",
    properties: { ...rest, vnetid: id, encap: encapsulation, search, "varpd/id": String(host.links.filter((link) => link.class === "overlay").length + 1) }
  })
  return ok()
}

const inUse = ({ host }: HostContext, link: Datalink): boolean =>
  link.zone !== "" || host.interfaces.some((entry) => entry.name === link.name) || host.links.some((other) => other.over === link.name)

const remove = (linkClass: "overlay" | "vlan", what: string): Handler => (context, parsed) => {
  const [name, surplus] = parsed.operands
  if (name === undefined || surplus !== undefined) return fail(`usage:  dladm <subcommand> <args> ...\n\tdelete-${linkClass} [-t] <${linkClass}>`)
  const link = context.host.links.find((candidate) => candidate.name === name)
  if (link === undefined) return fail(`dladm: invalid link name '${name}'`)
  if (link.class !== linkClass) return fail(`dladm: '${name}' is not ${what}`)
  if (inUse(context, link)) return fail(`dladm: failed to delete ${linkClass}: link busy`)
  context.host.links = context.host.links.filter((other) => other !== link)
  return ok()
}

/** `dladm delete-overlay`. @category commands */
export const removeOverlay = remove("overlay", "an overlay")

/** `dladm delete-vlan`. @category commands */
export const removeVlan = remove("vlan", "a vlan")

/** `dladm show-overlay`. @category commands */
export const show: Handler = (context, parsed) => {
  const [name, surplus] = parsed.operands
  if (surplus !== undefined) return fail("usage:  dladm <subcommand> <args> ...\n\tshow-overlay [-f | -t] [[-p] -o <field>,...] [<overlay>]")
  if (hasFlag(parsed, "f") && hasFlag(parsed, "t")) return fail("dladm: the -f and -t options are mutually exclusive")
  if (hasFlag(parsed, "p") && lastValue(parsed, "o") === undefined) return fail("dladm: output fields must be specified in parsable mode")
  const found = context.host.links.filter((link) => name === undefined || link.name === name)
  if (name !== undefined && found.length === 0) return fail(`dladm: invalid link name '${name}'`)
  if (name !== undefined && found[0]?.class !== "overlay") return fail(`dladm: '${name}' is not an overlay`)
  const overlays = found.filter((link) => link.class === "overlay")
  const status = hasFlag(parsed, "f")
  const rows = overlays.flatMap((link): ReadonlyArray<Row> => {
    if (status) return [{ link: link.name, status: "ONLINE", details: "-" }]
    const definitions = propertiesOf(link.properties["search"] ?? "")
    const plain = (property: string, permission: string, value: string, possible = ""): Row => ({ link: link.name, property, perm: permission, req: "-", value, default: "", possible })
    const row = (property: string): Row => {
      const definition = definitions[property]
      return {
        link: link.name, property, perm: definition?.permission ?? "rw", req: definition?.required === true ? "y" : "-",
        value: link.properties[property] ?? "", default: definition?.fallback ?? "", possible: definition?.possible ?? ""
      }
    }
    const own = Object.keys(definitions).filter((property) => property !== "mtu" && !property.startsWith("vxlan/"))
    return [
      { ...row("mtu"), value: String(link.mtu) },
      plain("vnetid", "rw", link.properties["vnetid"] ?? ""),
      plain("encap", "r-", link.properties["encap"] ?? "", "vxlan"),
      plain("varpd/id", "r-", link.properties["varpd/id"] ?? ""),
      row("vxlan/listen_ip"),
      row("vxlan/listen_port"),
      plain("search", "r-", link.properties["search"] ?? "", "direct,files,svp"),
      ...own.map(row)
    ]
  })
  const fields = status ? ["link", "status", "details"] : ["link", "property", "perm", "req", "value", "default", "possible"]
  return print({ program: "dladm", parsable: hasFlag(parsed, "p"), output: lastValue(parsed, "o"), fields, defaults: fields, allRefused: "output field `all' invalid in parsable mode" }, rows)
}

/** `dladm create-vlan`. @category commands */
export const createVlan: Handler = (context, parsed) => {
  const { host } = context
  const lower = lastValue(parsed, "l")
  const vlan = lastValue(parsed, "v")
  const [given, surplus] = parsed.operands
  if (lower === undefined || vlan === undefined || surplus !== undefined) return fail("usage:  dladm <subcommand> <args> ...\n\tcreate-vlan [-ft] -l <link> -v <vid> [link]")
  const over = host.links.find((link) => link.name === lower)
  if (over === undefined) return fail(`dladm: invalid link name '${lower}'`)
  if (!(/^\d+$/.test(vlan) && Number(vlan) >= 1 && Number(vlan) <= 4094)) return fail(`dladm: invalid VLAN identifier '${vlan}'`)
  const [, stem = "", instance = ""] = /^(.*?)(\d+)$/.exec(lower) ?? []
  const name = given ?? `${stem}${Number(vlan) * 1000 + Number(instance)}`
  const problem = nameProblem(name)
  if (problem !== undefined) return fail(`dladm: ${problem}`)
  const failed = (text: string) => fail(`dladm: create operation over ${lower} failed: ${text}`)
  const temporary = hasFlag(parsed, "t")
  if (host.links.some((link) => link.name === name || (link.class === "vlan" && link.over === lower && link.vid === Number(vlan)))) return failed("object already exists")
  if (over.temporary && !temporary) return failed("can't create persistent object on top of temporary object")
  if (over.class !== "phys" && over.class !== "etherstub") return failed("operation not supported")
  host.links.push({ name, class: "vlan", over: lower, mac: over.mac, macType: "", vid: Number(vlan), mtu: over.mtu, temporary, zone: "", properties: {} })
  return ok()
}
