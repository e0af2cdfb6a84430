/** Everything of pods that is on the host, from one listing of zones, one of datasets and one of links. */
import { type HostError, LinkName, NetworkRuntime, type ZoneAdm, type ZoneName, ZoneRuntime } from "@reddwarf/runtime-illumos"
import { StorageEngine, type StorageError } from "@reddwarf/storage-zfs"
import * as Effect from "effect/Effect"
import { attributeNames } from "../NodeAgentOptions.js"
import type * as Files from "../supervisor/SupervisorFiles.js"

/** Who a zone says it belongs to. @category models */
export type Tag =
  | { readonly type: "ours"; readonly identity: Files.PodIdentity }
  /** A tag of another cluster. */
  | { readonly type: "foreign"; readonly owner: string }
  /** No tag of any agent. */
  | { readonly type: "none" }
  /** Tagged, or it could not be found out whether it is. */
  | { readonly type: "unreadable"; readonly detail: string }

/** @category models */
export interface ZoneFact {
  readonly name: ZoneName.ZoneName
  readonly state: ZoneAdm.ZoneState
  readonly tag: Tag
}

/** @category models */
export interface HostSnapshot {
  readonly zones: ReadonlyArray<ZoneFact>
  /** Pods with a dataset; their zone may be missing. */
  readonly datasets: ReadonlyArray<Files.PodIdentity>
  /** VNICs that were made for pods. */
  readonly links: ReadonlyArray<LinkName.LinkName>
}

/** Every pod of this cluster of which a zone or a dataset is here. @category combinators */
export const owned = ({ datasets, zones }: HostSnapshot): ReadonlyMap<string, Files.PodIdentity> =>
  new Map([
    ...datasets.map((identity) => [identity.uid, identity] as const),
    ...zones.flatMap(({ tag }) => tag.type === "ours" ? [[tag.identity.uid, tag.identity] as const] : [])
  ])

const tagOf = (clusterId: string, attributes: Readonly<Record<string, string>>): Tag => {
  const owner = attributes[attributeNames.owner]
  if (owner === undefined) {
    // With a uid and without an owner, somebody has taken the tag off: it is neither ours nor nobody's.
    return attributes[attributeNames.uid] === undefined ? { type: "none" } : { type: "unreadable", detail: "it has a uid and no owner" }
  }
  if (owner !== clusterId) return { type: "foreign", owner }
  const { namespace, pod, uid } = attributeNames
  const identity = { namespace: attributes[namespace] ?? "", name: attributes[pod] ?? "", uid: attributes[uid] ?? "" }
  return Object.values(identity).includes("")
    ? { type: "unreadable", detail: "its attributes name no pod" }
    : { type: "ours", identity }
}

/** @category models */
export interface SnapshotReader {
  /** Looks at the host once. */
  readonly read: Effect.Effect<HostSnapshot, HostError.HostError | StorageError.StorageError>
}

/** What takes snapshots. It remembers the attributes of zones that have no dataset of ours, so that they are exported once. @category constructors */
export const make = (
  clusterId: string
): Effect.Effect<SnapshotReader, never, NetworkRuntime.NetworkRuntime | StorageEngine.StorageEngine | ZoneRuntime.ZoneRuntime> =>
  Effect.gen(function*() {
    const zones = yield* ZoneRuntime.ZoneRuntime
    const storage = yield* StorageEngine.StorageEngine
    const network = yield* NetworkRuntime.NetworkRuntime
    const known = new Map<string, Tag>()

    const fromAttributes = ({ name, uuid = "", zonepath }: ZoneRuntime.ZoneSummary) => {
      const key = `${name} ${uuid} ${zonepath}`
      const found = known.get(key)
      if (found !== undefined) return Effect.succeed([key, found] as const)
      return zones.attributes(name).pipe(
        Effect.map((attributes) => [key, tagOf(clusterId, attributes)] as const),
        Effect.catchAll((error) => Effect.succeed([key, { type: "unreadable", detail: error.message } satisfies Tag] as const))
      )
    }

    const read: Effect.Effect<HostSnapshot, HostError.HostError | StorageError.StorageError> = Effect.gen(function*() {
      const [summaries, datasets, links] = yield* Effect.all([zones.list, storage.listOwners, network.listVnics(LinkName.podLinkPrefix)], { concurrency: 3 })
      const byZone = new Map<string, Tag>()
      for (const { properties, uid, zone } of datasets) {
        const { ns, owner, pod } = properties
        if (ns === undefined || pod === undefined || owner === undefined) continue
        byZone.set(zone, owner === clusterId ? { type: "ours", identity: { namespace: ns, name: pod, uid } } : { type: "foreign", owner })
      }
      const others = summaries.filter(({ name }) => !byZone.has(name))
      const exported = new Map<string, Tag>()
      const seen = new Set<string>()
      for (const [zone, [key, tag]] of yield* Effect.forEach(others, (zone) => Effect.map(fromAttributes(zone), (result) => [String(zone.name), result] as const), { concurrency: 4 })) {
        exported.set(zone, tag)
        seen.add(key)
        if (tag.type !== "unreadable") known.set(key, tag)
      }
      for (const key of known.keys()) if (!seen.has(key)) known.delete(key)
      return {
        zones: summaries.map(({ name, state }) => ({ name, state, tag: byZone.get(name) ?? exported.get(name) ?? { type: "none" } })),
        datasets: [...byZone.values()].flatMap((tag) => tag.type === "ours" ? [tag.identity] : []),
        links: links.map(({ name }) => name)
      }
    })
    return { read }
  })
