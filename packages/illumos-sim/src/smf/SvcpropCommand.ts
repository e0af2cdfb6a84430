/** `svcprop`: properties of services, quoted for a shell. */
import * as Effect from "effect/Effect"
import type { Host, LongCommand } from "../CommandContext.js"
import { allValues, getopt, hasFlag, lastValue, type ParsedArguments } from "../internal/getopt.js"
import { fail, result, type Result } from "../internal/result.js"
import type { StateUnavailable } from "../StateFile.js"
import * as Access from "./Access.js"
import { matching } from "./Names.js"
import type { Repository } from "./Repository.js"
import type { Instance, Property } from "./State.js"

const usage = "Usage: svcprop [-fqtv] [-C | -c | -s snapshot] [-z zone] [-p [name/]name]... \n         {FMRI | pattern}...\n"
  + "       svcprop -w [-fqtv] [-z zone] [-p [name/]name] {FMRI | pattern}"

const quote = (value: string): string => value === "" ? "\"\"" : value.replaceAll(/[;&()|^<>\n \t\\"'`]/g, "\\$&")

const single = (type: string, value: string): Property => ({ type, values: [value] })

const seconds = (millis: number): string => `${Math.floor(millis / 1000)}.${String(Math.floor(millis % 1000)).padStart(3, "0")}000000`

/** What the framework itself keeps; it changes while the instance runs. */
const live = (instance: Instance): Readonly<Record<string, Property>> => ({
  "general/enabled": single("boolean", String(instance.enabled)),
  ...(instance.temporary === undefined ? {} : { "general_ovr/enabled": single("boolean", String(instance.temporary)) }),
  "restarter/state": single("astring", instance.state),
  "restarter/next_state": single("astring", instance.next ?? "none"),
  "restarter/state_timestamp": single("time", seconds(instance.since)),
  ...(instance.contract === 0 ? {} : { "restarter/contract": single("count", String(instance.contract)) }),
  ...(instance.comment === "" ? {} : { "general/comment": single("astring", instance.comment) })
})

const propertiesOf = (instance: Instance, current: boolean): Readonly<Record<string, Property>> => ({
  ...(current ? instance.properties : instance.running ?? instance.properties),
  ...live(instance)
})

const printed = (name: string, property: Property, typed: boolean): string =>
  [...(typed ? [name, property.type] : []), ...property.values.map(quote)].join(" ")

const show = (parsed: ParsedArguments, instance: Instance, several: boolean): { readonly lines: ReadonlyArray<string>; readonly problems: ReadonlyArray<string> } => {
  const all = propertiesOf(instance, hasFlag(parsed, "c") || hasFlag(parsed, "C"))
  const named = (name: string) => several || hasFlag(parsed, "f") ? `${instance.fmri}/:properties/${name}` : name
  const wanted = allValues(parsed, "p")
  const mixed = wanted.some((name) => name.includes("/")) && wanted.some((name) => !name.includes("/"))
  const typed = several || mixed || hasFlag(parsed, "t") || hasFlag(parsed, "f")
  if (wanted.length === 0) return { lines: Object.entries(all).map(([name, property]) => printed(named(name), property, true)), problems: [] }
  const lines: Array<string> = []
  const problems: Array<string> = []
  for (const name of wanted) {
    const members = name.includes("/")
      ? Object.entries(all).filter(([key]) => key === name)
      : Object.entries(all).filter(([key]) => key.startsWith(`${name}/`))
    lines.push(...members.map(([key, property]) => printed(named(key), property, typed || !name.includes("/"))))
    const group = name.split("/")[0] ?? ""
    const known = Object.keys(all).some((key) => key.startsWith(`${group}/`)) || instance.groups[group] !== undefined
    if (members.length > 0 || (known && !name.includes("/"))) continue
    problems.push(known ? `svcprop: Couldn't find property \`${name}' for instance \`${instance.fmri}'.` : `svcprop: Couldn't find property group \`${group}' for instance \`${instance.fmri}'.`)
  }
  return { lines, problems }
}

const answer = (parsed: ParsedArguments, repository: Repository): Result => {
  const problems: Array<string> = []
  const lines: Array<string> = []
  const found = parsed.operands.map((pattern) => ({ pattern, instances: matching(repository, pattern) }))
  const several = found.flatMap(({ instances }) => instances).length > 1
  for (const { instances, pattern } of found) {
    if (instances.length === 0) problems.push(`svcprop: Pattern '${pattern}' doesn't match any entities`)
    for (const instance of instances) {
      const shown = show(parsed, instance, several)
      lines.push(...shown.lines)
      problems.push(...shown.problems)
    }
  }
  const quiet = hasFlag(parsed, "q")
  // Its own final newline: a property without values prints an empty line, which is an answer.
  return result(problems.length > 0 ? 1 : 0, quiet || lines.length === 0 ? "" : `${lines.join("\n")}\n`, quiet && !hasFlag(parsed, "v") ? "" : problems.join("\n"))
}

/** Waits until what is asked for is not what it was. */
const changed = (host: Host, zone: string, parsed: ParsedArguments): Effect.Effect<Result, StateUnavailable> =>
  Effect.gen(function*() {
    const first = yield* Access.step(host, "svcprop", zone, (repository) => answer(parsed, repository))
    if (first.exitCode !== 0) return first
    return yield* Access.until(host, "svcprop", zone, (repository) => {
      const now = answer(parsed, repository)
      return now.stdout === first.stdout && now.exitCode === 0 ? undefined : now
    })
  })

/** `svcprop …`. @category commands */
export const run: LongCommand = (host, line) =>
  Effect.gen(function*() {
    const parsed = getopt(line.args, "Ccfp:qs:tvwz:")
    const exclusive = ["C", "c", "s"].filter((flag) => hasFlag(parsed, flag)).length > 1
    if (parsed.error !== undefined || parsed.operands.length === 0 || exclusive) return fail(usage, 2)
    const long = allValues(parsed, "p").find((name) => name.split("/").length > 2)
    if (long !== undefined) return fail(`svcprop: -p argument \`${long}' has too many components.\n${usage}`, 2)
    const zone = lastValue(parsed, "z") ?? "global"
    if (!hasFlag(parsed, "w")) return yield* Access.step(host, "svcprop", zone, (repository) => answer(parsed, repository))
    if (parsed.operands.length > 1 || allValues(parsed, "p").length > 1) return fail(usage, 2)
    return yield* changed(host, zone, parsed)
  })
