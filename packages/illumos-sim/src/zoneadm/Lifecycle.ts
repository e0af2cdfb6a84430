/** zoneadm subcommands that zoneadmd carries out: ready, boot, halt, shutdown, reboot. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { Host, HostContext } from "../CommandContext.js"
import * as Faults from "../Faults.js"
import { findZone, type Zone } from "../HostState.js"
import { getopt, hasFlag } from "../internal/getopt.js"
import * as Processes from "../internal/processTable.js"
import { fail, result, type Result } from "../internal/result.js"
import type { StateUnavailable } from "../StateFile.js"
import * as ZoneKernel from "../ZoneKernel.js"
import * as Checks from "./Checks.js"
import { callFailed, daemon, notVerified, own, subUsage } from "./Messages.js"

/** A subcommand on one zone, by name: the zone is looked up again in every step. @category models */
export type ZoneCommand = (host: Host, zone: string, args: ReadonlyArray<string>) => Effect.Effect<Result, StateUnavailable>

const POLL = "5 millis"
/** How long the daemon waits for processes that were killed. */
const TEARDOWN_LIMIT = 30_000

const gone = (zone: string): Result => fail(`zoneadm: ${zone}: No such zone configured`)

/** Repeats a step until it gives an answer. */
const until = <A>(host: Host, step: (context: HostContext) => A | undefined): Effect.Effect<A, StateUnavailable> =>
  Effect.flatMap(host.step(step), (answer) =>
    answer === undefined ? Effect.zipRight(Effect.sleep(POLL), Effect.suspend(() => until(host, step))) : Effect.succeed(answer))

const haltDelay = (host: Host, context: HostContext, zone: Zone): number =>
  Faults.find(context.host, "slowHalt", (fault) => fault.zone === zone.name)?.delayMillis ?? host.timing.halt

/** Tears a zone down that is in the kernel; the answer is the complaint when it does not get there. */
const tearDown = (host: Host, name: string): Effect.Effect<Result | undefined, StateUnavailable> =>
  Effect.gen(function*() {
    const delay = yield* host.step((context) => {
      const zone = findZone(context.host, name)
      if (zone?.kernel === undefined) return 0
      const millis = haltDelay(host, context, zone)
      ZoneKernel.beginHalt(context, zone, millis)
      ZoneKernel.settle(context)
      return zone.kernel === undefined ? 0 : millis
    })
    if (delay > 0) yield* Effect.sleep(delay)
    const started = yield* Clock.currentTimeMillis
    return yield* until(host, (context): { readonly problem?: Result } | undefined => {
      const zone = findZone(context.host, name)
      if (zone?.kernel === undefined) return {}
      const stuck = Faults.find(context.host, "stuckZone", (fault) => fault.zone === name) !== undefined
        && Processes.members(ZoneKernel.processesOf(context.host, zone)).length === 0
      return stuck || context.now - started > TEARDOWN_LIMIT ? { problem: fail(daemon(zone, "unable to destroy zone")) } : undefined
    }).pipe(Effect.map((answer) => answer.problem))
  })

const bootWarnings = (args: ReadonlyArray<string>): ReadonlyArray<string> => {
  const unknown = args.filter((word) => !/^-[vsm]$|^-m$|^[a-z]+=/.test(word))
  return unknown.length === 0 ? [] : [`WARNING: Unused or invalid boot arguments: ${unknown.join(" ")}`]
}

/** Brings a zone that is not in the kernel to ready, or to running. */
const bringUp = (host: Host, name: string, target: "ready" | "running", bootArguments: ReadonlyArray<string>): Effect.Effect<Result, StateUnavailable> =>
  Effect.gen(function*() {
    const first = yield* host.step((context): { readonly done?: Result; readonly lines: ReadonlyArray<string>; readonly delay: number } => {
      const zone = findZone(context.host, name)
      if (zone === undefined) return { done: gone(name), lines: [], delay: 0 }
      const verified = Checks.verify(context, zone, target === "ready" ? "ready" : "boot")
      if (verified.failed) return { done: fail(verified.lines.join("\n")), lines: [], delay: 0 }
      if (zone.kernel === undefined) {
        const problems = ZoneKernel.makeReady(context, zone)
        if (problems.length > 0) {
          return { done: fail([...verified.lines, ...problems.map((text) => daemon(zone, text)), callFailed(zone)].join("\n")), lines: [], delay: 0 }
        }
      }
      if (target === "running") ZoneKernel.start(context, zone, host.timing.boot)
      return { lines: [...verified.lines, ...bootWarnings(bootArguments).map((text) => daemon(zone, text))], delay: target === "running" ? host.timing.boot : 0 }
    })
    if (first.done !== undefined) return first.done
    if (first.delay > 0) {
      yield* Effect.sleep(first.delay)
      yield* until(host, (context) => findZone(context.host, name)?.kernel?.pending?.to === "running" ? undefined : true)
    }
    return result(0, "", first.lines.join("\n"))
  })

/** Checks that come before any request to the daemon. */
const admitted = (host: Host, name: string, operation: string): Effect.Effect<Result | "absent" | "ready" | "running" | "dying", StateUnavailable> =>
  host.step((context) => {
    const zone = findZone(context.host, name)
    if (zone === undefined) return gone(name)
    const refused = Checks.mustBeInstalled(zone, operation) ?? Checks.lock(context, zone)
    if (refused !== undefined) return refused
    if (zone.kernel === undefined) return "absent"
    return zone.kernel.state === "ready" || zone.kernel.state === "running" ? zone.kernel.state : "dying"
  })

