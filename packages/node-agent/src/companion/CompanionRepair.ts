/** The second stage of a pass: services of the host are brought to what they should be, and those whose pod is gone are removed. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { CompanionResult } from "../adoption/ReconcileReport.js"
import { type Companion, CompanionError } from "./Companion.js"
import * as CompanionMetrics from "./CompanionMetrics.js"
import type { CompanionPlans } from "../plan/CompanionPlans.js"
import type { CompanionServices, Found, Rendered, State } from "./CompanionServices.js"
import * as RestartLimit from "./RestartLimit.js"

/** @category models */
export interface Options {
  readonly services: CompanionServices
  /** Companions of the node itself. */
  readonly node: ReadonlyArray<Companion>
  /** Companions of a pod that is installed on this host. They are only looked at by a pass: a plan of the pod's zone mends them. */
  readonly ofPod?: (uid: string) => ReadonlyArray<Companion>
}

/** A condition of the node. @category models */
export interface Condition {
  readonly type: string
  readonly status: "True" | "False"
  readonly reason: string
  readonly message: string
}

/** @category models */
export interface CompanionRepair extends CompanionPlans {
  /** One pass. Never fails: what went wrong is in the results. */
  readonly repair: (installedUids: ReadonlySet<string>) => Effect.Effect<ReadonlyArray<CompanionResult>>
  /** `CompanionFailed.<name>` of every companion that was ever given up. */
  readonly conditions: () => ReadonlyArray<Condition>
}

/** After so long no further companion is begun with in a pass, in milliseconds. @category models */
export const stageMillis = 20_000

/** A health test must fail so often in a row. @category models */
export const unhealthyAfter = 3

/** What is remembered of a companion between passes. */
interface Memory {
  attempts: RestartLimit.Attempts
  unhealthy: number
  /** Override that was reported. */
  reported: string | undefined
}

const states: ReadonlyArray<State> = ["absent", "disabled", "offline", "online", "degraded", "maintenance", "transition"]

/** Critical ones first; what was left over before all others. */
const order = (companions: ReadonlyArray<Companion>, leftOver: ReadonlySet<string>): ReadonlyArray<Companion> => {
  const rank = ({ critical, name, scope }: Companion): number => (leftOver.has(name) ? 0 : 4) + (critical ? 0 : 2) + (scope === "node" ? 0 : 1)
  return [...companions].sort((a, b) => rank(a) - rank(b) || (a.name < b.name ? -1 : 1))
}

/**
 * The repair of these companions, with its memory.
 *
 * @category constructors
 */
