import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type { CommandRunner } from "../CommandRunner.js"
import { type HostError, UnreadableOutput } from "../HostError.js"
import * as ZoneAdm from "../ZoneAdm.js"
import type { ZoneName } from "../ZoneName.js"
import { lines } from "./parsable.js"
import * as sharedLook from "./sharedLook.js"

/** What a host shows of a zone; nothing when it is not configured. */
export type Entry = ZoneAdm.ZoneEntry | undefined

const operation = "read zone"

/** Finds zones in the answer to `zoneadm list -cp`. A line that cannot be read is the trouble of zones that are on none of the others. */
export const finder = (stdout: string): (zone: ZoneName) => Either.Either<Entry, HostError> => {
  const entries = new Map<string, ZoneAdm.ZoneEntry>()
  let unreadable: string | undefined
  for (const line of lines(stdout)) {
    const entry = ZoneAdm.parseEntry(line)
    if (entry === undefined) unreadable ??= line
    else entries.set(entry.name, entry)
  }
  return (zone) => {
    const entry = entries.get(zone)
    return entry === undefined && unreadable !== undefined
      ? Either.left(new UnreadableOutput({ operation, object: zone, detail: unreadable }))
      : Either.right(entry)
  }
}

/** The states of the zones of a host: one `zoneadm list` for everybody who reads one or waits for one, however many zones that are. */
export const make = (
  runner: CommandRunner["Type"],
  zoneadm: ZoneAdm.ZoneAdm,
  longest: Duration.DurationInput
): sharedLook.SharedLook<ZoneName, Entry, HostError> =>
  sharedLook.make<ZoneName, Entry, HostError>({
    one: zoneadm.find,
    all: Effect.flatMap(runner.run(ZoneAdm.list), (result) =>
      result.exitCode === 0 ? Effect.succeed(finder(result.stdout)) : Effect.fail(ZoneAdm.classify("list zones of", "this host", result))),
    longest
  })
