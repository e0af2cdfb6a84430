/** `flowadm`: flows of the emulated links. No traffic is limited. */
import type { HostContext, InstantCommand } from "../CommandContext.js"
import { allValues, getopt, hasFlag, type LongOptions, lastValue, type ParsedArguments } from "../internal/getopt.js"
import * as inet from "../internal/inet.js"
import { print } from "../internal/ofmt.js"
import { fail, ok, type Result } from "../internal/result.js"
import * as Linkprops from "../Linkprops.js"
import * as Tables from "./Tables.js"

const usage = [
  "usage: flowadm <subcommand> <args>...",
  "    add-flow       [-t] -l <link> -a <attr>=<value>[,...]",
  "\t\t   [-p <prop>=<value>,...] <flow>",
  "    remove-flow    [-t] {-l <link> | <flow>}",
  "    show-flow      [-p] [-s [-i <interval>]] [-l <link>] [<flow>]",
  "",
  "    set-flowprop   [-t] -p <prop>=<value>[,...] <flow>",
  "    reset-flowprop [-t] [-p <prop>,...] <flow>",
  "    show-flowprop  [-cP] [-l <link>] [-p <prop>,...] [<flow>]"
].join("\n")

const longOptions: LongOptions = { temporary: "t", "root-dir": "R", link: "l", attr: "a", prop: "p", parsable: "p", parseable: "p", output: "o", statistics: "s", interval: "i" }

const attributeNames = new Set(["local_ip", "remote_ip", "transport", "local_port", "remote_port", "dsfield"])
const transports = new Set(["tcp", "udp", "sctp", "icmp", "icmpv6"])

const isAttribute = (name: string, value: string): boolean => {
  if (name === "local_ip" || name === "remote_ip") return inet.parse(value) !== undefined
  if (name === "transport") return transports.has(value)
  if (name === "dsfield") return /^(0x)?[0-9a-f]{1,2}(:(0x)?[0-9a-f]{1,2})?$/i.test(value)
  return /^\d+$/.test(value) && Number(value) >= 1 && Number(value) <= 65_535
}

/** One address, or a transport with at most one port, or a DS field: flows of other kinds do not fit together. */
const isCombination = (attributes: Readonly<Record<string, string>>): boolean => {
  const names = Object.keys(attributes).sort().join(" ")
  return ["local_ip", "remote_ip", "transport", "local_port transport", "remote_port transport", "dsfield"].includes(names)
}

const known = ({ host }: HostContext, name: string): boolean => host.links.some((link) => link.name === name)

const kindOf = (attributes: Readonly<Record<string, string>>): string => Object.keys(attributes).sort().join(" ")

const refusedProperty = (property: string, value: string): string | undefined => {
  if (property === "priority") return ["low", "medium", "high"].includes(value) ? undefined : "invalid value"
  if (property !== "maxbw") return "invalid property"
  const kilobits = Linkprops.bandwidth(value)
  return kilobits === undefined ? "invalid value" : kilobits !== 0 && kilobits < 1200 ? "minimum value for maxbw is 1200K" : undefined
}

const add = (context: HostContext, parsed: ParsedArguments): Result => {
  const tables = Tables.of(context.host)
  const link = lastValue(parsed, "l")
  if (link !== undefined && !known(context, link)) return fail(`flowadm: invalid link '${link}'`)
  const attributes = Object.fromEntries(allValues(parsed, "a").flatMap((list) => Linkprops.parse(list) ?? [["", ""]]))
  if (Object.entries(attributes).some(([name, value]) => !attributeNames.has(name) || !isAttribute(name, value))) return fail("flowadm: invalid flow attribute specified")
  const properties = Object.fromEntries(allValues(parsed, "p").flatMap((list) => Linkprops.parse(list) ?? [["", ""]]))
  if (Object.keys(properties).some((name) => name !== "maxbw" && name !== "priority")) return fail("flowadm: invalid flow property specified")
  if (link === undefined) return fail("flowadm: link is required")
  const [name, surplus] = parsed.operands
  if (name === undefined || surplus !== undefined || attributeNames.has(name)) return fail("flowadm: flow name is required")
  if (name.length >= 128) return fail("flowadm: flow name too long")
  const failed = (text: string) => fail(`flowadm: add flow failed: ${text}`)
  if (!isCombination(attributes)) return failed("invalid argument")
  const refused = Object.entries(properties).map(([property, value]) => refusedProperty(property, value)).find((text) => text !== undefined)
  if (refused !== undefined) return failed(refused)
  const others = tables.flows.filter((flow) => flow.link === link)
  if (tables.flows.some((flow) => flow.name === name)) return failed("object already exists")
  // All flows of a link are told apart by the same attributes.
  if (others.some((flow) => kindOf(flow.attributes) !== kindOf(attributes))) return failed("incompatible flow")
  if (others.some((flow) => JSON.stringify(flow.attributes) === JSON.stringify(attributes))) return failed("object already exists")
  tables.flows.push({ name, link, attributes, properties, temporary: hasFlag(parsed, "t") })
  return ok()
}