export const make = ({ node, ofPod = () => [], services }: Options): CompanionRepair => {
  const memories = new Map<string, Memory>()
  const failures = new Map<string, string | undefined>()
  let leftOver: ReadonlySet<string> = new Set()
  /** Companions of pods, with what was wrong with each when it was last looked at. */
  const ofPods = new Map<string, { readonly companion: Companion; readonly fault: string | undefined }>()
  /** Passes and plans may come at the same time. */
  const turn = Effect.unsafeMakeSemaphore(1)
  /** Orphans of the pass before. */
  let suspects: ReadonlySet<string> = new Set()

  const memoryOf = (name: string): Memory => {
    const memory = memories.get(name) ?? { attempts: RestartLimit.none, unhealthy: 0, reported: undefined }
    memories.set(name, memory)
    return memory
  }
  const show = (name: string, state: State): void => {
    for (const one of states) CompanionMetrics.state.update(one === state ? 1 : 0, name, one)
  }

  /** An attempt to get one up again, if it is time for one. */
  const attempt = (name: string, why: string, act: Effect.Effect<void, CompanionError>, done: string): Effect.Effect<string, CompanionError> =>
    Effect.gen(function*() {
      const memory = memoryOf(name)
      const decision = RestartLimit.decide(memory.attempts, yield* Clock.currentTimeMillis)
      memory.attempts = decision.attempts
      if (decision._tag === "Wait") return `Waiting(${Math.ceil(decision.millis / 1000)} s, ${why})`
      if (decision._tag === "GiveUp") {
        const detail = `${why} after ${RestartLimit.waits.length} attempts; look at its log, correct the cause, and clear it`
        failures.set(name, detail)
        return yield* new CompanionError({ operation: "start", companion: name, detail })
      }
      // The attempt counts whether or not the command says that it worked.
      yield* act
      memory.unhealthy = 0
      return done
    })

  /** How often in a row it has failed its health test. */
  const unhealthy = ({ healthTest, name }: Companion): Effect.Effect<number> =>
    Effect.gen(function*() {
      const memory = memoryOf(name)
      const healthy = healthTest === undefined || (yield* Effect.timeoutTo(healthTest, { duration: "5 seconds", onSuccess: (healthy) => healthy, onTimeout: () => false }))
      memory.unhealthy = healthy ? 0 : memory.unhealthy + 1
      if (!healthy) return memory.unhealthy
      memory.attempts = RestartLimit.recovered(memory.attempts, yield* Clock.currentTimeMillis)
      if (failures.has(name)) failures.set(name, undefined)
      return 0
    })

  const running = (companion: Companion): Effect.Effect<string, CompanionError> =>
    Effect.flatMap(unhealthy(companion), (times) => {
      if (times === 0) return Effect.succeed("NoOp")
      return times < unhealthyAfter
        ? Effect.succeed(`Unhealthy(${times})`)
        : attempt(companion.name, "it runs and fails its health test", services.restart(companion.name), "Restarted(unhealthy)")
    })

  /** What is wrong with one that a plan can mend; nothing is done about it. One that was given up is left alone until it is well again. */
  const faultOf = (companion: Companion, rendered: Rendered, { fileHash, recordedHash, state }: Found): Effect.Effect<string | undefined> => {
    const { name } = companion
    if (fileHash !== rendered.hash || recordedHash !== rendered.hash) return Effect.succeed(state === "absent" ? "it is not there" : "its definition is missing or differs")
    if (state === "absent") return Effect.succeed("it is not there")
    if (state === "disabled") return Effect.succeed("it is disabled")
    if (state === "maintenance") return Effect.succeed(failures.get(name) === undefined ? "it is in maintenance" : undefined)
    if (state !== "online") return Effect.succeed(undefined)
    return Effect.map(unhealthy(companion), (times) => times < unhealthyAfter || failures.get(name) !== undefined ? undefined : "it runs and fails its health test")
  }

  const byState = (companion: Companion, state: State): Effect.Effect<string, CompanionError> => {
    const { name } = companion
    if (state === "disabled") return Effect.as(services.enable(name), "Enabled")
    if (state === "maintenance") return attempt(name, "it is in maintenance", services.clear(name), "Cleared")
    if (state === "offline") return Effect.map(services.explain(name), (why) => `Offline(${why})`)
    if (state === "degraded") return Effect.succeed("Degraded")
    if (state === "absent") return Effect.fail(new CompanionError({ operation: "find", companion: name, detail: "it is not there although it was just imported" }))
    return state === "online" ? running(companion) : Effect.succeed("Transition")
  }

  const install = (companion: Companion, rendered: Rendered, found: Found): Effect.Effect<string, CompanionError> =>
    Effect.gen(function*() {
      const { name, restartOnChange } = companion
      yield* services.install(companion, rendered)
      // A new definition deserves new attempts.
      memoryOf(name).attempts = RestartLimit.none
      // What was imported before with the very content is only recorded anew: an edited file is no reason to disturb a service.
      const changed = found.state !== "absent" && found.recordedHash !== rendered.hash
      if (changed && restartOnChange && (found.state === "online" || found.state === "degraded")) {
        yield* services.restart(name)
        return "Reinstalled(restarted)"
      }
      if (found.state === "disabled" || found.state === "absent") yield* services.enable(name)
      return found.state === "absent" ? "Installed" : "Reinstalled"
    })

  /** Looks at one, and does what is to be done about it, or has a plan do that. */
  const one = (companion: Companion, isPlanned: boolean): Effect.Effect<string, CompanionError> =>
    Effect.gen(function*() {
      const { name } = companion
      const rendered = yield* services.render(companion)
      const found = yield* services.find(name)
      show(name, found.state)
      const memory = memoryOf(name)
      if (found.override !== undefined) {
        const first = memory.reported !== found.override
        memory.reported = found.override
        if (isPlanned) ofPods.set(name, { companion, fault: undefined })
        return first ? `Overridden(${found.override})` : "NoOp"
      }
      memory.reported = undefined
      if (isPlanned) {
        const fault = yield* faultOf(companion, rendered, found)
        ofPods.set(name, { companion, fault })
        return fault === undefined ? "NoOp" : `Planned(${fault})`
      }
      const same = found.fileHash === rendered.hash && found.recordedHash === rendered.hash
      return yield* same ? byState(companion, found.state) : install(companion, rendered, found)
    })

  const noted = (name: string, effect: Effect.Effect<string, CompanionError>): Effect.Effect<CompanionResult> =>
    effect.pipe(
      Effect.catchAllDefect((defect) => new CompanionError({ operation: "repair", companion: name, detail: `defect: ${String(defect)}` })),
      Effect.match({
        onFailure: (error): CompanionResult => {
          CompanionMetrics.repairs.update(1, name, "Failed")
          return { name, error: error.message }
        },
        onSuccess: (action): CompanionResult => {
          const [word = action] = action.split("(")
          if (/^(Installed|Reinstalled|Enabled|Cleared|Restarted|Removed)$/.test(word)) CompanionMetrics.repairs.update(1, name, word)
          return { name, action }
        }
      })
    )

  const orphansOf = (expected: ReadonlySet<string>): Effect.Effect<ReadonlyArray<string>, CompanionError> =>
    Effect.map(services.owned, (owned) => owned.map(({ name }) => name).filter((name) => !expected.has(name)))

  return {
    repair: (installedUids) =>
      Effect.gen(function*() {
        const begun = yield* Clock.currentTimeMillis
        const expected = order([...node, ...[...installedUids].flatMap(ofPod)], leftOver)
        const names = new Set(expected.map(({ name }) => name))
        const read = yield* Effect.either(services.refresh)
        // Without a listing nothing is known, and every companion would look as if it were gone.
        if (read._tag === "Left") return expected.map(({ name }): CompanionResult => ({ name, error: read.left.message }))
        const results: Array<CompanionResult> = []
        const rest = new Set<string>()
        for (const companion of expected) {
          if ((yield* Clock.currentTimeMillis) - begun >= stageMillis) {
            rest.add(companion.name)
            results.push({ name: companion.name, action: "Postponed" })
            continue
          }
          results.push(yield* noted(companion.name, one(companion, companion.scope === "pod")))
        }
        leftOver = rest
        for (const name of ofPods.keys()) if (!names.has(name)) ofPods.delete(name)
        const orphans = (yield* Clock.currentTimeMillis) - begun >= stageMillis ? undefined : yield* Effect.either(orphansOf(names))
        if (orphans?._tag === "Left") results.push({ name: "orphans", error: orphans.left.message })
        if (orphans?._tag === "Right") {
          const again = orphans.right.filter((name) => suspects.has(name))
          suspects = new Set(orphans.right)
          for (const name of again) {
            if ((yield* Clock.currentTimeMillis) - begun >= stageMillis) break
            results.push(yield* noted(name, Effect.as(services.remove(name), "Removed")))
            memories.delete(name)
            if (failures.has(name)) failures.set(name, undefined)
          }
        }
        return results
      }).pipe(turn.withPermits(1)),
    faults: (uid) =>
      [...ofPods].flatMap(([name, { companion, fault }]) => companion.ownerUid !== uid ? [] : [{ name, ...(fault === undefined ? {} : { fault }) }]),
    mend: (name) =>
      Effect.gen(function*() {
        const known = ofPods.get(name)
        // Its pod has it no more.
        if (known === undefined) return
        yield* services.refresh
        const { action = "", error } = yield* noted(name, one(known.companion, false))
        const problem = error ?? (action.startsWith("Waiting") ? action : undefined)
        if (problem !== undefined) yield* new CompanionError({ operation: "mend", companion: name, detail: problem })
        // Whether that was enough the next look tells.
        if (ofPods.get(name) === known) ofPods.set(name, { companion: known.companion, fault: undefined })
      }).pipe(turn.withPermits(1)),
    conditions: () =>
      [...failures].map(([name, detail]) => ({
        type: `CompanionFailed.${name}`,
        status: detail === undefined ? "False" as const : "True" as const,
        reason: detail === undefined ? "Resolved" : "GaveUp",
        message: detail ?? ""
      }))
  }
}
