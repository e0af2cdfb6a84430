import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as CommandLine from "../CommandLine.js"
import type { CommandRunner } from "../CommandRunner.js"
import { type HostError, ZoneNotReady } from "../HostError.js"
import type { Readiness } from "../ZoneBrand.js"
import type { ZoneName } from "../ZoneName.js"
import * as retry from "./retry.js"

/** The state of one service inside a zone, as the global zone sees it. */
export const serviceState = (zone: ZoneName, fmri: string): CommandLine.CommandLine =>
  CommandLine.make("/usr/bin/svcs", "-z", zone, "-H", "-o", "state", fmri)

interface Waiting {
  readonly interval: Duration.DurationInput
  readonly timeout: Duration.Duration
}

/** Waits until a zone that runs can be used. */
export const untilReady = (
  runner: CommandRunner["Type"],
  zone: ZoneName,
  readiness: Readiness,
  { interval, timeout }: Waiting
): Effect.Effect<void, HostError> => {
  if (readiness.kind === "running") return Effect.void
  const { fmri } = readiness
  // In the first moments of a zone there is nobody yet who could answer: any refusal means "not yet".
  const read = Effect.map(runner.run(serviceState(zone, fmri)), (result) =>
    result.exitCode === 0 ? result.stdout.trim() : result.stderr.trim().split("\n")[0] ?? "")
  return retry.until(read, (state) => state === "online" || state === "online*", {
    interval,
    timeout,
    onTimeout: (last): HostError =>
      new ZoneNotReady({
        operation: "wait for zone",
        object: zone,
        detail: `${fmri} is ${last === "" ? "unknown" : last} after ${Duration.format(timeout)}`
      })
  }).pipe(
    Effect.asVoid,
    // A host without svcs has no such services either: then running is all there is to wait for.
    Effect.catchIf((error) => error._tag === "CommandUnavailable" && error.reason === "NotFound", () => Effect.void)
  )
}
