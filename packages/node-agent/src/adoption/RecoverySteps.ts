/** The steps of the recovery after a boot of the host. Each can be repeated at any time. */
import { type CommandRunner, type HostError, NetworkRuntime, Smf, ZoneRuntime } from "@reddwarf/runtime-illumos"
import { CommandRunner as Runner } from "@reddwarf/runtime-illumos"
import { StorageEngine, type StorageError } from "@reddwarf/storage-zfs"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as PodSandbox from "../pod/PodSandbox.js"
import type { SupervisorFileFailed } from "../supervisor/SupervisorError.js"
import * as HostSnapshot from "./HostSnapshot.js"
import type * as PodSource from "./PodSource.js"
import type { Step } from "./RecoveryGate.js"

/**
 * The host is not as pods need it yet.
 *
 * @category errors
 */
export class HostNotPrepared extends Schema.TaggedError<HostNotPrepared>()("HostNotPrepared", { what: Schema.String, detail: Schema.String }) {
  override get message(): string {
    return `${this.what}: ${this.detail}`
  }
}

/** What pods stand on; those that a host does not have are not waited for. */
const services: ReadonlyArray<string> = [
  "svc:/system/filesystem/local:default",
  "svc:/network/physical:default",
  "svc:/milestone/name-services:default"
]

type Failure = HostError.HostError | StorageError.StorageError | HostNotPrepared | SupervisorFileFailed | PodSandbox.SandboxError

/** @category models */
export interface Options {
  readonly source: PodSource.PodSource
  readonly snapshot: Effect.Effect<HostSnapshot.HostSnapshot, HostError.HostError | StorageError.StorageError>
  readonly supervised: Effect.Effect<ReadonlyArray<string>, SupervisorFileFailed>
  readonly removeLink: PodSandbox.PodSandbox["Type"]["removeLink"]
  /** Opens what the agent keeps of plans; anything that is wrong with it is repaired or reported there. */
  readonly openLedger?: Effect.Effect<void, { readonly message: string }>
  /** Gives back images of pods that are gone, and so looks through the store of images. */
  readonly checkImages: Effect.Effect<void>
}

const prerequisites: Effect.Effect<void, Failure, CommandRunner.CommandRunner | NetworkRuntime.NetworkRuntime | StorageEngine.StorageEngine | ZoneRuntime.ZoneRuntime> = Effect.gen(
  function*() {
    const storage = yield* StorageEngine.StorageEngine
    const pool = yield* storage.poolHealth
    if (!pool.usable) yield* new HostNotPrepared({ what: "the storage pool", detail: `it is ${pool.state}; see zpool status, then zpool clear or import it` })
    yield* (yield* ZoneRuntime.ZoneRuntime).list
    yield* (yield* NetworkRuntime.NetworkRuntime).listVnics("")
    const all = yield* Smf.make(yield* Runner.CommandRunner).list
    for (const name of services) {
      const found = all.find(({ fmri }) => fmri === name)
      if (found !== undefined && found.state !== "online" && found.state !== "degraded") {
        yield* new HostNotPrepared({ what: name, detail: `it is ${found.state}; see svcs -x` })
      }
    }
  }
)

/**
 * Takes away what a crash left half-way: installations, and links of pods of which nothing else is here. Only what carries our tag, or the
 * name that only this agent gives, and never a data volume.
 */
const leftovers = (options: Options): Effect.Effect<void, Failure, ZoneRuntime.ZoneRuntime> =>
  Effect.gen(function*() {
    const zones = yield* ZoneRuntime.ZoneRuntime
    const snapshot = yield* options.snapshot
    const incomplete = snapshot.zones.filter(({ state, tag }) => state === "incomplete" && tag.type === "ours")
    yield* Effect.forEach(incomplete, ({ name }) => zones.uninstall(name), { discard: true })
    const known = new Set([...options.source.list().map(PodSandbox.identityOf), ...HostSnapshot.owned(snapshot).values()].map((identity) =>
      String(PodSandbox.namesOf(identity).link)))
    // A pod that the API wants, and of which nothing is here, gets a new link: nothing is lost with an old one.
    yield* Effect.forEach(snapshot.links.filter((link) => !known.has(link)), options.removeLink, { discard: true })
  })

/** @category constructors */
export const make = (
  options: Options
): Effect.Effect<ReadonlyArray<Step>, never, CommandRunner.CommandRunner | NetworkRuntime.NetworkRuntime | StorageEngine.StorageEngine | ZoneRuntime.ZoneRuntime> =>
  Effect.map(
    Effect.context<CommandRunner.CommandRunner | NetworkRuntime.NetworkRuntime | StorageEngine.StorageEngine | ZoneRuntime.ZoneRuntime>(),
    (context) => [
      { name: "prerequisites", always: true, timeout: "300 seconds", run: Effect.provide(prerequisites, context) },
      { name: "ledger", timeout: "60 seconds", run: Effect.zipRight(options.supervised, options.openLedger ?? Effect.void) },
      { name: "leftovers", timeout: "300 seconds", run: Effect.provide(leftovers(options), context) },
      { name: "images", timeout: "300 seconds", run: options.checkImages }
    ]
  )
