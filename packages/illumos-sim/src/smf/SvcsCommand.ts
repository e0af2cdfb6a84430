/** `svcs`: states of services in columns, in words, and what depends on what. */
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import type { HostContext, LongCommand } from "../CommandContext.js"
import { allValues, getopt, hasFlag, lastValue, type ParsedArguments } from "../internal/getopt.js"
import { fail, ok, result, type Result } from "../internal/result.js"
import * as Access from "./Access.js"
import { logPath, matching, split } from "./Names.js"
import type { Repository } from "./Repository.js"
import * as Restarter from "./Restarter.js"
import type { Instance } from "./State.js"

const usage = "Usage: svcs [-aHpv] [-o col[,col ... ]] [-R restarter] [-sS col] [-Z | -z zone]\n            [<service> ...]\n"
  + "       svcs -d | -D [-Hpv] [-o col[,col ... ]] [-sS col] [-Z | -z zone]\n            [<service> ...]\n"
  + "       svcs [-l | -L] [-Z | -z zone] <service> ...\n       svcs -x [-v] [-Z | -z zone] [<service> ...]\n       svcs -?"

const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
const days = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
const two = (value: number): string => String(value).padStart(2, "0")

const clockOf = (at: DateTime.DateTime.PartsWithWeekday): string => `${two(at.hours)}:${two(at.minutes)}:${two(at.seconds)}`

/** The time of day within a day, month and day within a year, else the year. */
const shortTime = (since: number, now: number): string => {
  const at = DateTime.toPartsUtc(DateTime.unsafeMake(since))
  if (now - since < 24 * 3_600_000) return clockOf(at)
  return now - since < 365 * 24 * 3_600_000 ? `${months[at.month - 1] ?? ""}_${two(at.day)}` : String(at.year)
}

const longTime = (since: number): string => {
  const at = DateTime.toPartsUtc(DateTime.unsafeMake(since))
  return `${days[at.weekDay] ?? ""} ${months[at.month - 1] ?? ""} ${two(at.day)} ${clockOf(at)} ${at.year}`
}

const abbreviations: Readonly<Record<string, string>> = {
  uninitialized: "UN", disabled: "DIS", offline: "OFF", online: "ON", degraded: "DGD", maintenance: "MNT"
}

interface Column {
  readonly heading: string
  readonly width: number
  readonly value: (instance: Instance, context: HostContext, zone: string) => string
}

const column = (heading: string, width: number, value: Column["value"]): Column => ({ heading, width, value })
const short = (state: string | undefined): string => state === undefined ? "-" : abbreviations[state] ?? "-"

const columns: Readonly<Record<string, Column>> = {
  ctid: column("CTID", 6, ({ contract }) => contract === 0 ? "-" : String(contract)),
  desc: column("DESC", 40, ({ commonName }) => commonName),
  fmri: column("FMRI", 50, ({ fmri }) => fmri),
  inst: column("INST", 16, ({ fmri }) => split(fmri).instance),
  n: column("N", 1, ({ next }) => short(next).slice(0, 1)),
  nsta: column("NSTA", 4, ({ next }) => short(next)),
  nstate: column("NSTATE", 14, ({ next }) => next ?? "-"),
  s: column("S", 2, ({ next, state }) => `${short(state).slice(0, 1)}${next === undefined ? "" : "*"}`),
  scope: column("SCOPE", 8, () => "localhost"),
  sn: column("SN", 3, ({ next, state }) => `${short(state).slice(0, 1)}${short(next).slice(0, 1)}`),
  sta: column("STA", 4, ({ next, state }) => `${short(state)}${next === undefined ? "" : "*"}`),
  state: column("STATE", 14, ({ next, state }) => `${state}${next === undefined ? "" : "*"}`),
  stime: column("STIME", 8, ({ since }, context) => shortTime(since, context.now)),
  svc: column("SVC", 30, ({ fmri }) => split(fmri).service),
  zone: column("ZONE", 20, (_instance, _context, zone) => zone)
}

