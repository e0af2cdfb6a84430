import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as CommandLine from "../CommandLine.js"
import type { CommandRunner } from "../CommandRunner.js"
import { type HostError, ZoneNotReady, ZoneWentDown } from "../HostError.js"
import type { Readiness } from "../ZoneBrand.js"
import type { ZoneName } from "../ZoneName.js"
import { lines } from "./parsable.js"
import * as sharedLook from "./sharedLook.js"
import type { Entry } from "./zoneObserver.js"

const program = "/usr/bin/svcs"

/** The state of one service inside a zone, as the global zone sees it. */
export const serviceState = (zone: ZoneName, fmri: string): CommandLine.CommandLine =>
  CommandLine.make(program, "-z", zone, "-H", "-o", "state", fmri)

/** The state of one service in every zone in which there is somebody to ask. */
const serviceStates = (fmri: string): CommandLine.CommandLine => CommandLine.make(program, "-Z", "-H", "-o", "zone,state", fmri)

/** What a zone says of its service: its state, or in other words why there is none. */
type Said = string

const isOnline = (said: Said): boolean => said === "online" || said === "online*"

const finder = (stdout: string) => {
  const states = new Map(lines(stdout).map((line) => line.trim().split(/\s+/)).map(([zone = "", state = ""]) => [zone, state]))
  return (zone: ZoneName): Either.Either<Said> => Either.right(states.get(zone) ?? "")
}

interface Waiting {
  readonly interval: Duration.DurationInput
  readonly timeout: Duration.DurationInput
}

/**
 * Waits until a zone that runs can be used. Zones that wait for the same service are looked at together, and so are their states: nobody
 * answers any more in a zone that went down.
 */
export const make = (runner: CommandRunner["Type"], observer: Pick<sharedLook.SharedLook<ZoneName, Entry, HostError>, "until">, { interval, timeout }: Waiting) => {
  const looks = new Map<string, sharedLook.SharedLook<ZoneName, Said, HostError>>()

  // In the first moments of a zone there is nobody yet who could answer: any refusal means "not yet".
  const read = (zone: ZoneName, fmri: string): Effect.Effect<Said, HostError> =>
    Effect.map(runner.run(serviceState(zone, fmri)), (result) =>
      result.exitCode === 0 ? result.stdout.trim() : result.stderr.trim().split("\n")[0] ?? "")

  /** Brands name a handful of services, so none is ever forgotten. */
  const lookAt = (fmri: string) => {
    const before = looks.get(fmri)
    if (before !== undefined) return before
    const made = sharedLook.make<ZoneName, Said, HostError>({
      one: (zone) => read(zone, fmri),
      // Fails also when the service is known in some zones only: what was printed holds for those.
      all: Effect.map(runner.run(serviceStates(fmri)), (result) => finder(result.stdout)),
      longest: interval
    })
    looks.set(fmri, made)
    return made
  }

  /** Fails when the zone is seen out of the kernel, or on its way there; else it has nothing to say. */
  const down = (zone: ZoneName): Effect.Effect<never, ZoneWentDown> =>
    observer.until(zone, (entry) => entry?.state !== "running", timeout).pipe(
      Effect.flatMap((entry) =>
        entry?.state === "running"
          ? Effect.never
          : Effect.fail(new ZoneWentDown({ operation: "wait for zone", object: zone, detail: `it is ${entry?.state ?? "absent"}` }))),
      // Who cannot see the state waits for the service alone.
      Effect.catchIf((error) => error._tag !== "ZoneWentDown", () => Effect.never)
    )

  return (zone: ZoneName, readiness: Readiness): Effect.Effect<void, HostError> => {
    if (readiness.kind === "running") return Effect.void
    const { fmri } = readiness
    // Most are ready at the first look, which asks their zone alone: every zone that runs answers the look for all.
    return read(zone, fmri).pipe(
      Effect.flatMap((first) => isOnline(first) ? Effect.succeed(first) : Effect.raceFirst(lookAt(fmri).follow(zone, isOnline, timeout, first), down(zone))),
      Effect.flatMap((last) =>
        isOnline(last) ? Effect.void : Effect.fail(new ZoneNotReady({
          operation: "wait for zone",
          object: zone,
          detail: `${fmri} is ${last === "" ? "unknown" : last} after ${Duration.format(timeout)}`
        }))),
      // A host without svcs has no such services either: then running is all there is to wait for.
      Effect.catchIf((error) => error._tag === "CommandUnavailable" && error.reason === "NotFound", () => Effect.void)
    )
  }
}
