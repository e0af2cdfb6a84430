/** `prctl` on zones, and `rctladm`: resource controls of what runs, and of the host as a whole. */
import type { HostContext, InstantCommand } from "./CommandContext.js"
import * as Controls from "./Controls.js"
import type { Kernel, Zone } from "./HostState.js"
import { getopt, hasFlag, lastValue, type ParsedArguments } from "./internal/getopt.js"
import * as Processes from "./internal/processTable.js"
import { fail, ok, result, type Result } from "./internal/result.js"
import { processesOf } from "./ZoneKernel.js"

const usage = "usage:\n"
  + "    Report resource control values and actions:\n"
  + "\tprctl [-P] [-t [basic | privileged | system]\n\t[-n name] [-i process | task | project | zone] id ...\n"
  + "    Manipulate resource control values:\n"
  + "\tprctl [-t [basic | privileged | system]\n\t-n name [-srx] [-v value] [-p pid ] [-e | -d action]\n\t[-i process | task | project | zone] id ..."

const wrong = (message: string): Result => fail(`prctl: ${message}\n${usage}`, 2)

const binary: Readonly<Record<string, bigint>> = { "": 1n, K: 1n << 10n, M: 1n << 20n, G: 1n << 30n, T: 1n << 40n, P: 1n << 50n, E: 1n << 60n }
const metric: Readonly<Record<string, bigint>> = { "": 1n, K: 10n ** 3n, M: 10n ** 6n, G: 10n ** 9n, T: 10n ** 12n, P: 10n ** 15n, E: 10n ** 18n }

const valueOf = (text: string, control: Controls.Control): bigint | undefined => {
  const match = /^(\d+)([KMGTPE]?)(B?)$/i.exec(text)
  if (match === null || (match[3] !== "" && control.unit !== "bytes")) return undefined
  const factor = (control.unit === "bytes" ? binary : metric)[(match[2] ?? "").toUpperCase()]
  return factor === undefined ? undefined : BigInt(match[1] ?? "") * factor
}

/** Four significant characters, as the table for people has them. */
const scaled = (value: bigint, control: Controls.Control): string => {
  const base = control.unit === "bytes" ? 1024 : 1000
  const unit = control.unit === "bytes" ? "B" : ""
  let rest = Number(value)
  let step = 0
  while (rest >= base && step < 6) {
    rest /= base
    step += 1
  }
  const text = step === 0 ? String(value) : rest >= 100 ? rest.toFixed(0) : rest >= 10 ? rest.toFixed(1) : rest.toFixed(2)
  return `${text}${["", "K", "M", "G", "T", "P", "E"][step] ?? ""}${unit}`
}

const usageOf = (context: HostContext, zone: Zone, control: Controls.Control): bigint | undefined => {
  const members = () => Processes.members(processesOf(context.host, zone))
  switch (control.name) {
    case "zone.max-processes":
    case "zone.max-lwps":
      return BigInt(members().length)
    case "zone.max-swap":
    case "zone.max-physical-memory":
      return BigInt(members().reduce((sum, { rss }) => sum + rss, 0))
    case "zone.cpu-shares":
      return undefined
    default:
      return 0n
  }
}

const list = (context: HostContext, zone: Zone, kernel: Kernel, parsed: ParsedArguments): string => {
  const name = lastValue(parsed, "n")
  const privilege = lastValue(parsed, "t")?.replace(/^priv$/, "privileged")
  const parsable = hasFlag(parsed, "P")
  const lines = [`zone: ${kernel.id}: ${zone.name.slice(0, 70)}`]
  if (!parsable) lines.push(`${"NAME".padEnd(8)}${"PRIVILEGE".padEnd(16)}${"VALUE".padEnd(9)}${"FLAG".padEnd(7)}${"ACTION".padEnd(28)}${"RECIPIENT".padStart(10)}`)
  for (const control of Controls.of(context.host.dialect)) {
    if (name !== undefined && !control.name.startsWith(name)) continue
    const rows = [
      ...Controls.values(kernel, control).map(({ action, limit }) => ({ kind: "privileged", value: BigInt(limit), flag: "-", action })),
      { kind: "system", value: control.maximum, flag: control.infinite ? "inf" : "max", action: control.denies ? "deny" : "none" }
    ].filter(({ kind }) => privilege === undefined || kind === privilege)
    if (rows.length === 0) continue
    const used = usageOf(context, zone, control)
    if (!parsable) lines.push(control.name)
    if (used !== undefined) lines.push(parsable ? `${control.name} usage ${used} - - -` : `${"".padEnd(8)}${"usage".padEnd(16)}${scaled(used, control).padStart(5)}`)
    for (const { action, flag, kind, value } of rows) {
      lines.push(parsable
        ? `${control.name} ${kind} ${value} ${flag} ${action} -`
        : `${"".padEnd(8)}${kind.padEnd(16)}${scaled(value, control).padStart(5).padEnd(9)}${flag.padStart(4).padEnd(7)}${action.padEnd(28)}${"-".padStart(10)}`)
    }
  }
  return lines.length === (parsable ? 1 : 2) ? "" : lines.join("\n")
}

