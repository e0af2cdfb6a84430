/** `ipnat`: rules of address translation of the emulated global zone. Nothing is translated. */
import type { HostContext, InstantCommand } from "../CommandContext.js"
import { getopt, hasFlag, lastValue } from "../internal/getopt.js"
import { fail, ok, result, type Result } from "../internal/result.js"
import * as RuleFile from "./RuleFile.js"
import * as Lines from "./RuleLines.js"
import * as Tables from "./Tables.js"

const usage = "Usage: ipnat [-CdFhlnrRsv] [-G|-z zone] [-f filename]"

const withPorts = new Set(["tcp", "udp", "tcp/udp"])

const portMap = (words: Lines.Words): string => {
  const protocol = words.next()
  if (protocol === undefined || !withPorts.has(protocol)) throw Lines.syntaxError(protocol)
  const range = words.next()
  if (range === "auto") return ` portmap ${protocol} auto`
  const [first, last, more] = (range ?? "").split(":")
  if (last === undefined || more !== undefined) throw Lines.syntaxError(range)
  return ` portmap ${protocol} ${Lines.port(first)}:${Lines.port(last)}`
}

const mapRule = (type: string, words: Lines.Words): string => {
  const link = Lines.link(words.next())
  let condition: string
  if (words.accept("from")) {
    if (type !== "map") throw Lines.syntaxError("from")
    const from = Lines.network(words.next())
    const not = words.accept("!") ? "! " : ""
    words.expect("to")
    condition = `from ${from} ${not}to ${Lines.network(words.next())}`
  } else condition = Lines.network(words.next())
  words.expect("->")
  let rule = `${type} ${link} ${condition} -> ${Lines.network(words.next())}`
  if (type === "map-block") {
    words.expect("ports")
    const ports = words.next()
    if (ports !== "auto" && !/^\d+$/.test(ports ?? "")) throw Lines.syntaxError(ports)
    rule += ` ports ${ports ?? ""}`
  } else if (type === "map" && words.accept("portmap")) rule += portMap(words)
  if (words.peek() !== undefined) throw Lines.syntaxError(words.peek())
  return rule
}

const matchPort = (words: Lines.Words, single: boolean): string => {
  if (!words.accept("port")) return ""
  if (single) {
    words.expect("=")
    return ` port = ${Lines.port(words.next())}`
  }
  const [first, last, more] = (words.next() ?? "").split("-")
  if (more !== undefined) throw Lines.syntaxError(more)
  return ` port ${Lines.port(first)}${last === undefined ? "" : `-${Lines.port(last)}`}`
}

const protocols = new Set(["tcp", "udp", "tcp/udp", "ip"])

const redirectOptions = (words: Lines.Words): string => {
  let text = ""
  for (let word = words.next(); word !== undefined; word = words.next()) {
    if (word === "round-robin" || word === "sticky") text += ` ${word}`
    else if (word === "age" || word === "mssclamp") text += ` ${word} ${words.next() ?? ""}`
    else if (protocols.has(word)) throw new Lines.Unreadable("protocol set twice", "")
    else throw Lines.syntaxError(word)
  }
  return text
}

const redirectRule = (words: Lines.Words): string => {
  const link = Lines.link(words.next())
  const filtered = words.accept("from")
  let condition: string
  if (filtered) {
    const from = Lines.network(words.next())
    words.expect("to")
    condition = `from ${from} to ${Lines.network(words.next())}`
  } else condition = Lines.network(words.next())
  const port = matchPort(words, filtered)
  words.expect("->")
  const targets = [Lines.address(words.next())]
  if (words.accept(",")) targets.push(Lines.address(words.next()))
  // There is room for two targets and no more; and a port that is matched must be given a target.
  if (words.peek() === ",") throw Lines.syntaxError(",")
  if (port !== "" && words.peek() !== "port") throw Lines.syntaxError(words.peek())
  let target = words.accept("port") ? ` port ${Lines.port(words.next())}` : ""
  const given = words.peek()
  const number = given !== undefined && /^\d+$/.test(given) && Number(given) <= 255
  const named = given !== undefined && (protocols.has(given) || given === "sctp" || number)
  if (named) words.next()
  const protocol = named ? given : port === "" ? "ip" : "tcp"
  const keeps = withPorts.has(protocol)
  if (!keeps) target = ""
  return `rdr ${link} ${condition}${keeps ? port : ""} -> ${targets.join(",")}${target} ${protocol}${redirectOptions(words)}`
}

/** A rule in canonical form. Throws what `RuleLines` can complain about. */
const rule = (all: ReadonlyArray<string>): string => {
  const words = Lines.words(all)
  const type = words.next()
  if (type === "rdr") return redirectRule(words)
  if (type === "map" || type === "bimap" || type === "map-block") return mapRule(type, words)
  throw Lines.syntaxError(type)
}

const load = (context: HostContext, text: string, how: { readonly only: boolean; readonly remove: boolean }): Result => {
  const tables = Tables.of(context.host)
  return RuleFile.apply(text, rule, how.only ? () => undefined : (canonical) => {
    const at = tables.nat.indexOf(canonical)
    if (how.remove) {
      if (at < 0) return "ioctl(delete nat rule): No such process"
      tables.nat.splice(at, 1)
    } else if (at >= 0) return "ioctl(add/insert nat rule): File exists"
    else tables.nat.push(canonical)
    return undefined
  })
}

const list = (context: HostContext): string =>
  ["List of active MAP/Redirect filters:", ...Tables.of(context.host).nat, "", "List of active sessions:"].join("\n")

/** `ipnat [-CdFhlnRrsv] [-f <file>]`. @category commands */
export const run: InstantCommand = (context, args, stdin) => {
  const parsed = getopt(args, "CdFhlnrRsvf:")
  if (parsed.error !== undefined || parsed.operands.length > 0 || args.length === 0) return fail(usage)
  const tables = Tables.of(context.host)
  const output: Array<string> = []
  if (hasFlag(parsed, "F")) output.push("0 entries flushed from NAT table")
  if (hasFlag(parsed, "C")) {
    output.push(`${tables.nat.length} entries flushed from NAT list`)
    tables.nat = []
  }
  const file = lastValue(parsed, "f")
  if (file !== undefined) {
    const text = RuleFile.content(context, file, stdin)
    if (text === undefined) return result(1, output.join("\n"), `fopen(${file}) failed: No such file or directory`)
    const loaded = load(context, text, { only: hasFlag(parsed, "n"), remove: hasFlag(parsed, "r") })
    if (loaded.exitCode !== 0 || !hasFlag(parsed, "l")) return result(loaded.exitCode, output.join("\n"), loaded.stderr)
    return result(0, [...output, list(context)].join("\n"), loaded.stderr)
  }
  if (hasFlag(parsed, "l")) output.push(list(context))
  return ok(output.join("\n"))
}
