/** `dladm`: etherstubs, VNICs and physical links. Nothing is created on the real machine. */
import { randomBytes } from "node:crypto"
import type { HostContext, InstantCommand } from "./CommandContext.js"
import * as Faults from "./Faults.js"
import type { Datalink } from "./HostState.js"
import { allValues, getopt, hasFlag, type LongOptions, lastValue, type ParsedArguments } from "./internal/getopt.js"
import { fail, ok, type Result } from "./internal/result.js"
import * as Linkprops from "./Linkprops.js"
import * as OverlayLinks from "./network/OverlayLinks.js"
import * as Tables from "./network/Tables.js"
import { showEtherstub, showLink, showPhys, showVnic } from "./DladmShow.js"

const longOptions: LongOptions = {
  temporary: "t", link: "l", "mac-address": "m", slot: "n", "mac-prefix": "r", vrid: "V", af: "A", vlan: "v", "vlan-id": "v", force: "f",
  prop: "p", "root-dir": "R", parsable: "p", parseable: "p", persistent: "P", output: "o", statistics: "s", interval: "i"
}

const subcommandUsage: Readonly<Record<string, string>> = {
  "create-etherstub": "create-etherstub [-t] <etherstub-link>",
  "delete-etherstub": "delete-etherstub <etherstub-link>",
  "create-vnic": "create-vnic [-t] -l <link> [-m <value> | auto | {factory [-n <slot-id>]} | {random [-r <prefix>]}] [-v <vid> [-f]] [-p <prop>=<value>[,...]] <vnic-link>",
  "delete-vnic": "delete-vnic [-t] <vnic-link>",
  "rename-link": "rename-link <oldlink> <newlink>",
  "show-link": "show-link [-pP] [-o <field>,..] [-s [-i <interval>]] [<link>]",
  "show-vnic": "show-vnic [-pP] [-l <link>] [-s [-i <interval>]] [<link>]",
  "show-etherstub": "show-etherstub [<link>]",
  "show-phys": "show-phys [-m | -H | -P] [[-p] [-o <field>[,...]] [<link>]",
  "set-linkprop": "set-linkprop [-t] -p <prop>=<value>[,...] <name>",
  "reset-linkprop": "reset-linkprop [-t] [-p <prop>,...] <name>",
  "show-linkprop": "show-linkprop [-cP] [-o <field>,...] [-p <prop>,...] <name>",
  "create-vlan": "create-vlan [-ft] -l <link> -v <vid> [link]",
  "delete-vlan": "delete-vlan [-t] <VLAN link>",
  "create-overlay": "create-overlay [-t] -e <encap> -s <search> -v <vnetid> [ -p <prop>=<value>[,...]] <overlay-name>",
  "delete-overlay": "delete-overlay <overlay-name>",
  "show-overlay": "show-overlay [-f | -t] [[-p] -o <field>,...] [ <overlay> ]"
}

const usageList = `usage:  dladm <subcommand> <args> ...\n${Object.values(subcommandUsage).map((line) => `\t${line}`).join("\n")}`

const badOption = (subcommand: string, error: NonNullable<ParsedArguments["error"]>): Result =>
  fail(`dladm: ${error.kind === "unknown" ? `unrecognized option '-${error.flag}'` : `option '-${error.flag}' requires a value`}\nusage: ${subcommandUsage[subcommand] ?? subcommand}`)

const validName = /^[A-Za-z_.][A-Za-z0-9_.]*?(0|[1-9][0-9]*)$/

const nameProblem = (name: string): string | undefined => {
  if (name.length >= 32) return `link name too long '${name}'`
  return validName.test(name) ? undefined : `invalid link name '${name}'`
}

const find = (context: HostContext, name: string): Datalink | undefined => context.host.links.find((link) => link.name === name)

const createEtherstub = (context: HostContext, parsed: ParsedArguments): Result => {
  const [name, surplus] = parsed.operands
  if (name === undefined || surplus !== undefined) return fail(usageList)
  const problem = nameProblem(name)
  if (problem !== undefined) return fail(`dladm: ${problem}`)
  if (find(context, name) !== undefined) return fail("dladm: etherstub creation failed: object already exists")
  context.host.links.push({
    name, class: "etherstub", over: "", mac: "", macType: "", vid: 0, mtu: 9000, temporary: hasFlag(parsed, "t"), zone: "", properties: {}
  })
  return ok()
}

/** Octets as dladm prints them, without leading zeros; `undefined` when the text is no unicast MAC address. */
const macAddress = (text: string): string | undefined => {
  const octets = text.split(":")
  if (octets.length !== 6 || !octets.every((octet) => /^[0-9a-f]{1,2}$/i.test(octet))) return undefined
  const numbers = octets.map((octet) => Number.parseInt(octet, 16))
  return ((numbers[0] ?? 1) & 1) === 1 || numbers.every((octet) => octet === 0) ? undefined : numbers.map((octet) => octet.toString(16)).join(":")
}

const randomMac = (): string => `2:8:20:${[...randomBytes(3)].map((octet) => octet.toString(16)).join(":")}`

