/**
 * The configurations of the zones of pods as this agent has stored them, and which of them somebody has changed since: by zonecfg, by hand.
 * Each is kept in a file from the moment it was stored. One listing tells which were written since the last look; only those are exported.
 */
import { ZoneConfig, ZoneConfigDifferences, ZoneConfigExport, type HostError, type ZoneName, ZoneResources, type ZoneRuntime } from "@reddwarf/runtime-illumos"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"

/** The record of a configuration cannot be read or written. @category errors */
export class ZoneConfigRecordFailed extends Schema.TaggedError<ZoneConfigRecordFailed>()("ZoneConfigRecordFailed", {
  operation: Schema.Literal("read", "write", "remove"),
  path: Schema.String,
  detail: Schema.String
}) {
  override get message(): string {
    return `cannot ${this.operation} ${this.path}, which tells how a zone was configured: ${this.detail}; look at the space and the permissions of the agent's data directory`
  }
}

/** What is wrong with the stored configuration of a zone. @category models */
export interface Faults {
  /** In words, by property or resource; none when it is as it was stored. */
  readonly differences: ReadonlyArray<string>
  /** Whether the zone was booted with them, so that storing the wanted configuration does not make the zone as wanted. */
  readonly booted: boolean
}

/** @category models */
export interface ZoneConfigs {
  /** A zone has this configuration from now on. */
  readonly remember: (zone: ZoneName.ZoneName, config: ZoneConfig.ZoneConfig) => Effect.Effect<void, ZoneConfigRecordFailed>
  /** A zone has other bounds from now on. */
  readonly resized: (zone: ZoneName.ZoneName, resources: ZoneResources.ZoneResources) => Effect.Effect<void, ZoneConfigRecordFailed>
  readonly forget: (zone: ZoneName.ZoneName) => Effect.Effect<void, ZoneConfigRecordFailed>
  /**
   * Looks for configurations of these zones that were changed. Gives the zones whose own is not as it was stored; what cannot be seen is not
   * among them. A zone that an earlier agent left without a record keeps what it has now.
   */
  readonly look: (ours: ReadonlySet<string>) => Effect.Effect<ReadonlySet<string>, HostError.HostError>
  /** What is wrong with that of a zone: looked at again where `look` found something. Undefined while `look` has not come to the zone. */
  readonly faults: (zone: ZoneName.ZoneName) => Effect.Effect<Faults | undefined, HostError.HostError | ZoneConfigRecordFailed>
  /** Stores the configuration of a zone again as it was. Nothing happens where none is known. */
  readonly restore: (zone: ZoneName.ZoneName) => Effect.Effect<void, HostError.HostError | ZoneConfigRecordFailed>
}

/** So many configurations are exported by one look; the others by the next ones. */
const mostExports = 16

const none: Faults = { differences: [], booted: false }

/** What was seen of a zone. */
interface Seen {
  /** Of the configuration that was looked at; undefined: it is to be looked at again. */
  stamp: string | undefined
  /** The boot that went by a configuration that was as stored. */
  boot: number | undefined
  differences: ReadonlyArray<ZoneConfigDifferences.Difference>
  unknown: ReadonlyArray<string>
}

/** What a zone that runs does not go by. */
const isForNobody = ({ name = "", what }: ZoneConfigDifferences.Difference): boolean =>
  what === "autoboot" || (what === "attr" && name.startsWith("reddwarf-"))

/**
 * Records are files in `directory`, by zone.
 *
 * @category constructors
 */
