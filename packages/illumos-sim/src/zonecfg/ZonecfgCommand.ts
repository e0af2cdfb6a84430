/** `zonecfg`: options, the three ways to hand it a script, and what happens at the first error and at the end. */
import * as fs from "node:fs"
import type { HostContext, InstantCommand } from "../CommandContext.js"
import { getopt, lastValue } from "../internal/getopt.js"
import { fail, ok, result, type Result } from "../internal/result.js"
import * as Handlers from "./Handlers.js"
import { lex } from "./Lexer.js"
import { parse, propertyNames } from "./Parser.js"
import * as Session from "./Session.js"
import { isZoneName } from "./Values.js"
import { implicitCommit } from "./Verify.js"

const synopses = [
  "add <resource-type>\n\t(global scope)\nadd <property-name> <property-value>\n\t(resource scope)",
  "cancel",
  "clear <property-name>",
  "commit",
  "create [-F] [ -a <path> |-b | -t <template> ]",
  "delete [-F]",
  "end",
  "exit [-F]",
  "export [-f output-file]",
  "help [commands] [syntax] [usage] [<command-name>]",
  "info [<resource-type> [property-name=property-value]*]",
  "remove [-F] <resource-type> { <property-name>=<property-value> }\n\t(global scope)\nremove <property-name> <property-value>\n\t(resource scope)",
  "revert [-F]",
  "select <resource-type> { <property-name>=<property-value> }",
  "set <property-name>=<property-value>",
  "verify"
].join("\n")

const usage = "usage:\tzonecfg help\n\tzonecfg -z <zone>\n\tzonecfg -z <zone> <command>\n\tzonecfg -z <zone> -f <command-file>"

const nameHelp = "Zone names must begin with an alpha-numeric character and may contain alpha-numeric\ncharacters, the underscore (_), the hyphen (-), and the dot (.), 63 characters in all."

const runScript = (context: HostContext, mode: Session.Mode, zone: string, script: string): Result => {
  const { dialect } = context.host
  const session = Session.make(context, mode, zone)
  for (const lexed of lex(script, dialect === "omnios")) {
    session.line = lexed.line
    const parsed = parse(lexed, dialect)
    if ("at" in parsed) {
      const where = mode.kind === "file" ? ` on line ${lexed.line}` : ""
      session.stderr.push(`syntax error${where} at '${parsed.at}'`, `Commands:\n\n${synopses}`)
      session.failed = true
    } else {
      Handlers.run(session, parsed)
    }
    // A file is read up to its first error only; what was accepted before is still committed below.
    if (session.stopped || (session.failed && mode.kind === "file")) break
  }
  implicitCommit(session)
  return result(session.failed ? 1 : 0, session.stdout.join("\n"), session.stderr.join("\n"))
}

/** `zonecfg …`. @category commands */
export const run: InstantCommand = (context, args, stdin) => {
  if (args[0] === "help" && args.length === 1) {
    const properties = propertyNames(context.host.dialect).join(" ")
    return ok(`${usage}\n\nCommands:\n\n${synopses}\n\nProperties:\n\n${properties}`)
  }
  const parsed = getopt(args, "?f:R:z:")
  if (parsed.error !== undefined) return fail(`zonecfg: illegal option -- ${parsed.error.flag}\n${usage}`, 2)
  const zone = lastValue(parsed, "z")
  if (zone === undefined) return fail(`zonecfg: no zone specified\n${usage}`, 2)
  if (!isZoneName(zone)) return fail(`${zone}: Bogus zone name\n\n${nameHelp}`, 2)
  const file = lastValue(parsed, "f")
  if (file !== undefined && parsed.operands.length > 0) return fail(`zonecfg: commands and -f may not be used together\n${usage}`, 2)
  if (file === undefined && parsed.operands.length > 0) return runScript(context, { kind: "arguments" }, zone, parsed.operands.join(" "))
  if (file === undefined || file === "-") return runScript(context, { kind: "input" }, zone, stdin)
  const real = context.files.locate(file)
  if (real === undefined) return fail(`zonecfg: could not open file ${file}: No such file or directory`)
  return runScript(context, { kind: "file", path: file }, zone, fs.readFileSync(real, "utf8"))
}
