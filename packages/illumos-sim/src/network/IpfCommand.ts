/** `ipf` and `ipfstat`: rules of the packet filter of the emulated global zone. Nothing is filtered. */
import type { HostContext, InstantCommand } from "../CommandContext.js"
import { getopt, hasFlag, lastValue } from "../internal/getopt.js"
import { fail, ok, result } from "../internal/result.js"
import * as RuleFile from "./RuleFile.js"
import * as Lines from "./RuleLines.js"
import * as Tables from "./Tables.js"

const usage = "usage: ipf [-6AdDEInoPrsvVyzZ] [-l block|pass|nomatch|state|nat] [-F i|o|a|s|S|u] [-f filename] [-T <tuneopts>]"

const protocols = new Set(["tcp", "udp", "tcp/udp", "icmp"])

const side = (words: Lines.Words, protocol: string | undefined): string => {
  const word = words.next()
  const network = word === "any" ? "any" : Lines.network(word)
  if (!words.accept("port")) return network
  if (protocol === undefined || protocol === "icmp") throw Lines.syntaxError("port")
  words.expect("=")
  return `${network} port = ${Lines.port(words.next())}`
}

/** A rule in canonical form. Throws what `RuleLines` can complain about. */
const rule = (all: ReadonlyArray<string>): string => {
  const words = Lines.words(all)
  const action = words.next()
  if (action !== "pass" && action !== "block") throw Lines.syntaxError(action)
  const direction = words.next()
  if (direction !== "in" && direction !== "out") throw Lines.syntaxError(direction)
  const parts = [action, direction]
  for (const flag of ["log", "quick"]) if (words.accept(flag)) parts.push(flag)
  if (words.accept("on")) parts.push("on", Lines.link(words.next()))
  let protocol: string | undefined
  if (words.accept("proto")) {
    protocol = words.next()
    if (protocol === undefined || !protocols.has(protocol)) throw Lines.syntaxError(protocol)
    parts.push("proto", protocol)
  }
  if (words.accept("all")) parts.push("all")
  else {
    words.expect("from")
    const from = side(words, protocol)
    words.expect("to")
    parts.push(`from ${from} to ${side(words, protocol)}`)
  }
  if (words.accept("flags")) parts.push("flags", words.next() ?? "")
  while (words.accept("keep")) {
    const what = words.next()
    if (what !== "state" && what !== "frags") throw Lines.syntaxError(what)
    parts.push("keep", what)
  }
  if (words.peek() !== undefined) throw Lines.syntaxError(words.peek())
  return parts.join(" ")
}

const flush = (context: HostContext, what: string): string | undefined => {
  const tables = Tables.of(context.host)
  if (!["a", "i", "o", "s", "S", "u"].includes(what)) return undefined
  if (what === "a" || what === "i") tables.filterIn = []
  if (what === "a" || what === "o") tables.filterOut = []
  return ""
}

/** `ipf [-nr] [-F a|i|o] [-f <file>]`. @category commands */
export const ipf: InstantCommand = (context, args, stdin) => {
  const parsed = getopt(args, "6AdDEInoPrsvVyzZl:F:f:T:")
  if (parsed.error !== undefined || parsed.operands.length > 0 || args.length === 0) return fail(usage)
  const what = lastValue(parsed, "F")
  if (what !== undefined && flush(context, what) === undefined) return fail(usage)
  const file = lastValue(parsed, "f")
  if (file === undefined) return ok()
  const text = RuleFile.content(context, file, stdin)
  if (text === undefined) return fail(`fopen(${file}) failed: No such file or directory`)
  const tables = Tables.of(context.host)
  const [only, removes] = [hasFlag(parsed, "n"), hasFlag(parsed, "r")]
  return RuleFile.apply(text, rule, (canonical) => {
    if (only) return undefined
    const rules = / out\b/.test(canonical.slice(0, 10)) ? tables.filterOut : tables.filterIn
    const at = rules.indexOf(canonical)
    if (removes) {
      if (at < 0) return "ioctl(delete rule): No such process"
      rules.splice(at, 1)
    } else if (at >= 0) return "ioctl(add/insert rule): File exists"
    else rules.push(canonical)
    return undefined
  })
}

/** `ipfstat -io`, `-i` or `-o`. @category commands */
export const ipfstat: InstantCommand = (context, args) => {
  const parsed = getopt(args, "6aACdfghIilnoRstv")
  if (parsed.error !== undefined || (!hasFlag(parsed, "i") && !hasFlag(parsed, "o"))) return fail("Usage: ipfstat [-6aAdfghIilnoRsv]")
  const { filterIn, filterOut } = Tables.of(context.host)
  const lists = [
    ...(hasFlag(parsed, "o") ? [{ name: "out", rules: filterOut }] : []),
    ...(hasFlag(parsed, "i") ? [{ name: "in", rules: filterIn }] : [])
  ]
  return result(
    0,
    lists.flatMap(({ rules }) => rules).join("\n"),
    lists.filter(({ rules }) => rules.length === 0).map(({ name }) => `empty list for ipfilter(${name})`).join("\n")
  )
}