interface Change {
  readonly control: Controls.Control
  readonly operation: "set" | "replace" | "delete" | "enable" | "disable"
  readonly value: bigint | undefined
  readonly deny: boolean
}

/** What the options ask for, or the complaint about them; `undefined` when they only ask for a list. */
const changeOf = (context: HostContext, parsed: ParsedArguments): Change | { readonly refused: Result } | undefined => {
  const refused = (message: string) => ({ refused: wrong(message) })
  const [sets, replaces, deletes] = ["s", "r", "x"].map((flag) => hasFlag(parsed, flag))
  const [enables, disables] = [hasFlag(parsed, "e"), hasFlag(parsed, "d")]
  const text = lastValue(parsed, "v")
  const setsByValue = text !== undefined && replaces !== true && deletes !== true && !enables && !disables
  if (sets !== true && replaces !== true && deletes !== true && !enables && !disables && !setsByValue) return undefined
  const name = lastValue(parsed, "n")
  if (name === undefined) return refused("-n is required with -s, -r, -x, -e, or -d")
  if (enables && disables) return refused("options -d and -e are exclusive")
  if ([sets, replaces, deletes].filter(Boolean).length > 1) return refused("options -s, -r, and -x are exclusive")
  if (replaces === true && text === undefined) return refused("option -r requires use of option -v")
  if (sets === true && text === undefined) return refused("option -s requires use of option -v")
  if (hasFlag(parsed, "P")) return refused("-P not valid when manipulating resource control values")
  const control = Controls.of(context.host.dialect).find((known) => known.name === name)
  if (control === undefined) return refused(`failed to get resource control for ${name}: Invalid argument`)
  const value = text === undefined ? undefined : valueOf(text, control)
  if (text !== undefined && value === undefined) return refused(`invalid -v value ${text}`)
  if (value !== undefined && value > control.maximum) return refused(`-v value ${text ?? ""} exceeds system limit for resource control: ${name}`)
  const action = lastValue(parsed, "e") ?? lastValue(parsed, "d")
  if (action !== undefined && action !== "deny" && action !== "all" && !action.startsWith("sig")) return refused("action invalid")
  if (action === "all" && enables) return refused("cannot use action 'all' with -e")
  const privilege = lastValue(parsed, "t")
  if (privilege === "system") return refused("cannot modify system values")
  if (privilege === "basic") return refused(`basic values not allowed on rctl ${name}`)
  if (enables && action === "deny" && !control.denies) return refused("unable to enable deny on rctl with global flag 'no-deny'")
  if (disables && action === "deny" && control.denies) return refused("unable to disable deny on rctl with global flag 'deny'")
  if (enables && action?.startsWith("sig") === true) return refused("unable to enable signal on rctl with global flag 'no-signal'")
  const operation = sets === true || setsByValue ? "set" : replaces === true ? "replace" : deletes === true ? "delete" : enables ? "enable" : "disable"
  // A value without a privilege is a basic one, which belongs to a process.
  if (operation === "set" && privilege === undefined) return refused("-p pid required when setting or replacing task or project rctl")
  return { control, operation, value, deny: action === "deny" || control.denies }
}

/** Changes the values; the complaint when they stay as they are. */
const apply = (kernel: Kernel, { control, deny, operation, value }: Change): string | undefined => {
  const present = Controls.values(kernel, control)
  const [first] = present
  const action = deny ? "deny" : "none"
  const same = present.find(({ limit }) => value !== undefined && BigInt(limit) === value)
  if (operation === "set") {
    if (same !== undefined || value === undefined) return "resource control already exists"
    Controls.change(kernel, control, [...present, { limit: String(value), action }])
  } else if (operation === "replace") {
    if (first === undefined || value === undefined) return "no matching resource control to replace"
    if (same !== undefined && same !== first) return "replacement resource control already exists"
    Controls.change(kernel, control, [{ limit: String(value), action: first.action }, ...present.slice(1)])
  } else if (operation === "delete") {
    const target = value === undefined ? first : same
    if (target === undefined) return "no matching resource control found for deletion"
    Controls.change(kernel, control, present.filter((entry) => entry !== target))
  } else if ((value === undefined ? first : same) === undefined) return "no matching resource control found"
  return undefined
}

