/** Whose the zones and datasets of this host are: those that carry the mark of this agent's cluster. */
import type { HostError, ZoneName, ZoneRuntime } from "@reddwarf/runtime-illumos"
import type { StorageEngine, StorageError } from "@reddwarf/storage-zfs"
import * as Effect from "effect/Effect"
import * as NodeAgentOptions from "../NodeAgentOptions.js"
import type * as Files from "../supervisor/SupervisorFiles.js"

/** Something on the host that belongs to a pod of this agent. @category models */
export interface OwnedPod {
  readonly identity: Files.PodIdentity
  readonly zoneState: string | undefined
}

/** @category models */
export interface Services {
  readonly zones: Pick<ZoneRuntime.ZoneRuntime["Type"], "attributes" | "list">
  readonly storage: Pick<StorageEngine.StorageEngine["Type"], "listOwners">
}

const fromAttributes = (clusterId: string, zones: Services["zones"], zone: ZoneName.ZoneName) =>
  Effect.map(zones.attributes(zone), (attributes): Files.PodIdentity | undefined => {
    const { attributeNames } = NodeAgentOptions
    const uid = attributes[attributeNames.uid]
    const name = attributes[attributeNames.pod]
    const namespace = attributes[attributeNames.namespace]
    const ours = attributes[attributeNames.owner] === clusterId
    return ours && uid !== undefined && name !== undefined && namespace !== undefined ? { namespace, name, uid } : undefined
  }).pipe(
    // A zone that cannot be asked is left alone: not knowing is no reason to remove anything.
    Effect.catchAll((error) => Effect.as(Effect.logDebug("attributes of a zone cannot be read", error), undefined))
  )

/**
 * Every pod of which something is on the host. Zones are asked for their attributes only where no dataset tells whose they are.
 *
 * @category constructors
 */
export const list = (
  clusterId: string,
  { storage, zones }: Services
): Effect.Effect<ReadonlyArray<OwnedPod>, HostError.HostError | StorageError.StorageError> =>
  Effect.gen(function*() {
    const summaries = yield* zones.list
    const states = new Map(summaries.map((zone) => [String(zone.name), zone.state]))
    const byZone = new Map<string, Files.PodIdentity>()
    for (const dataset of yield* storage.listOwners) {
      const { ns, owner, pod } = dataset.properties
      if (owner !== clusterId || ns === undefined || pod === undefined) continue
      byZone.set(dataset.zone, { namespace: ns, name: pod, uid: dataset.uid })
    }
    for (const { name } of summaries) {
      if (byZone.has(name)) continue
      const identity = yield* fromAttributes(clusterId, zones, name)
      if (identity !== undefined) byZone.set(name, identity)
    }
    return [...byZone].map(([zone, identity]) => ({ identity, zoneState: states.get(zone) }))
  })