const order = ["uninitialized", "maintenance", "disabled", "offline", "degraded", "online"]
const byDefault = (a: Instance, b: Instance): number =>
  order.indexOf(a.state) - order.indexOf(b.state) || a.since - b.since || (a.fmri < b.fmri ? -1 : a.fmri > b.fmri ? 1 : 0)

const chosenColumns = (parsed: ParsedArguments): ReadonlyArray<string> => {
  const names = allValues(parsed, "o").flatMap((list) => list.split(",")).map((name) => name.toLowerCase())
  return names.length > 0 ? names : [...(hasFlag(parsed, "Z") ? ["zone"] : []), "state", ...(hasFlag(parsed, "v") ? ["nstate"] : []), "stime", ...(hasFlag(parsed, "v") ? ["ctid"] : []), "fmri"]
}

const table = (parsed: ParsedArguments, context: HostContext, zone: string, instances: ReadonlyArray<Instance>): string => {
  const names = chosenColumns(parsed)
  const shown = names.flatMap((name) => columns[name] ?? [])
  // An asterisk stands for the next state only where that is not shown itself.
  const withNext = names.includes("nstate") || names.includes("nsta")
  const cell = (text: string, heading: string): string => withNext && (heading === "STATE" || heading === "STA") ? text.replace(/\*$/, "") : text
  const row = (cells: ReadonlyArray<string>) => cells.map((text, index) => text.padEnd(shown[index]?.width ?? 0)).join(" ").trimEnd()
  const [key, down] = [lastValue(parsed, "s") ?? lastValue(parsed, "S"), hasFlag(parsed, "S")]
  const by = key === undefined ? undefined : columns[key.toLowerCase()]
  const sorted = [...instances].sort((a, b) => {
    const first = by === undefined ? 0 : by.value(a, context, zone) < by.value(b, context, zone) ? -1 : by.value(a, context, zone) > by.value(b, context, zone) ? 1 : 0
    return (down ? -first : first) || byDefault(a, b)
  })
  const rows = sorted.map((instance) => row(shown.map(({ heading, value }) => cell(value(instance, context, zone), heading))))
  return [...(hasFlag(parsed, "H") ? [] : [row(shown.map(({ heading }) => heading))]), ...rows].join("\n")
}

const reasonOf = (context: HostContext, repository: Repository, instance: Instance): string => {
  if (instance.reason !== "") return instance.reason
  if (!Restarter.wanted(instance)) return instance.temporary === false ? "Temporarily disabled by an administrator." : "Disabled by an administrator."
  const missing = instance.dependencies.find((dependency) => !Restarter.isSatisfied(context, repository, dependency))
  const target = missing?.on.find((name) => !Restarter.named(repository, name).some(Restarter.isUp))
  if (target === undefined) return "Unknown."
  const [found] = Restarter.named(repository, target)
  return found === undefined ? `Dependency ${target} is absent.` : `Service ${found.fmri}\nis ${found.state === "offline" ? "not running" : found.state}.`
}

const explained = (context: HostContext, repository: Repository, instance: Instance): string => [
  `${instance.fmri} (${instance.commonName})`,
  ` State: ${instance.state} since ${longTime(instance.since)}`,
  `Reason: ${Restarter.isUp(instance) && instance.reason === "" ? "none" : reasonOf(context, repository, instance)}`,
  ...(instance.state === "maintenance" ? ["   See: http://illumos.org/msg/SMF-8000-L5"] : []),
  `   See: ${logPath(instance.fmri)}`,
  `Impact: ${Restarter.isUp(instance) ? "None." : "This service is not running."}`
].join("\n")

const details = (instance: Instance): string => [
  ["fmri", instance.fmri],
  ["name", instance.commonName],
  ["enabled", `${String(Restarter.wanted(instance))}${instance.temporary === undefined ? "" : " (temporary)"}`],
  ["state", instance.state],
  ["next_state", instance.next ?? "none"],
  ["state_time", longTime(instance.since)],
  ["logfile", logPath(instance.fmri)],
  ["restarter", "svc:/system/svc/restarter:default"],
  ...(instance.contract === 0 ? [] : [["contract_id", String(instance.contract)]]),
  ...instance.dependencies.map(({ grouping, on, restartOn }) => ["dependency", `${grouping}/${restartOn} ${on.join(" ")}`])
].map(([name = "", value = ""]) => `${name.padEnd(12)} ${value}`).join("\n")

