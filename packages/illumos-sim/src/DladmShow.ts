/** `dladm show-link`, `show-vnic`, `show-etherstub` and `show-phys`. */
import type { HostContext } from "./CommandContext.js"
import type { Datalink } from "./HostState.js"
import { hasFlag, lastValue, type ParsedArguments } from "./internal/getopt.js"
import { print, type Row } from "./internal/ofmt.js"
import { fail, type Result } from "./internal/result.js"

type Show = (context: HostContext, parsed: ParsedArguments) => Result

const row = (link: Datalink): Row => ({
  link: link.name,
  class: link.class,
  mtu: String(link.mtu),
  state: link.class === "etherstub" ? "unknown" : "up",
  bridge: "",
  over: link.over,
  speed: link.class === "phys" ? "1000" : "0",
  macaddress: link.mac,
  macaddrtype: link.macType,
  vid: String(link.vid),
  media: "Ethernet",
  duplex: "full",
  device: link.class === "phys" ? link.name.replace("net", "e1000g") : "",
  flags: "",
  slot: "primary",
  address: link.mac,
  inuse: "yes",
  client: link.name,
  ipackets: "0",
  rbytes: "0",
  ierrors: "0",
  opackets: "0",
  obytes: "0",
  oerrors: "0"
})

const persistent = (links: ReadonlyArray<Datalink>, parsed: ParsedArguments): ReadonlyArray<Datalink> =>
  hasFlag(parsed, "P") ? links.filter((link) => !link.temporary) : links

/** `dladm show-link`. @category commands */
export const showLink: Show = (context, parsed) => {
  const [name] = parsed.operands
  const output = lastValue(parsed, "o")
  if (hasFlag(parsed, "p") && output === undefined) return fail("dladm: -p requires -o")
  const links = persistent(context.host.links, parsed).filter((link) => name === undefined || link.name === name)
  if (name !== undefined && links.length === 0) return fail(`dladm: link ${name} is not valid: object not found`)
  const counters = ["link", "ipackets", "rbytes", "ierrors", "opackets", "obytes", "oerrors"]
  const plain = hasFlag(parsed, "P") ? ["link", "class", "bridge", "over"] : ["link", "class", "mtu", "state", "bridge", "over"]
  const fields = hasFlag(parsed, "s") ? counters : plain
  return print({ program: "dladm", parsable: hasFlag(parsed, "p"), output, fields, defaults: fields, allRefused: "\"-o all\" is invalid with -p" }, links.map(row))
}

const required = (parsed: ParsedArguments): Result | undefined =>
  hasFlag(parsed, "p") && lastValue(parsed, "o") === undefined ? fail("dladm: output fields must be specified in parsable mode") : undefined

const allRefused = "output field `all' invalid in parsable mode"

/** `dladm show-vnic`. @category commands */
export const showVnic: Show = (context, parsed) => {
  const missing = required(parsed)
  if (missing !== undefined) return missing
  const [name] = parsed.operands
  const lower = lastValue(parsed, "l")
  const links = persistent(context.host.links, parsed).filter((link) =>
    link.class === "vnic" && (name === undefined || link.name === name) && (lower === undefined || link.over === lower)
  )
  if (name !== undefined && links.length === 0) return fail(`dladm: invalid vnic name '${name}': object not found`)
  const fields = ["link", "over", "speed", "macaddress", "macaddrtype", "vid"]
  return print({ program: "dladm", parsable: hasFlag(parsed, "p"), output: lastValue(parsed, "o"), fields, defaults: fields, allRefused }, links.map(row))
}

/** `dladm show-etherstub`. @category commands */
export const showEtherstub: Show = (context, parsed) => {
  if (hasFlag(parsed, "l")) return fail("dladm: option not supported for this command")
  const [name] = parsed.operands
  const links = persistent(context.host.links, parsed).filter((link) => link.class === "etherstub" && (name === undefined || link.name === name))
  if (name !== undefined && links.length === 0) return fail(`dladm: invalid etherstub name '${name}': object not found`)
  return print({ program: "dladm", parsable: hasFlag(parsed, "p"), output: lastValue(parsed, "o"), fields: ["link"], defaults: ["link"], allRefused }, links.map(row))
}

/** `dladm show-phys`. @category commands */
export const showPhys: Show = (context, parsed) => {
  const missing = required(parsed)
  if (missing !== undefined) return missing
  const [name] = parsed.operands
  const links = context.host.links.filter((link) => link.class === "phys" && (name === undefined || link.name === name))
  if (name !== undefined && links.length === 0) return fail(`dladm: link ${name} is not valid: object not found`)
  const addresses = hasFlag(parsed, "m")
  const fields = addresses ? ["link", "slot", "address", "inuse", "client"] : ["link", "media", "state", "speed", "duplex", "device", "flags"]
  const defaults = addresses ? fields : fields.slice(0, 6)
  return print({ program: "dladm", parsable: hasFlag(parsed, "p"), output: lastValue(parsed, "o"), fields, defaults, allRefused }, links.map(row))
}
