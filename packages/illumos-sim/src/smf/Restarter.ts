/** The master restarter: brings every instance step by step to where it should be. */
import * as Faults from "../Faults.js"
import type { HostContext } from "../CommandContext.js"
import { present } from "../internal/hostFiles.js"
import type { Repository } from "./Repository.js"
import type { Dependency, Instance, ServiceState } from "./State.js"

/** After so many failures in a row an instance goes into maintenance. */
const FAILURES = 3
/** Exit statuses of a method after which trying again makes no sense, and what they are called. */
const fatal: Readonly<Record<number, string>> = { 95: "$SMF_EXIT_ERR_FATAL", 96: "$SMF_EXIT_ERR_CONFIG" }

/** Whether the instance should run: what was chosen for this boot, else for good. @category combinators */
export const wanted = (instance: Instance): boolean => instance.temporary ?? instance.enabled

/** Whether the instance runs. @category combinators */
export const isUp = ({ state }: Instance): boolean => state === "online" || state === "degraded"

/** Instances that a dependency names: one, or all of a service. @category combinators */
export const named = (repository: Repository, fmri: string): ReadonlyArray<Instance> =>
  repository.instances.filter((instance) => instance.fmri === fmri || instance.fmri.startsWith(`${fmri}:`))

/** Whether one thing that is depended on is there. */
const isThere = (context: HostContext, repository: Repository, dependency: Dependency, target: string): boolean =>
  dependency.type === "path"
    ? present(context.files.real(target.replace(/^file:\/\/[^/]*/, "")))
    : named(repository, target).some(isUp)

/** Whether an optional one lets others start: it is up, or will not come up by itself. */
const isSettled = (repository: Repository, target: string): boolean =>
  named(repository, target).every((instance) => isUp(instance) || !wanted(instance) || instance.state === "maintenance")

/** Whether a dependency lets its instance run. @category combinators */
export const isSatisfied = (context: HostContext, repository: Repository, dependency: Dependency): boolean => {
  const there = (target: string) => isThere(context, repository, dependency, target)
  if (dependency.grouping === "require_all") return dependency.on.every(there)
  if (dependency.grouping === "require_any") return dependency.on.some(there)
  if (dependency.grouping === "exclude_all") return !dependency.on.some(there)
  return dependency.on.every((target) => dependency.type === "path" ? there(target) : isSettled(repository, target))
}

/** Whether something that is missing now is on its way. */
const mayCome = (context: HostContext, repository: Repository, target: string, depth: number): boolean =>
  named(repository, target).some((instance) =>
    isUp(instance) || instance.next !== undefined ||
    (wanted(instance) && instance.state !== "maintenance" && depth < 16 && !isBlocked(context, repository, instance, depth + 1)))

/** Whether an instance will not start unless somebody does something about its dependencies. @category combinators */
export const isBlocked = (context: HostContext, repository: Repository, instance: Instance, depth = 0): boolean =>
  instance.dependencies.some((dependency) => {
    if (isSatisfied(context, repository, dependency)) return false
    const coming = (target: string) => dependency.type !== "path" && mayCome(context, repository, target, depth)
    if (dependency.grouping === "require_all") return !dependency.on.every((target) => isThere(context, repository, dependency, target) || coming(target))
    if (dependency.grouping === "require_any") return !dependency.on.some(coming)
    return dependency.grouping === "exclude_all"
  })

const rest = (context: HostContext, instance: Instance, state: ServiceState, reason = ""): void => {
  instance.state = state
  instance.since = context.now
  instance.reason = reason
  if (state !== "online" && state !== "degraded") instance.contract = 0
  delete instance.next
  delete instance.at
}

/** Puts an instance into maintenance. @category combinators */
export const maintain = (context: HostContext, instance: Instance, reason: string): void => rest(context, instance, "maintenance", reason)

/** Says that an instance does not do all it should. @category combinators */
export const degrade = (context: HostContext, instance: Instance, reason: string): void => {
  if (instance.state !== "online") return
  instance.state = "degraded"
  instance.since = context.now
  instance.reason = reason
}

/** Ends maintenance or degradation. @category combinators */
export const clear = (context: HostContext, instance: Instance): void => {
  instance.failures = 0
  rest(context, instance, instance.state === "degraded" ? "online" : "uninitialized")
}

const begin = (context: HostContext, instance: Instance, next: ServiceState, delayMillis: number): void => {
  instance.next = next
  instance.at = context.now + delayMillis
}

/** Begins to stop an instance that runs, so that it starts again. @category combinators */
export const restart = (context: HostContext, instance: Instance, delayMillis: number): void => {
  if (isUp(instance)) begin(context, instance, "offline", delayMillis)
}

const started = (context: HostContext, repository: Repository, instance: Instance, delayMillis: number): void => {
  const fault = Faults.consume(context.host, "serviceFails", ({ service, zone }) => zone === repository.zone && service === instance.fmri)
  if (fault === undefined) {
    instance.failures = 0
    const contract = instance.duration === "transient" ? 0 : repository.changes.nextContract++
    rest(context, instance, "online")
    instance.contract = contract
    return
  }
  instance.failures += 1
  const name = fatal[fault.exitCode]
  if (name !== undefined) maintain(context, instance, `Start method exited with ${name}.`)
  else if (instance.failures >= FAILURES) maintain(context, instance, `Start method failed repeatedly, last exited with status ${fault.exitCode}.`)
  else begin(context, instance, "online", delayMillis)
}

/** Dependencies whose end stops the instance again. */
const mustStop = (context: HostContext, repository: Repository, instance: Instance): boolean =>
  instance.dependencies.some((dependency) =>
    (dependency.restartOn === "restart" || dependency.restartOn === "refresh") && dependency.grouping !== "optional_all"
    && !isSatisfied(context, repository, dependency))

/** One step of one instance; whether there was any. */
const step = (context: HostContext, repository: Repository, instance: Instance, delayMillis: number): boolean => {
  if (instance.next !== undefined) {
    if ((instance.at ?? 0) > context.now) return false
    if (instance.next === "online") {
      if (wanted(instance)) started(context, repository, instance, delayMillis)
      else rest(context, instance, "disabled")
    } else rest(context, instance, instance.next)
    return true
  }
  const up = isUp(instance)
  if (instance.state === "uninitialized") rest(context, instance, wanted(instance) ? "offline" : "disabled")
  else if (!wanted(instance) && up) begin(context, instance, "disabled", delayMillis)
  else if (!wanted(instance) && instance.state !== "disabled") rest(context, instance, "disabled")
  else if (wanted(instance) && instance.state === "disabled") rest(context, instance, "offline")
  else if (wanted(instance) && instance.state === "offline" && instance.dependencies.every((dependency) => isSatisfied(context, repository, dependency))) {
    begin(context, instance, "online", delayMillis)
  } else if (up && mustStop(context, repository, instance)) begin(context, instance, "offline", delayMillis)
  else return false
  return true
}

/** Does every step whose time has come, until none is left. @category combinators */
export const settle = (context: HostContext, repository: Repository, delayMillis: number): void => {
  // Each instance takes a few steps at most; the bound is for dependencies that contradict each other.
  for (let round = 0; round < 64; round++) {
    const moved = repository.instances.filter((instance) => step(context, repository, instance, delayMillis))
    if (moved.length === 0) return
  }
}