const needsOf = (repository: Repository, instances: ReadonlyArray<Instance>): ReadonlyArray<Instance> =>
  instances.flatMap(({ dependencies }) => dependencies.flatMap(({ on }) => on.flatMap((target) => Restarter.named(repository, target))))

const dependents = (repository: Repository, instances: ReadonlyArray<Instance>): ReadonlyArray<Instance> =>
  repository.instances.filter(({ dependencies }) =>
    dependencies.some(({ on }) => on.some((target) => Restarter.named(repository, target).some((needed) => instances.includes(needed)))))

const answer = (parsed: ParsedArguments, context: HostContext, repository: Repository): Result => {
  const patterns = parsed.operands
  const matched = patterns.map((pattern) => ({ pattern, found: matching(repository, pattern) }))
  const problems = matched.filter(({ found }) => found.length === 0).map(({ pattern }) => `svcs: Pattern '${pattern}' doesn't match any instances`)
  const operands = [...new Set(matched.flatMap(({ found }) => found))]
  const enabled = repository.instances.filter(Restarter.wanted)
  const named = patterns.length > 0 ? operands : hasFlag(parsed, "a") ? repository.instances : enabled
  const leave = (text: string) => result(problems.length > 0 ? 1 : 0, text, problems.join("\n"))
  if (problems.length > 0 && operands.length === 0) return fail(problems.join("\n"))
  if (hasFlag(parsed, "x")) {
    const shown = patterns.length > 0 ? operands : enabled.filter((instance) => !Restarter.isUp(instance) && instance.next === undefined)
    return leave(shown.map((instance) => explained(context, repository, instance)).join("\n\n"))
  }
  if (hasFlag(parsed, "L")) return leave(operands.map(({ fmri }) => logPath(fmri)).join("\n"))
  if (hasFlag(parsed, "l")) return leave(named.map(details).join("\n\n"))
  const shown = hasFlag(parsed, "d") ? needsOf(repository, operands) : hasFlag(parsed, "D") ? dependents(repository, operands) : named
  return leave(table(parsed, context, repository.zone, [...new Set(shown)]))
}

/** `svcs …`. @category commands */
export const run: LongCommand = (host, line) =>
  Effect.gen(function*() {
    const parsed = getopt(line.args, "aHpvxdDlLZo:s:S:R:z:?")
    const unknown = [...allValues(parsed, "o").flatMap((list) => list.split(",")), ...allValues(parsed, "s"), ...allValues(parsed, "S")]
      .find((name) => columns[name.toLowerCase()] === undefined)
    const modes = ["d", "D", "l", "L", "x"].filter((flag) => hasFlag(parsed, flag))
    const needsOperands = hasFlag(parsed, "L")
    if (parsed.error !== undefined || modes.length > 1 || (hasFlag(parsed, "Z") && hasFlag(parsed, "z")) || (needsOperands && parsed.operands.length === 0)) return fail(usage, 2)
    if (hasFlag(parsed, "?")) return result(2, "", usage)
    if (unknown !== undefined) return fail(`svcs: Unknown column "${unknown}".\n${usage}`, 2)
    if (!hasFlag(parsed, "Z")) {
      return yield* Access.step(host, "svcs", lastValue(parsed, "z") ?? "global", (repository, context) => answer(parsed, context, repository))
    }
    const zones = yield* host.step(({ host: { zones } }) => ["global", ...zones.flatMap(({ kernel, name }) => kernel?.state === "running" ? [name] : [])])
    const parts: Array<Result> = []
    for (const zone of zones) parts.push(yield* Access.step(host, "svcs", zone, (repository, context) => answer(parsed, context, repository)))
    const texts = parts.map(({ stdout }, index) => index === 0 || hasFlag(parsed, "H") ? stdout : stdout.replace(/^[^\n]*\n/, ""))
    return ok(texts.join(""))
  })