export const make = ({ directory, zones }: {
  readonly directory: string
  readonly zones: Pick<ZoneRuntime.ZoneRuntime["Type"], "configuration" | "configurationStamps" | "list" | "persist">
}): ZoneConfigs => {
  const seen = new Map<string, Seen>()

  const pathOf = (zone: ZoneName.ZoneName): string => join(directory, `${zone}.zonecfg`)

  const attempt = <A>(operation: ZoneConfigRecordFailed["operation"], path: string, run: () => A): Effect.Effect<A, ZoneConfigRecordFailed> =>
    Effect.try({ try: run, catch: (cause) => new ZoneConfigRecordFailed({ operation, path, detail: cause instanceof Error ? cause.message : String(cause) }) })

  /** What the zone was given; undefined where nobody knows. */
  const recordOf = (zone: ZoneName.ZoneName): Effect.Effect<ZoneConfig.ZoneConfig | undefined, ZoneConfigRecordFailed> => {
    const path = pathOf(zone)
    return attempt("read", path, () => {
      try {
        return readFileSync(path, "utf8")
      } catch (cause) {
        if (cause instanceof Error && "code" in cause && cause.code === "ENOENT") return undefined
        throw cause
      }
    }).pipe(
      // A record that was cut off is none: the next one is written when the zone boots.
      Effect.map((text) => text === undefined || !text.endsWith("commit\n") ? undefined : Either.getOrUndefined(ZoneConfigExport.parse(zone, text)))
    )
  }

  // Renamed and not fsynced: after a loss of power every zone boots, and is stored anew for that.
  const remember: ZoneConfigs["remember"] = (zone, config) => {
    const path = pathOf(zone)
    return attempt("write", path, () => {
      const script = Either.getOrThrow(ZoneConfig.render(zone, config))
      mkdirSync(directory, { recursive: true, mode: 0o700 })
      writeFileSync(`${path}.tmp`, script, { mode: 0o600 })
      renameSync(`${path}.tmp`, path)
      seen.delete(zone)
    })
  }

  /** Compares. Where nobody knows what the zone was given, that is what it has. */
  const compare = (zone: ZoneName.ZoneName) =>
    Effect.gen(function*() {
      const { config, unknown } = yield* zones.configuration(zone)
      const wanted = yield* recordOf(zone)
      if (wanted === undefined && unknown.length === 0) yield* remember(zone, config)
      return wanted === undefined ? { unknown: [], differences: [] } : { unknown, differences: ZoneConfigDifferences.of(config, wanted) }
    })

  const isFaulty = ({ differences, unknown }: Pick<Seen, "differences" | "unknown">): boolean => differences.length + unknown.length > 0

  const look: ZoneConfigs["look"] = Effect.fnUntraced(function*(ours) {
    const [stamps, list] = yield* Effect.all([zones.configurationStamps, zones.list])
    const names = new Set(list.map(({ name }) => String(name)))
    for (const name of seen.keys()) if (!names.has(name) || !ours.has(name)) seen.delete(name)
    let left = mostExports
    for (const { id, name } of list) {
      const stamp = stamps.get(name)
      const known = seen.get(name)
      if (stamp === undefined || !ours.has(name)) continue
      if (known?.stamp === stamp) {
        // It booted with what it was given, or still runs with that.
        if (!isFaulty(known)) known.boot = id ?? known.boot
        continue
      }
      if (left-- <= 0) continue
      const found = yield* Effect.either(compare(name))
      if (Either.isLeft(found)) {
        yield* Effect.logDebug("the configuration of a zone cannot be compared now", found.left)
        continue
      }
      const { differences, unknown } = found.right
      const now: Seen = { stamp, boot: known?.boot, differences, unknown }
      if (!isFaulty(now)) now.boot = id
      seen.set(name, now)
    }
    return new Set([...seen].flatMap(([name, one]) => isFaulty(one) ? [name] : []))
  })

  return {
    remember,
    resized: (zone, resources) =>
      Effect.flatMap(recordOf(zone), (config) => config === undefined ? Effect.void : remember(zone, ZoneResources.replaced(config, resources))),
    forget: (zone) =>
      attempt("remove", pathOf(zone), () => {
        rmSync(pathOf(zone), { force: true })
        seen.delete(zone)
      }),
    look,
    faults: (zone) =>
      Effect.gen(function*() {
        const known = seen.get(zone)
        if (known === undefined) return undefined
        if (!isFaulty(known)) return none
        const found = yield* compare(zone)
        known.differences = found.differences
        known.unknown = found.unknown
        if (!isFaulty(found)) return none
        const { id } = (yield* zones.list).find(({ name }) => name === zone) ?? {}
        const booted = known.boot !== undefined && id !== undefined && id !== known.boot && !found.differences.every(isForNobody)
        return { differences: [...found.differences.map(ZoneConfigDifferences.describe), ...found.unknown], booted }
      }),
    restore: (zone) =>
      Effect.gen(function*() {
        const wanted = yield* recordOf(zone)
        if (wanted === undefined) return
        yield* zones.persist(zone, wanted)
        const { id } = (yield* zones.list).find(({ name }) => name === zone) ?? {}
        // This boot was looked at: whether the zone goes by what was stored again was for the plan to decide.
        seen.set(zone, { stamp: undefined, boot: id, differences: [], unknown: [] })
      })
  }
}
