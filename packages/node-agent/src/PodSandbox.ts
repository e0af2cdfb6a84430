/** What a pod needs from the host before a container can run: address, dataset, VNIC, zone. Every step can be repeated. */
import { type CoreV1, PodResources } from "@reddwarf/api-types"
import { Ipam, type IpamError } from "@reddwarf/ipam"
import { type HostError, LinkName, NetworkRuntime, ZoneName, ZoneRuntime } from "@reddwarf/runtime-illumos"
import { StorageEngine, type StorageError } from "@reddwarf/storage-zfs"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { createHash } from "node:crypto"
import * as NodeAgentOptions from "./NodeAgentOptions.js"
import type * as Files from "./SupervisorFiles.js"

/** @category errors */
export type SandboxError =
  | HostError.HostError
  | StorageError.StorageError
  | IpamError.AddressPoolExhausted
  | IpamError.LeaseStorageFailed

/** Names of what belongs to a pod on the host. They follow from its identity alone. @category models */
export interface Names {
  readonly zone: ZoneName.ZoneName
  readonly link: LinkName.LinkName
}

/** @category constructors */
export const namesOf = (identity: Files.PodIdentity): Names => ({
  zone: ZoneName.zoneNameOf(identity),
  link: LinkName.linkNameOf(identity)
})

/** A pod's uid with its name, as far as the object has them. @category constructors */
export const identityOf = (pod: CoreV1.Pod): Files.PodIdentity => ({
  namespace: pod.metadata.namespace ?? "default",
  name: pod.metadata.name ?? "",
  uid: pod.metadata.uid ?? ""
})

/** Annotation that chooses the brand of a pod's zone; `runtimeClassName` means the same. @category models */
export const brandAnnotation = "reddwarf.io/zone-brand"

/** Something on the host that belongs to a pod of this agent. @category models */
export interface OwnedPod {
  readonly identity: Files.PodIdentity
  readonly zoneState: string | undefined
}

/**
 * Makes and removes sandboxes.
 *
 * @category services
 */
export class PodSandbox extends Context.Tag("@reddwarf/node-agent/PodSandbox")<PodSandbox, {
  /** Zone name and state of the zones of this host, at most a second old. */
  readonly zoneStates: Effect.Effect<ReadonlyMap<string, string>, HostError.HostError>
  /** The pod's address: the one it has, or a new one. */
  readonly address: (pod: CoreV1.Pod) => Effect.Effect<Ipam.Lease, SandboxError>
  /** The pod's address, if it has one. */
  readonly findAddress: (uid: string) => Effect.Effect<Option.Option<Ipam.Lease>>
  /** Brings the zone of the pod up, from whatever is there already. */
  readonly ensure: (
    pod: CoreV1.Pod,
    lease: Ipam.Lease,
    fileSystems: ReadonlyArray<ZoneRuntime.ZoneFileSystem>
  ) => Effect.Effect<void, SandboxError>
  /** Removes all of it: zone, VNIC, dataset, address. */
  readonly remove: (identity: Files.PodIdentity) => Effect.Effect<void, SandboxError>
  /** Every pod of which something is on the host. */
  readonly owned: Effect.Effect<ReadonlyArray<OwnedPod>, SandboxError>
  /** Uids that hold an address. */
  readonly addressOwners: Effect.Effect<ReadonlyArray<string>>
  readonly releaseAddress: (uid: string) => Effect.Effect<void, SandboxError>
  /** VNICs made for pods. */
  readonly links: Effect.Effect<ReadonlyArray<LinkName.LinkName>, SandboxError>
  readonly removeLink: (link: LinkName.LinkName) => Effect.Effect<void, SandboxError>
  /** Makes what all pods share: parent datasets, etherstub, gateway. */
  readonly prepareHost: Effect.Effect<void, SandboxError>
}>() {}

const brandOf = (pod: CoreV1.Pod, fallback: string): string =>
  pod.metadata.annotations?.[brandAnnotation] ?? pod.spec?.runtimeClassName ?? fallback

/** A cap for the whole zone is right only if every container has a limit; init containers run when the others do not. */
const capOf = (pod: CoreV1.Pod, resource: "cpu" | "memory"): boolean =>
  (pod.spec?.containers ?? []).every((container) => container.resources?.limits?.[resource] !== undefined)

const specHash = (pod: CoreV1.Pod): string => createHash("sha256").update(JSON.stringify(pod.spec ?? {})).digest("hex").slice(0, 32)

/**
 * The zone of a pod.
 *
 * @category constructors
 */
export const zoneSpec = (
  options: NodeAgentOptions.Resolved,
  pod: CoreV1.Pod,
  lease: Ipam.Lease,
  zonepath: string,
  fileSystems: ReadonlyArray<ZoneRuntime.ZoneFileSystem>
): ZoneRuntime.ZoneSpec => {
  const identity = identityOf(pod)
  const { link, zone } = namesOf(identity)
  const limits = PodResources.limits(pod)
  const { attributeNames } = NodeAgentOptions
  return {
    zoneName: zone,
    zonepath,
    brand: brandOf(pod, options.defaultBrand),
    attributes: [
      { name: attributeNames.owner, value: options.clusterId },
      { name: attributeNames.uid, value: identity.uid },
      { name: attributeNames.namespace, value: identity.namespace },
      { name: attributeNames.pod, value: identity.name },
      { name: attributeNames.source, value: "api" },
      { name: attributeNames.specHash, value: specHash(pod) },
      { name: attributeNames.schema, value: "1" }
    ],
    network: [{ link, address: `${lease.address}/${lease.prefixLength}`, defaultRouter: lease.gateway }],
    fileSystems,
    ...(capOf(pod, "cpu") ? { cpuCap: Math.max(0.01, limits.cpuMillis / 1000) } : {}),
    ...(capOf(pod, "memory") ? { memoryCap: limits.memoryBytes } : {})
  }
}