const createVnic = (context: HostContext, parsed: ParsedArguments): Result => {
  const { host } = context
  const [name, surplus] = parsed.operands
  const lower = lastValue(parsed, "l")
  if (name === undefined || surplus !== undefined || lower === undefined) return fail(usageList)
  const over = find(context, lower)
  if (over === undefined) return fail(`dladm: invalid link name '${lower}'`)
  const problem = nameProblem(name)
  if (problem !== undefined) return fail(`dladm: ${problem}`)
  const vlan = lastValue(parsed, "v")
  if (vlan !== undefined && !(/^\d+$/.test(vlan) && Number(vlan) >= 1 && Number(vlan) <= 4094)) return fail(`dladm: invalid VLAN identifier '${vlan}'`)
  const wanted = lastValue(parsed, "m") ?? "auto"
  const fixed = !["auto", "random", "factory", "vrrp"].includes(wanted)
  const mac = fixed ? macAddress(wanted) : randomMac()
  if (mac === undefined) return fail("dladm: invalid MAC address")
  const failed = (text: string) => fail(`dladm: vnic creation over ${lower} failed: ${text}`)
  if (find(context, name) !== undefined) return failed("object already exists")
  const temporary = hasFlag(parsed, "t")
  if (over.temporary && !temporary) return failed("can't create persistent object on top of temporary object")
  if (over.class === "vnic") return failed("operation not supported")
  if (host.links.some((link) => link.mac === mac && (link.over === over.name || link === over))) return failed("MAC address is already in use")
  const link: Datalink = { name, class: "vnic", over: over.name, mac, macType: fixed ? "fixed" : "random", vid: Number(vlan ?? 0), mtu: over.mtu, temporary, zone: "", properties: {} }
  for (const list of allValues(parsed, "p")) {
    const assignments = Linkprops.parse(list)
    if (assignments === undefined) return fail("dladm: invalid vnic property")
    for (const [property, value] of assignments) {
      if (property === "mtu" && Number(value) > over.mtu) return failed("MTU check failed, MTU outside of device's supported range")
      const refused = Linkprops.assign(link, property, value)
      if (refused !== undefined) return fail(`dladm: ${refused.warning}\ndladm: vnic creation over ${lower} failed: ${refused.text}`)
    }
  }
  host.links.push(link)
  return ok()
}

const isBusy = (context: HostContext, link: Datalink): boolean =>
  link.zone !== ""
  || context.host.interfaces.some((entry) => entry.name === link.name)
  || context.host.links.some((other) => other.over === link.name)
  || Faults.consume(context.host, "linkBusy", (fault) => fault.link === link.name) !== undefined

const remove = (kind: "vnic" | "etherstub") => (context: HostContext, parsed: ParsedArguments): Result => {
  const [name, surplus] = parsed.operands
  if (name === undefined || surplus !== undefined) return fail(usageList)
  const link = find(context, name)
  if (link === undefined) return fail(`dladm: invalid link name '${name}'`)
  if (link.class !== kind) return fail(`dladm: '${name}' is not ${kind === "vnic" ? "a vnic" : "an etherstub"}`)
  if (Tables.of(context.host).flows.some((flow) => flow.link === name)) return fail("dladm: vnic deletion failed: link still has flows")
  if (isBusy(context, link)) return fail("dladm: vnic deletion failed: link busy")
  context.host.links = context.host.links.filter((other) => other !== link)
  return ok()
}

const rename = (context: HostContext, parsed: ParsedArguments): Result => {
  const [from, to, surplus] = parsed.operands
  if (from === undefined || to === undefined || surplus !== undefined) return fail(usageList)
  const link = find(context, from)
  if (link === undefined) return fail(`dladm: invalid link name '${from}'`)
  const problem = nameProblem(to)
  if (problem !== undefined) return fail(`dladm: ${problem}`)
  if (find(context, to) !== undefined) return fail("dladm: rename operation failed: object already exists")
  if (link.zone !== "" || context.host.interfaces.some((entry) => entry.name === from)) return fail("dladm: rename operation failed: link busy")
  for (const other of context.host.links) if (other.over === from) other.over = to
  link.name = to
  return ok()
}

type Handler = (context: HostContext, parsed: ParsedArguments) => Result

const subcommands: Readonly<Record<string, { readonly spec: string; readonly run: Handler }>> = {
  "create-etherstub": { spec: "tR:", run: createEtherstub },
  "delete-etherstub": { spec: ":R:t", run: remove("etherstub") },
  "show-etherstub": { spec: ":pPl:si:o:", run: showEtherstub },
  "create-vnic": { spec: ":tfR:l:m:n:p:r:v:V:A:H", run: createVnic },
  "delete-vnic": { spec: ":R:t", run: remove("vnic") },
  "show-vnic": { spec: ":pPl:si:o:", run: showVnic },
  "show-link": { spec: ":pPsi:o:", run: showLink },
  "show-phys": { spec: ":pPo:mH", run: showPhys },
  "set-linkprop": { spec: ":p:R:t", run: Linkprops.set },
  "reset-linkprop": { spec: ":p:R:t", run: Linkprops.reset },
  "show-linkprop": { spec: ":p:cPo:", run: Linkprops.show },
  "rename-link": { spec: ":R:", run: rename },
  "create-vlan": { spec: ":tfR:l:v:p:", run: OverlayLinks.createVlan },
  "delete-vlan": { spec: ":R:t", run: OverlayLinks.removeVlan },
  "create-overlay": { spec: ":te:v:p:s:", run: OverlayLinks.create },
  "delete-overlay": { spec: ":t", run: OverlayLinks.removeOverlay },
  "show-overlay": { spec: ":fto:p", run: OverlayLinks.show }
}

/** `dladm <subcommand> …`; without arguments it shows the links. @category commands */
export const run: InstantCommand = (context, args) => {
  const [name, ...rest] = args.length === 0 ? ["show-link"] : args
  const subcommand = name === undefined ? undefined : subcommands[name]
  if (name === undefined || subcommand === undefined) return fail(`dladm: unknown subcommand '${name ?? ""}'\n${usageList}`)
  const parsed = getopt(rest, subcommand.spec, longOptions)
  return parsed.error === undefined ? subcommand.run(context, parsed) : badOption(name, parsed.error)
}
