/** Differences between a zone and what is wanted. Only what was observed to be wrong is one; what cannot be observed is not. Pure. */
import { Timestamp } from "@reddwarf/api-types"
import * as Conditions from "./Conditions.js"
import type { Drift } from "./Drift.js"
import type { Gate } from "./Gate.js"
import * as Gates from "./Gate.js"
import type { Observation, ZoneFact } from "./Observation.js"
import * as Target from "./Target.js"
import type { Status, ZoneInstance } from "./ZoneInstance.js"
import * as Instance from "./ZoneInstance.js"

/** @category models */
export interface Input {
  readonly instance: ZoneInstance
  readonly status: Status
  readonly observation: Observation
  /** Milliseconds since the epoch. */
  readonly now: number
  /** Since when the zone has been in a state that should pass by itself. */
  readonly transientSince?: number | undefined
}

/** How long a zone may be on its way to or from running, in ms. @category models */
export const transientLimit = 120_000

/** Condition by which the controller that owns a workload lets its gates be approved. @category models */
export const readinessApproved = "ReadinessApproved"

/** States that pass by themselves, or should. @category combinators */
export const isTransient = ({ state }: ZoneFact): boolean => state === "ready" || state === "shutting_down" || state === "down"

/** Whether there is no installed zone. @category combinators */
export const isUninstalled = ({ state }: ZoneFact): boolean => state === "absent" || state === "configured" || state === "incomplete"

/** Whether the zone has been on its way for too long. @category combinators */
export const isStuck = ({ now, observation, transientSince }: Input): boolean =>
  observation.zone.known && isTransient(observation.zone.value) && transientSince !== undefined && now - transientSince >= transientLimit

/** Whether a gate's policy lets it be approved now. @category combinators */
export const mayApprove = (gate: Gate, instance: ZoneInstance, status: Status): boolean => {
  if (gate.approval === "Always") return true
  return gate.approval === "Owner"
    ? Conditions.isTrue(status, readinessApproved)
    : instance.metadata.annotations?.[Instance.annotations.approveGate] === gate.name
}

/** Gates that are closed, and that may be approved now. @category combinators */
export const closedGates = ({ instance, now, status }: Input): ReadonlyArray<Gate> =>
  (instance.spec.gates ?? []).filter((gate) => {
    const condition = Conditions.get(status, Gates.conditionType(gate.name))
    const notBefore = Timestamp.toMillis(status.gates?.[gate.name]?.notBefore)
    return condition?.status === "False" && condition.reason === "NotReady" && (notBefore === undefined || now >= notBefore) &&
      mayApprove(gate, instance, status)
  })

/** What the roots of the zone are made of: as seen, else as last stamped. @category combinators */
export const currentDigest = (status: Status, observation: Observation, container: string): string | undefined =>
  (observation.digests.known ? observation.digests.value[container] : undefined) ??
    status.current?.containers?.find(({ name }) => name === container)?.digest

const image = ({ instance, observation, status }: Input): Drift | undefined => {
  const wanted = Target.digests(instance, observation)
  const failed = status.failedDigests?.specHash === instance.spec.specHash ? status.failedDigests.digests : {}
  const changes: Array<string> = []
  for (const [name, digest] of Object.entries(wanted)) {
    const current = currentDigest(status, observation, name)
    // A root without a digest was made by an agent that did not write it down: it is noted, not replaced.
    if (current !== undefined && current !== digest && failed[name] !== digest) changes.push(`${name}: ${current} -> ${digest}`)
  }
  return changes.length === 0 ? undefined : { kind: "image", detail: changes.join(", ") }
}

/** Names of the caps whose live values differ from the wanted ones. @category combinators */
export const differentCaps = ({ instance, observation }: Input): ReadonlyArray<string> => {
  if (!observation.caps.known) return []
  const { live } = observation.caps.value
  return Object.entries(instance.spec.caps ?? {}).filter(([name, value]) => live[name] !== value).map(([name]) => name)
}

/** What a `config` drift consists of. @category models */
export interface ConfigDrift {
  /** The stored configuration of the zone, in words. */
  readonly zone: ReadonlyArray<string>
  /** What the processes are given: rendered files, environment. */
  readonly processes: boolean
  /** Whether the zone has to be booted for it, and may be. */
  readonly boot: boolean
}

/** What of the configuration differs and is to be mended. @category combinators */
export const configDrift = ({ observation: { config, zone } }: Input): ConfigDrift => {
  if (!config.known) return { zone: [], processes: false, boot: false }
  const { apply, booted = false, changed = [], current, wanted } = config.value
  return {
    zone: changed,
    processes: apply && current !== wanted,
    boot: apply && booted && changed.length > 0 && zone.known && zone.value.state === "running"
  }
}

const config = (input: Input): Drift | undefined => {
  const { processes, zone } = configDrift(input)
  const details = [
    ...(zone.length === 0 ? [] : [`the stored configuration of the zone differs: ${zone.join(", ")}`]),
    ...(processes ? ["rendered files or environment differ"] : [])
  ]
  return details.length === 0 ? undefined : { kind: "config", detail: details.join("; ") }
}

const caps = (input: Input): Drift | undefined => {
  const { observation, instance } = input
  if (!observation.caps.known || (observation.caps.value.change ?? "possible") !== "possible") return undefined
  const { live } = observation.caps.value
  const names = differentCaps(input)
  return names.length === 0
    ? undefined
    : { kind: "caps", detail: names.map((name) => `${name}: ${live[name] ?? "none"} -> ${instance.spec.caps?.[name]}`).join(", ") }
}

const missing = (input: Input): Drift | undefined => {
  const { zone } = input.observation
  if (!zone.known || !zone.value.shouldRun) return undefined
  const { state } = zone.value
  if (isStuck(input)) return { kind: "missing", detail: `the zone is stuck in state ${state}` }
  return isUninstalled(zone.value) || state === "installed" ? { kind: "missing", detail: `the zone is ${state}` } : undefined
}

/** Every difference, most severe first. @category combinators */
export const detect = (input: Input): ReadonlyArray<Drift> => {
  const { instance, observation: { companions, network, zone } } = input
  if (Target.powerState(instance) === "Stopped") {
    return zone.known && zone.value.state === "running" ? [{ kind: "power", detail: "the zone runs and shall be stopped" }] : []
  }
  // An administrator works in a mounted zone, and what ended for good is as it should be.
  if (zone.known && (zone.value.state === "mounted" || (!zone.value.shouldRun && zone.value.state !== "running"))) return []
  const drifts: Array<Drift | undefined> = [missing(input), image(input)]
  if (network.known && network.value.faults.length > 0) drifts.push({ kind: "network", detail: network.value.faults.join(", ") })
  drifts.push(config(input), caps(input))
  const closed = closedGates(input)
  if (closed.length > 0) drifts.push({ kind: "gate", detail: `closed: ${closed.map(({ name }) => name).join(", ")}` })
  const faults = companions.known ? companions.value.filter(({ fault }) => fault !== undefined) : []
  if (faults.length > 0) {
    drifts.push({ kind: "companion", detail: faults.map(({ fault, name }) => `${name}: ${fault ?? ""}`).join(", ") })
  }
  return drifts.filter((drift) => drift !== undefined)
}