/** `zoneadm boot [-fs] [-- bootargs]`. @category commands */
export const boot: ZoneCommand = (host, name, args) =>
  Effect.gen(function*() {
    const parsed = getopt(args, "?fsX")
    if (parsed.error !== undefined || hasFlag(parsed, "?")) return fail(subUsage("boot"), 2)
    const state = yield* admitted(host, name, "boot")
    if (typeof state === "object") return state
    // The daemon gives the same answer for a zone on its way down: callers must look at the state.
    if (state === "running" || state === "dying") return result(0, "", `zone '${name}': zone is already booted`)
    return yield* bringUp(host, name, "running", parsed.operands)
  })

/** `zoneadm ready`. @category commands */
export const ready: ZoneCommand = (host, name, args) =>
  Effect.gen(function*() {
    if (args.length > 0) return fail(subUsage("ready"), 2)
    const state = yield* admitted(host, name, "ready")
    if (typeof state === "object") return state
    if (state === "ready") return result(0, "", `zone '${name}': zone is already ready`)
    const problem = state === "absent" ? undefined : yield* tearDown(host, name)
    return problem ?? (yield* bringUp(host, name, "ready", []))
  })

/** `zoneadm halt`. @category commands */
export const halt: ZoneCommand = (host, name, args) =>
  Effect.gen(function*() {
    if (args.length > 0) return fail(subUsage("halt"), 2)
    const answer = yield* host.step((context) => {
      const zone = findZone(context.host, name)
      if (zone === undefined) return gone(name)
      if (zone.kernel !== undefined) return Checks.lock(context, zone)
      if (zone.indexState === "configured") {
        return fail([daemon(zone, "cannot manage a zone which is in state 'configured'"), daemon(zone, "could not start zoneadmd")].join("\n"))
      }
      if (zone.indexState === "incomplete") return fail(daemon(zone, "halt operation is invalid for zones in state 'incomplete'"))
      return Checks.lock(context, zone) ?? result(0, "", daemon(zone, "zone is already halted"))
    })
    return answer ?? (yield* tearDown(host, name)) ?? result(0)
  })

const requireRunning = (context: HostContext, name: string): { readonly zone: Zone } | Result => {
  const zone = findZone(context.host, name)
  if (zone === undefined) return gone(name)
  if (zone.kernel?.state !== "running") {
    const live = zone.kernel !== undefined && zone.kernel.shutdown
    return fail(live ? daemon(zone, "shutdown already in progress") : own(zone, "not running"))
  }
  const locked = Checks.lock(context, zone)
  if (locked !== undefined) return locked
  return zone.kernel.shutdown ? fail(daemon(zone, "shutdown already in progress")) : { zone }
}

/** Lets the processes end by themselves for the grace period; the rest is killed by the teardown. */
const drain = (host: Host, name: string): Effect.Effect<void, StateUnavailable> =>
  Effect.gen(function*() {
    const deadline = (yield* Clock.currentTimeMillis) + host.timing.shutdownGrace
    yield* host.step((context) => {
      const zone = findZone(context.host, name)
      if (zone !== undefined) Processes.signal(Processes.members(ZoneKernel.processesOf(context.host, zone)), "SIGTERM")
    })
    yield* until(host, (context) => {
      const zone = findZone(context.host, name)
      if (zone?.kernel === undefined || context.now >= deadline) return true
      return Processes.members(ZoneKernel.processesOf(context.host, zone)).length === 0 ? true : undefined
    })
  })

const forgetShutdown = (host: Host, name: string): Effect.Effect<void> =>
  Effect.ignore(host.step((context) => {
    const kernel = findZone(context.host, name)?.kernel
    // Only an interrupted shutdown leaves the flag: a zone that is being torn down keeps refusing a second one.
    if (kernel?.state === "running") kernel.shutdown = false
  }))

/** `zoneadm shutdown [-r [-- bootargs]]`. @category commands */
export const shutdown: ZoneCommand = (host, name, args) =>
  Effect.gen(function*() {
    const parsed = getopt(args, "?r")
    const restart = hasFlag(parsed, "r")
    if (parsed.error !== undefined || hasFlag(parsed, "?") || (parsed.operands.length > 0 && !restart)) return fail(subUsage("shutdown"), 2)
    const started = yield* host.step((context) => {
      const admission = requireRunning(context, name)
      if (!("zone" in admission)) return admission
      if (admission.zone.kernel !== undefined) admission.zone.kernel.shutdown = true
      return undefined
    })
    if (started !== undefined) return started
    return yield* Effect.gen(function*() {
      yield* drain(host, name)
      const problem = yield* tearDown(host, name)
      if (problem !== undefined) {
        yield* Effect.sleep(host.timing.stopTimeout)
        return fail(`zone '${name}': unable to shutdown zone`)
      }
      return restart ? yield* bringUp(host, name, "running", parsed.operands) : result(0)
    }).pipe(Effect.ensuring(forgetShutdown(host, name)))
  })

/** `zoneadm reboot [-- bootargs]`. @category commands */
export const reboot: ZoneCommand = (host, name, args) =>
  Effect.gen(function*() {
    const parsed = getopt(args, "?")
    if (parsed.error !== undefined || hasFlag(parsed, "?")) return fail(subUsage("reboot"), 2)
    const refused = yield* host.step((context) => {
      const admission = requireRunning(context, name)
      if (!("zone" in admission)) return admission
      const verified = Checks.verify(context, admission.zone, "reboot")
      return verified.failed ? fail([...verified.lines].join("\n") || notVerified(admission.zone)) : undefined
    })
    return refused ?? (yield* tearDown(host, name)) ?? (yield* bringUp(host, name, "running", parsed.operands))
  })