/** `prctl … -i zone <zone>…`. @category commands */
export const prctl: InstantCommand = (context, args) => {
  const parsed = getopt(args, "sPp:Fd:e:i:n:rt:v:x")
  if (parsed.error !== undefined) return wrong("unknown option")
  if (parsed.operands.length === 0) return wrong("no arguments specified")
  const kind = lastValue(parsed, "i") ?? "process"
  if (!/^(process|pid|project|projid|task|taskid|zone|zoneid)$/.test(kind)) return wrong(`unknown idtype ${kind}`)
  const privilege = lastValue(parsed, "t")
  if (privilege !== undefined && !/^(basic|privileged|priv|system)$/.test(privilege)) return wrong(`unknown privilege ${privilege}`)
  const change = changeOf(context, parsed)
  if (change !== undefined && "refused" in change) return change.refused
  const name = lastValue(parsed, "n")
  if (change === undefined && name?.startsWith("zone.") === true && !Controls.of(context.host.dialect).some((known) => known.name === name)) {
    return fail(`prctl: failed to get resource control for ${name}: Invalid argument`)
  }
  const output: Array<string> = []
  const problems: Array<string> = []
  for (const id of parsed.operands) {
    const zone = kind.startsWith("zone")
      ? context.host.zones.find(({ kernel, name: zoneName }) => zoneName === id || (kernel !== undefined && String(kernel.id) === id))
      : undefined
    // A zone that is only ready has no process to take hold of.
    if (zone?.kernel === undefined || zone.kernel.state !== "running") {
      problems.push(kind.startsWith("process") || kind === "pid" ? `prctl: ${id}: cannot examine: no such process` : `prctl: zone: ${id}: No controllable process found in task, project, or zone.`)
      continue
    }
    if (change === undefined) output.push(list(context, zone, zone.kernel, parsed))
    else {
      const problem = apply(zone.kernel, change)
      if (problem !== undefined) problems.push(`1:\t/sbin/init\nprctl: ${problem}`)
    }
  }
  return result(problems.length > 0 ? 1 : 0, output.filter((text) => text !== "").join("\n\n"), problems.join("\n"))
}

const rctladmUsage = "Usage:\trctladm -l\n\trctladm -u\n\trctladm -e actions -d actions rctl_name"
const priorities: ReadonlySet<string> = new Set(["emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"])

/** `rctladm [-l] [name…]`, `rctladm -e|-d action name…`. @category commands */
export const rctladm: InstantCommand = ({ host }, args) => {
  const parsed = getopt(args, "d:e:lu")
  if (parsed.error !== undefined) return fail(rctladmUsage, 2)
  const [enables, disables] = [lastValue(parsed, "e"), lastValue(parsed, "d")]
  if (hasFlag(parsed, "l") && (enables !== undefined || disables !== undefined)) return fail(`rctladm: -l, -d, and -e flags are exclusive\n${rctladmUsage}`, 2)
  if (enables !== undefined && disables !== undefined) return fail(`rctladm: -d and -e flags are exclusive\n${rctladmUsage}`, 2)
  const known = Controls.of(host.dialect)
  if (enables === undefined && disables === undefined) {
    const names = parsed.operands.length > 0 ? parsed.operands : known.map(({ name }) => name)
    const lines: Array<string> = []
    const problems: Array<string> = []
    for (const name of names) {
      const control = known.find((entry) => entry.name === name)
      if (control === undefined) {
        problems.push(`rctladm: unknown resource control: ${name}`)
        continue
      }
      const syslog = control.flags.includes("no-syslog") ? "n/a" : host.controlLogging?.[name] ?? "off"
      lines.push(`${name.padEnd(27)} syslog=${syslog.padEnd(7)} [ ${control.flags.join(" ")} ]`)
    }
    return result(problems.length > 0 ? 1 : 0, lines.join("\n"), problems.join("\n"))
  }
  if (parsed.operands.length === 0) return fail(`rctladm: must specify one or more resource control names\n${rctladmUsage}`, 2)
  const action = enables ?? disables ?? ""
  const priority = action === "syslog" ? "notice" : /^syslog=(.*)$/.exec(action)?.[1]
  const isKnown = enables === undefined ? action === "syslog" || action === "all" : action === "none" || priority !== undefined
  if (!isKnown) return fail(`rctladm: unknown action "${action}"`)
  if (priority !== undefined && !priorities.has(priority)) return fail(`rctladm: unknown syslog priority "${priority}"`)
  for (const name of parsed.operands) {
    const control = known.find((entry) => entry.name === name)
    if (control === undefined) return fail("rctladm: unable to obtain resource control block: No such process")
    if (control.flags.includes("no-syslog")) return fail(`rctladm: "syslog" action not valid for ${name}`)
    const { [name]: _present, ...others } = host.controlLogging ?? {}
    host.controlLogging = enables === undefined || priority === undefined ? others : { ...others, [name]: priority }
  }
  return ok()
}