/**
 * On the host's services.
 *
 * @category layers
 */
export const layer = (
  options: NodeAgentOptions.Resolved
): Layer.Layer<PodSandbox, never, Ipam.Ipam | NetworkRuntime.NetworkRuntime | StorageEngine.StorageEngine | ZoneRuntime.ZoneRuntime> =>
  Layer.effect(
    PodSandbox,
    Effect.gen(function*() {
      const ipam = yield* Ipam.Ipam
      const network = yield* NetworkRuntime.NetworkRuntime
      const storage = yield* StorageEngine.StorageEngine
      const zones = yield* ZoneRuntime.ZoneRuntime
      const [listZones, forgetZones] = yield* Effect.cachedInvalidateWithTTL(zones.list, "1 second")

      const address = (pod: CoreV1.Pod) => {
        const { uid } = identityOf(pod)
        const shown = pod.status?.podIP
        return Effect.flatMap(ipam.find(uid), (lease) => {
          if (Option.isSome(lease)) return Effect.succeed(lease.value)
          // A zone that runs already has an address, even if the record of it was lost.
          return shown === undefined ? ipam.allocate(uid) : Effect.orElse(ipam.reserve(uid, shown), () => ipam.allocate(uid))
        })
      }

      const properties = (identity: Files.PodIdentity) => ({
        owner: options.clusterId,
        ns: identity.namespace,
        pod: identity.name
      })

      const ensure = (pod: CoreV1.Pod, lease: Ipam.Lease, fileSystems: ReadonlyArray<ZoneRuntime.ZoneFileSystem>) =>
        Effect.gen(function*() {
          const identity = identityOf(pod)
          const { link, zone } = namesOf(identity)
          const quota = PodResources.limits(pod).ephemeralStorageBytes
          const dataset = yield* storage.ensureZoneDataset({
            zone,
            uid: identity.uid,
            properties: properties(identity),
            ...(quota > 0 ? { quota } : {})
          })
          yield* network.ensureVnic({ name: link, over: options.stub })
          yield* zones.ensureRunning(zoneSpec(options, pod, lease, dataset.zonepath, fileSystems))
        }).pipe(Effect.ensuring(forgetZones))

      const remove = (identity: Files.PodIdentity) =>
        Effect.gen(function*() {
          const { link, zone } = namesOf(identity)
          // The containers have ended before: there is nothing in the zone that a shutdown could still ask to end.
          yield* zones.ensureRemoved(zone)
          yield* network.deleteVnic(link)
          yield* storage.destroyZoneDataset(zone)
          yield* ipam.release(identity.uid)
        }).pipe(Effect.ensuring(forgetZones))

      const fromAttributes = (zone: ZoneName.ZoneName) =>
        Effect.map(zones.attributes(zone), (attributes) => {
          const { attributeNames } = NodeAgentOptions
          const uid = attributes[attributeNames.uid]
          const name = attributes[attributeNames.pod]
          const namespace = attributes[attributeNames.namespace]
          const ours = attributes[attributeNames.owner] === options.clusterId
          return ours && uid !== undefined && name !== undefined && namespace !== undefined ? { namespace, name, uid } : undefined
        }).pipe(
          // A zone that cannot be asked is left alone: not knowing is no reason to remove anything.
          Effect.catchAll((error) => Effect.as(Effect.logDebug("attributes of a zone cannot be read", error), undefined))
        )

      const owned = Effect.gen(function*() {
        const summaries = yield* zones.list
        const states = new Map(summaries.map((zone) => [String(zone.name), zone.state]))
        const byZone = new Map<string, Files.PodIdentity>()
        for (const dataset of yield* storage.listOwned) {
          const { ns, owner, pod } = dataset.properties
          if (owner !== options.clusterId || ns === undefined || pod === undefined) continue
          byZone.set(dataset.zone, { namespace: ns, name: pod, uid: dataset.uid })
        }
        for (const { name } of summaries) {
          if (byZone.has(name)) continue
          const identity = yield* fromAttributes(name)
          if (identity !== undefined) byZone.set(name, identity)
        }
        return [...byZone].map(([zone, identity]) => ({ identity, zoneState: states.get(zone) }))
      })

      return PodSandbox.of({
        zoneStates: Effect.map(listZones, (list) => new Map(list.map((zone) => [String(zone.name), zone.state]))),
        address,
        findAddress: ipam.find,
        ensure,
        remove,
        owned,
        addressOwners: Effect.map(ipam.list, (leases) => leases.map((lease) => lease.owner)),
        releaseAddress: ipam.release,
        links: Effect.map(network.listVnics(LinkName.podLinkPrefix), (links) => links.map((link) => link.name)),
        removeLink: network.deleteVnic,
        prepareHost: Effect.gen(function*() {
          yield* storage.ensureDatasets
          yield* network.ensureEtherstub(options.stub)
          yield* network.ensureGateway({
            stub: options.stub,
            link: options.gatewayLink,
            address: `${ipam.pool.gateway}/${ipam.pool.prefixLength}`
          })
        })
      })
    })
  )
