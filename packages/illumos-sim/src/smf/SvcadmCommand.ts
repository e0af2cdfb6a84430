/** `svcadm`: switches services, and with `-s` waits for what they do then. */
import * as Effect from "effect/Effect"
import type { Host, HostContext, LongCommand } from "../CommandContext.js"
import { getopt, hasFlag, lastValue, type ParsedArguments } from "../internal/getopt.js"
import { fail, ok, type Result } from "../internal/result.js"
import type { StateUnavailable } from "../StateFile.js"
import * as Access from "./Access.js"
import { matching } from "./Names.js"
import type { Repository } from "./Repository.js"
import * as Restarter from "./Restarter.js"
import type { Instance } from "./State.js"

const usage = "Usage: svcadm [-S <state>] [-v] [-Z | -z zone] [cmd [args ... ]]\n\n"
  + "\tsvcadm enable [-rst] <service> ...\n\tsvcadm disable [-c comment] [-st] <service> ...\n\tsvcadm restart [-d] <service> ...\n"
  + "\tsvcadm refresh [-s] <service> ...\n\tsvcadm mark [-It] <state> <service> ...\n\tsvcadm clear <service> ...\n\tsvcadm milestone [-d] <milestone>"

const options: Readonly<Record<string, string>> = {
  enable: "rst",
  disable: "c:st",
  restart: "d",
  refresh: "s",
  clear: "",
  mark: "It",
  milestone: "d"
}

/** The instances a word names: exactly one for abbreviations, all for patterns. */
const resolve = (repository: Repository, pattern: string): ReadonlyArray<Instance> | Result => {
  const found = matching(repository, pattern)
  if (found.length === 0) return fail(`svcadm: Pattern '${pattern}' doesn't match any instances`)
  if (found.length === 1 || /[*?[]/.test(pattern)) return found
  return fail([`svcadm: Pattern '${pattern}' matches multiple instances:`, ...found.map(({ fmri }) => `\t${fmri}`)].join("\n"))
}

const withNeeds = (repository: Repository, instances: ReadonlyArray<Instance>): ReadonlyArray<Instance> => {
  const found = new Set(instances)
  for (const instance of found) {
    for (const dependency of instance.dependencies) {
      if (dependency.grouping !== "require_all") continue
      for (const target of dependency.on) for (const needed of Restarter.named(repository, target)) found.add(needed)
    }
  }
  return [...found]
}

/** What a command does at once to one instance; a refusal stops it. */
type Action = (context: HostContext, instance: Instance) => string | undefined

const switching = (on: boolean, parsed: ParsedArguments): Action => (_context, instance) => {
  if (hasFlag(parsed, "t")) instance.temporary = on
  else {
    instance.enabled = on
    delete instance.temporary
  }
  instance.comment = on ? "" : lastValue(parsed, "c") ?? ""
  return undefined
}

const actions = (host: Host, parsed: ParsedArguments): Readonly<Record<string, Action>> => ({
  enable: switching(true, parsed),
  disable: switching(false, parsed),
  restart: (context, instance) => {
    Restarter.restart(context, instance, host.timing.service)
    return undefined
  },
  refresh: (_context, instance) => {
    delete instance.running
    return undefined
  },
  clear: (context, instance) => {
    if (instance.state !== "maintenance" && instance.state !== "degraded") {
      return `svcadm: Instance "${instance.fmri}" is not in a maintenance or degraded state.`
    }
    Restarter.clear(context, instance)
    return undefined
  },
  mark: (context, instance) => {
    if (parsed.operands[0] === "maintenance") Restarter.maintain(context, instance, "Maintenance requested by an administrator.")
    else Restarter.degrade(context, instance, "Degraded by an administrator.")
    return undefined
  }
})

/** Whether an instance that is being switched on or off with `-s` is there, cannot get there (why, and the exit status), or is still on its way. */
const arrival = (context: HostContext, repository: Repository, fmri: string, on: boolean): Result | "there" | undefined => {
  const instance = repository.instances.find((candidate) => candidate.fmri === fmri)
  if (instance === undefined) return fail(`svcadm: Instance "${fmri}" has been deleted by another entity.`, 3)
  if (instance.next !== undefined) return undefined
  if (instance.state === "maintenance") return fail(`svcadm: Instance "${fmri}" is in maintenance state.`, 3)
  if (!on) return instance.state === "disabled" ? "there" : Restarter.wanted(instance) ? fail(`svcadm: Instance "${fmri}" has been enabled by another entity.`, 3) : undefined
  if (!Restarter.wanted(instance)) return fail(`svcadm: Instance "${fmri}" has been disabled by another entity.`, 3)
  if (Restarter.isUp(instance)) return "there"
  return Restarter.isBlocked(context, repository, instance) ? fail(`svcadm: Instance "${fmri}" has unsatisfied dependencies.`, 4) : undefined
}

const wait = (host: Host, zone: string, fmris: ReadonlyArray<string>, on: boolean): Effect.Effect<Result, StateUnavailable> =>
  Access.until(host, "svcadm", zone, (repository, context) => {
    const arrivals = fmris.map((fmri) => arrival(context, repository, fmri, on))
    const failed = arrivals.find((one) => typeof one === "object")
    return failed ?? (arrivals.every((one) => one === "there") ? ok() : undefined)
  })

/** `svcadm …`. @category commands */
export const run: LongCommand = (host, line) =>
  Effect.gen(function*() {
    const before = getopt(line.args, "S:vZz:?")
    const [command = "", ...rest] = before.operands
    const spec = options[command]
    if (before.error !== undefined || spec === undefined || (hasFlag(before, "Z") && hasFlag(before, "z"))) return fail(usage, 2)
    const parsed = getopt(rest, spec)
    const zone = lastValue(before, "z") ?? "global"
    const patterns = command === "mark" ? parsed.operands.slice(1) : parsed.operands
    const marks = command !== "mark" || parsed.operands[0] === "maintenance" || parsed.operands[0] === "degraded"
    if (parsed.error !== undefined || patterns.length === 0 || !marks) return fail(usage, 2)
    if (command === "milestone") return patterns.length === 1 ? ok() : fail(usage, 2)
    const action = actions(host, parsed)[command]
    if (action === undefined) return fail(usage, 2)

    const done = yield* Access.step(host, "svcadm", zone, (repository, context): Result | { readonly fmris: ReadonlyArray<string> } => {
      const { account } = context.host
      if (account !== undefined && account.uid !== 0) {
        const named = patterns.flatMap((pattern) => matching(repository, pattern))[0]
        return fail(`svcadm: ${named?.fmri ?? patterns[0] ?? ""}: Permission denied.`)
      }
      const problems: Array<string> = []
      const fmris: Array<string> = []
      for (const pattern of patterns) {
        const found = resolve(repository, pattern)
        if ("exitCode" in found) {
          problems.push(found.stderr.trimEnd())
          continue
        }
        for (const instance of command === "enable" && hasFlag(parsed, "r") ? withNeeds(repository, found) : found) {
          const problem = action(context, instance)
          if (problem !== undefined) problems.push(problem)
          fmris.push(instance.fmri)
        }
      }
      return problems.length > 0 ? fail(problems.join("\n")) : { fmris }
    })
    if ("exitCode" in done) return done
    if (!hasFlag(parsed, "s") || command === "refresh") return ok()
    return yield* wait(host, zone, done.fmris, command === "enable")
  })