const remove = (context: HostContext, parsed: ParsedArguments): Result => {
  const tables = Tables.of(context.host)
  const link = lastValue(parsed, "l")
  const [name, surplus] = parsed.operands
  if (link !== undefined) {
    if (!known(context, link)) return fail(`flowadm: invalid link '${link}'`)
    if (name !== undefined) return fail(usage)
    tables.flows = tables.flows.filter((flow) => flow.link !== link)
    return ok()
  }
  if (name === undefined || surplus !== undefined) return fail(usage)
  if (!tables.flows.some((flow) => flow.name === name)) return fail("flowadm: remove flow failed: object not found")
  tables.flows = tables.flows.filter((flow) => flow.name !== name)
  return ok()
}

const show = (context: HostContext, parsed: ParsedArguments): Result => {
  const link = lastValue(parsed, "l")
  const [name] = parsed.operands
  if (link !== undefined && !known(context, link)) return fail(`flowadm: invalid link '${link}'`)
  const flows = Tables.of(context.host).flows.filter((flow) => (link === undefined || flow.link === link) && (name === undefined || flow.name === name))
  if (name !== undefined && flows.length === 0) return fail(`flowadm: invalid flow: '${name}'`)
  const fields = ["flow", "link", "ipaddr", "proto", "lport", "rport", "dsfld"]
  return print(
    { program: "flowadm", parsable: hasFlag(parsed, "p"), output: lastValue(parsed, "o"), fields, defaults: fields, allRefused: "output field `all' invalid in parsable mode" },
    flows.map(({ attributes, link: over, name: flow }) => ({
      flow,
      link: over,
      ipaddr: attributes["local_ip"] === undefined ? attributes["remote_ip"] === undefined ? "" : `RMT:${attributes["remote_ip"]}` : `LCL:${attributes["local_ip"]}`,
      proto: attributes["transport"] ?? "",
      lport: attributes["local_port"] ?? "",
      rport: attributes["remote_port"] ?? "",
      dsfld: attributes["dsfield"] ?? ""
    }))
  )
}

const flowNamed = (context: HostContext, parsed: ParsedArguments): Tables.Flow | Result => {
  const [name, surplus] = parsed.operands
  if (name === undefined || surplus !== undefined) return fail(usage)
  return Tables.of(context.host).flows.find((flow) => flow.name === name) ?? fail(`flowadm: invalid flow: '${name}'`)
}

const setProperty = (context: HostContext, parsed: ParsedArguments): Result => {
  const flow = flowNamed(context, parsed)
  if ("exitCode" in flow) return flow
  const assignments = allValues(parsed, "p").flatMap((list) => Linkprops.parse(list) ?? [["", ""] as const])
  if (assignments.length === 0) return fail("flowadm: flow property must be specified")
  for (const [property, value] of assignments) {
    const refused = refusedProperty(property, value)
    if (refused !== undefined) return fail(`flowadm: warning: cannot set flow property '${property}' on '${flow.name}': ${refused}`)
    flow.properties[property] = value
  }
  return ok()
}

const resetProperty = (context: HostContext, parsed: ParsedArguments): Result => {
  const flow = flowNamed(context, parsed)
  if ("exitCode" in flow) return flow
  const names = allValues(parsed, "p").flatMap((list) => list.split(","))
  for (const name of names.length === 0 ? Object.keys(flow.properties) : names) delete flow.properties[name]
  return ok()
}

const showProperty = (context: HostContext, parsed: ParsedArguments): Result => {
  const [name] = parsed.operands
  const link = lastValue(parsed, "l")
  const flows = Tables.of(context.host).flows.filter((flow) => (name === undefined || flow.name === name) && (link === undefined || flow.link === link))
  if (name !== undefined && flows.length === 0) return fail(`flowadm: invalid flow: '${name}'`)
  const wanted = allValues(parsed, "p").flatMap((list) => list.split(","))
  const fields = ["flow", "property", "value", "default", "possible"]
  return print(
    { program: "flowadm", parsable: hasFlag(parsed, "c"), output: lastValue(parsed, "o"), fields, defaults: fields, allRefused: "output field `all' invalid in parsable mode" },
    flows.flatMap((flow) =>
      (wanted.length === 0 ? ["maxbw", "priority"] : wanted).map((property) => ({
        flow: flow.name, property, value: flow.properties[property] ?? "", default: "", possible: property === "priority" ? "low,medium,high" : ""
      }))
    )
  )
}

type Handler = (context: HostContext, parsed: ParsedArguments) => Result

const subcommands: Readonly<Record<string, { readonly spec: string; readonly run: Handler }>> = {
  "add-flow": { spec: "tR:l:a:p:", run: add },
  "remove-flow": { spec: ":tR:l:", run: remove },
  "show-flow": { spec: ":pPl:sSi:o:", run: show },
  "set-flowprop": { spec: ":p:R:t", run: setProperty },
  "reset-flowprop": { spec: ":p:R:t", run: resetProperty },
  "show-flowprop": { spec: ":cPl:o:p:", run: showProperty }
}

/** `flowadm <subcommand> …`. @category commands */
export const run: InstantCommand = (context, args) => {
  const [name, ...rest] = args
  if (name === undefined) return fail(usage)
  const subcommand = subcommands[name]
  if (subcommand === undefined) return fail(`flowadm: unknown subcommand '${name}'\n${usage}`)
  const parsed = getopt(rest, subcommand.spec, longOptions)
  if (parsed.error === undefined) return subcommand.run(context, parsed)
  return fail(`flowadm: ${parsed.error.kind === "unknown" ? `unrecognized option '-${parsed.error.flag}'` : `option '-${parsed.error.flag}' requires a value`}`)
}
