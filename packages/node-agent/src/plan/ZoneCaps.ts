/** The bounds of a zone under the names of a ZoneInstance: those it shall have, and those that hold by its kernel. */
import type { Plan } from "@reddwarf/plans"
import { type CommandRunner, type HostError, Prctl, type ZoneName, type ZoneResources } from "@reddwarf/runtime-illumos"
import * as Effect from "effect/Effect"

const numberOf = (value: bigint | number | undefined): number | undefined => value === undefined ? undefined : Number(value)

/** The bounds of a zone under the names they have in a ZoneInstance. @category constructors */
export const of = (resources: ZoneResources.ZoneResources): Plan.Caps => {
  const named = {
    cpuCap: resources.cpuPercent,
    cpuShares: resources.cpuShares,
    physicalMemory: numberOf(resources.physicalMemory),
    swap: numberOf(resources.swap),
    lockedMemory: numberOf(resources.lockedMemory),
    lwps: resources.maxLwps,
    processes: resources.maxProcesses
  }
  return Object.fromEntries(Object.entries(named).flatMap(([name, value]) => value === undefined ? [] : [[name, value] as const]))
}

/** The control of each bound. */
const controls: Readonly<Record<string, Prctl.ControlName>> = {
  cpuCap: "zone.cpu-cap",
  cpuShares: "zone.cpu-shares",
  physicalMemory: "zone.max-physical-memory",
  swap: "zone.max-swap",
  lockedMemory: "zone.max-locked-memory",
  lwps: "zone.max-lwps",
  processes: "zone.max-processes"
}

/** A control that this kernel does not have: the configuration alone can say it, and does from the next boot on. */
const isUnsupported = (error: HostError.HostError): boolean =>
  error._tag === "ResourceControlRejected" || (error._tag === "CommandUnavailable" && error.reason === "NotFound")

/**
 * The live values of the bounds that are wanted, under the names of a ZoneInstance. One that this host cannot change while a zone runs
 * counts as it is wanted.
 *
 * @category constructors
 */
export const live = (
  runner: CommandRunner.CommandRunner["Type"],
  zone: ZoneName.ZoneName,
  resources: ZoneResources.ZoneResources
): Effect.Effect<Plan.Caps, HostError.HostError> => {
  const prctl = Prctl.make(runner)
  return Effect.map(
    Effect.forEach(Object.entries(of(resources)), ([name, wanted]) => {
      const control = controls[name]
      if (control === undefined) return Effect.succeed([[name, wanted] as const])
      return prctl.limit(zone, control).pipe(
        Effect.map((value) => value === undefined ? [] : [[name, Number(value)] as const]),
        Effect.catchIf(isUnsupported, () => Effect.succeed([[name, wanted] as const]))
      )
    }),
    (values) => Object.fromEntries(values.flat())
  )
}
