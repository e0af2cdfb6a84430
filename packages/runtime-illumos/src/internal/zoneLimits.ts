import * as Effect from "effect/Effect"
import type { CommandRunner } from "../CommandRunner.js"
import type { HostError } from "../HostError.js"
import * as Prctl from "../Prctl.js"
import type { ZoneName } from "../ZoneName.js"
import * as ZoneResources from "../ZoneResources.js"
import { cursor, type ZoneOperations } from "./zoneOperations.js"

const isLive = (name: string): name is Prctl.ControlName => name in Prctl.controls

/** A control that this kernel does not have, or a tool that it does not have: the configuration alone can say it. */
const unsupported = (error: HostError): boolean =>
  error._tag === "ResourceControlRejected" || (error._tag === "CommandUnavailable" && error.reason === "NotFound")

/**
 * Changes the bounds of a zone. First in its configuration, so that a crash in between leaves them for the next boot and for a second call;
 * then on the running zone.
 */
export const apply = (
  runner: CommandRunner["Type"],
  operations: ZoneOperations,
  zone: ZoneName,
  resources: ZoneResources.ZoneResources
): Effect.Effect<{ readonly live: ReadonlyArray<string>; readonly nextBoot: ReadonlyArray<string> }, HostError> =>
  Effect.gen(function*() {
    const operation = "change the resources of zone"
    const prctl = Prctl.make(runner)
    const entry = yield* operations.read(operation, zone, cursor())
    yield* operations.mustExist(operation, zone, entry)
    const config = yield* operations.zonecfg.export(zone)
    yield* operations.change(operations.zonecfg.update(zone, ZoneResources.replaced(config, resources)))

    const wanted = new Map(ZoneResources.controls(resources).map(({ limit, name }) => [name, limit]))
    const live: Array<string> = []
    const nextBoot: Array<string> = []
    for (const name of ZoneResources.controlNames) {
      const limit = wanted.get(name)
      if (!isLive(name) || (entry?.state !== "running" && entry?.state !== "ready")) {
        if (limit !== undefined) nextBoot.push(name)
        continue
      }
      const applied = yield* prctl.ensure(zone, name, limit).pipe(
        Effect.as(true),
        // It may have been halted meanwhile; then its configuration is what counts.
        Effect.catchIf((error) => unsupported(error) || error._tag === "WrongZoneState", () => Effect.succeed(false))
      )
      if (limit !== undefined) (applied ? live : nextBoot).push(name)
    }
    return { live, nextBoot }
  })
