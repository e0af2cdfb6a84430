/** What a pod needs from the host before a container can run: address, dataset, VNIC, zone. Every step can be repeated. */
import { type CoreV1, PodResources } from "@reddwarf/api-types"
import { Ipam, type IpamError } from "@reddwarf/ipam"
import {
  type BrandSelection,
  CommandRunner,
  HostCapabilities,
  type HostError,
  CommandLine,
  LinkName,
  NetworkRuntime,
  type Saga,
  type ZoneResources,
  ZoneRuntime
} from "@reddwarf/runtime-illumos"
import { StorageEngine, type StorageError } from "@reddwarf/storage-zfs"
import type { Plan } from "@reddwarf/plans"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Ref from "effect/Ref"
import type * as NodeAgentOptions from "../NodeAgentOptions.js"
import * as NetworkRepair from "../network/NetworkRepair.js"
import type * as ContainerRoots from "../container/ContainerRoots.js"
import * as RootVersions from "../plan/RootVersions.js"
import * as ZoneCaps from "../plan/ZoneCaps.js"
import * as ZoneConfigs from "../plan/ZoneConfigs.js"
import * as PodBrand from "./PodBrand.js"
import * as PodCaps from "./PodCaps.js"
import * as PodDns from "../network/PodDns.js"
import type { PodRejected } from "./PodError.js"
import * as OwnedPods from "./OwnedPods.js"
import { addressesOf, identityOf, namesOf, shownAddresses } from "./PodIdentity.js"
import * as PodResize from "./PodResize.js"
import type { PodFacts } from "./PodZone.js"
import * as PodZone from "./PodZone.js"
import * as SandboxContainerRoots from "./SandboxContainerRoots.js"
import type * as SandboxSteps from "./SandboxSteps.js"
import type { SupervisorFileFailed } from "../supervisor/SupervisorError.js"
import type * as Files from "../supervisor/SupervisorFiles.js"

export { addressesOf, identityOf, type Names, namesOf, shownAddresses } from "./PodIdentity.js"

/** @category errors */
export type SandboxError =
  | BrandSelection.BrandRefused
  | HostError.HostError
  | PodRejected
  | ZoneConfigs.ZoneConfigRecordFailed
  | StorageError.StorageError
  | IpamError.AddressPoolExhausted
  | IpamError.LeaseStorageFailed
  | SupervisorFileFailed

/**
 * Whether the node cannot make the zone that the pod asks for, however often it is tried.
 *
 * @category errors
 */
export const isRefused = (error: { readonly _tag: string }): error is BrandSelection.BrandRefused =>
  ["BrandConflict", "BrandUnavailable", "PlatformUnsupported"].includes(error._tag)

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
  /** Brings the zone of the pod up step by step; nothing has been done when this returns. Gives what users must know about it, too. */
  readonly bringing: (
    pod: CoreV1.Pod,
    lease: Ipam.Lease,
    fileSystems: ReadonlyArray<ZoneRuntime.ZoneFileSystem>,
    facts?: PodFacts
  ) => Effect.Effect<SandboxSteps.Bringing<SandboxError>, SandboxError>
  /** Makes the root of a container that comes while the zone runs, with its files; `mounts` is what will be mounted in it. */
  readonly addRoot: (
    pod: CoreV1.Pod,
    root: ContainerRoots.ContainerRoot,
    mounts: ReadonlyArray<ZoneRuntime.ZoneFileSystem>
  ) => Effect.Effect<void, SandboxError>
  /** Gives the zone and the link of a running pod the bounds that follow from the pod as it is now. */
  readonly resize: (pod: CoreV1.Pod) => Effect.Effect<ZoneRuntime.ResourceOutcome, SandboxError>
  /** The bounds that follow from the pod as it is now. */
  readonly resources: (pod: CoreV1.Pod) => Effect.Effect<ZoneResources.ZoneResources, SandboxError>
  /** The brand that its zone has or would get; empty while its image decides and is not here. */
  readonly brandOf: (pod: CoreV1.Pod) => Effect.Effect<string, SandboxError>
  /** Those of them that hold for its running zone, under the names of a ZoneInstance. */
  readonly liveCaps: (pod: CoreV1.Pod) => Effect.Effect<Plan.Caps, SandboxError>
  /** The roots of its zone. */
  readonly roots: RootVersions.RootVersions
  /** Removes one part of it: of zone, VNIC, dataset, address. An absent one is fine. */
  readonly removeStep: (identity: Files.PodIdentity, name: SandboxSteps.RemovalName) => Effect.Effect<void, SandboxError>
  /** Every pod of which something is on the host. */
  readonly owned: Effect.Effect<ReadonlyArray<OwnedPods.OwnedPod>, SandboxError>
  /** Uids that hold an address. */
  readonly addressOwners: Effect.Effect<ReadonlyArray<string>>
  readonly releaseAddress: (uid: string) => Effect.Effect<void, SandboxError>
  /** VNICs made for pods. */
  readonly links: Effect.Effect<ReadonlyArray<LinkName.LinkName>, SandboxError>
  readonly removeLink: (link: LinkName.LinkName) => Effect.Effect<void, SandboxError>
  /** Makes what all pods share: parent datasets, etherstub, gateway; and leases again what the zones that run use. */
  readonly prepareHost: Effect.Effect<void, SandboxError>
  /** Compares the network of the node with what is wanted and repairs it. Gives the uids of pods whose own links are not as wanted. */
  readonly repairNetwork: (known: NetworkRepair.Known) => Effect.Effect<ReadonlyArray<string>, SandboxError>
  /** Looks for zones among these whose stored configuration somebody has changed. Gives their names. */
  readonly changedZones: (zones: ReadonlySet<string>) => Effect.Effect<ReadonlySet<string>, SandboxError>
  /** What is wrong with the stored configuration of the zone of a pod that is among those. Undefined while it was not looked at. */
  readonly configurationFaults: (identity: Files.PodIdentity) => Effect.Effect<ZoneConfigs.Faults | undefined, SandboxError>
  /** Stores the configuration of the zone of a pod again as this agent had stored it. */
  readonly restoreConfiguration: (identity: Files.PodIdentity) => Effect.Effect<void, SandboxError>
  /** What is wrong with the link of a pod for which that gave its uid. */
  readonly linkFaults: (pod: CoreV1.Pod) => Effect.Effect<ReadonlyArray<string>, SandboxError>
  /** Brings the link of a running pod in line with what is wanted. */
  readonly repairLink: (pod: CoreV1.Pod) => Effect.Effect<void, SandboxError>
}>() {}

/**
 * On the host's services.
 *
 * @category layers
 */
export const layer = (
  options: NodeAgentOptions.Resolved
): Layer.Layer<
  PodSandbox,
  never,
  CommandRunner.CommandRunner | Ipam.Ipam | NetworkRuntime.NetworkRuntime | StorageEngine.StorageEngine | ZoneRuntime.ZoneRuntime
> =>
  Layer.effect(
    PodSandbox,
    Effect.gen(function*() {
      const runner = yield* CommandRunner.CommandRunner
      const ipam = yield* Ipam.Ipam
      const network = yield* NetworkRuntime.NetworkRuntime
      const storage = yield* StorageEngine.StorageEngine
      const zones = yield* ZoneRuntime.ZoneRuntime
      const configs = ZoneConfigs.make({ directory: `${options.dataDir}/zone-configurations`, zones })
      const [listZones, forgetZones] = yield* Effect.cachedInvalidateWithTTL(zones.list, "1 second")
      // One index for all who ask within that second: each pass over a pod does so many times.
      let index: { readonly list: unknown; readonly byName: ReadonlyMap<string, ZoneRuntime.ZoneSummary>; readonly states: ReadonlyMap<string, string> } | undefined
      const zoneIndex = Effect.map(listZones, (list) => {
        if (index?.list === list) return index
        const byName = new Map(list.map((zone) => [String(zone.name), zone]))
        index = { list, byName, states: new Map([...byName].map(([name, { state }]) => [name, state])) }
        return index
      })

      const address = (pod: CoreV1.Pod) => {
        const { uid } = identityOf(pod)
        const [first, ...others] = shownAddresses(pod)
        return Effect.flatMap(ipam.find(uid), (lease) => {
          if (Option.isSome(lease)) return Effect.succeed(lease.value)
          // A zone that runs already has an address, even if the record of it was lost.
          return first === undefined ? ipam.allocate(uid) : Effect.orElse(ipam.reserve(uid, [first, ...others]), () => ipam.allocate(uid))
        })
      }

      const readResolver = runner.run(CommandLine.make("/usr/bin/cat", "/etc/resolv.conf")).pipe(
        // A host without the file asks nobody.
        Effect.map(({ exitCode, stdout }) => PodDns.parse(exitCode === 0 ? stdout : ""))
      )
      /** How the node itself resolves names; it may move from one network to another. */
      const nodeResolver = yield* Effect.cachedWithTTL(readResolver, "30 seconds")

      const properties = (identity: Files.PodIdentity) => ({
        owner: options.clusterId,
        ns: identity.namespace,
        pod: identity.name
      })

      const known = yield* Ref.make<HostCapabilities.HostCapabilities | undefined>(undefined)
      /** Read when the first pod comes, and not again: it does not change while the host runs. */
      const capabilities = Effect.flatMap(Ref.get(known), (found) =>
        found !== undefined
          ? Effect.succeed(found)
          : HostCapabilities.read.pipe(
            Effect.provideService(CommandRunner.CommandRunner, runner),
            Effect.tap((read) => Ref.set(known, read))
          ))

      const brandsOf = (host: HostCapabilities.HostCapabilities): PodBrand.NodeBrands => ({
        profiles: options.zoneBrands,
        installed: options.brands?.map((name) => ({ name })) ?? host.brands,
        defaultBrand: options.defaultBrand
      })

      const capsOf = (pod: CoreV1.Pod, host: HostCapabilities.HostCapabilities): ZoneResources.ZoneResources =>
        PodCaps.of(pod, { pidsLimit: options.podPidsLimit, zfsIoPriority: host.zonecfgDialect === "omnios" })

      /** What a zone stands on. Nothing of a pod's is on it before its zone is configured, so that alone decides what may be taken back. */
      const foundations = (
        identity: Files.PodIdentity,
        wanted: {
          /** Bytes; 0 for none. */
          readonly quota: number
          readonly maxbw: number | undefined
          readonly onDataset: (dataset: StorageEngine.ZoneDataset) => Effect.Effect<void, SandboxError>
        }
      ): ReadonlyArray<Saga.Step<SandboxError>> => {
        const { link, zone } = namesOf(identity)
        const exists = Effect.map(listZones, (list) => list.some(({ name }) => name === zone))
        return [
          {
            name: "dataset",
            exists,
            ensure: Effect.flatMap(
              storage.ensureZoneDataset({
                zone,
                uid: identity.uid,
                properties: properties(identity),
                ...(wanted.quota > 0 ? { quota: wanted.quota } : {})
              }),
              wanted.onDataset
            ),
            remove: storage.destroyZoneDataset(zone)
          },
          {
            name: "link",
            exists,
            ensure: Effect.asVoid(network.ensureVnic({ name: link, over: options.stub, maxbw: wanted.maxbw, mtu: options.network.mtu })),
            remove: network.deleteVnic(link)
          }
        ]
      }

      const provisioning = (
        pod: CoreV1.Pod,
        lease: Ipam.Lease,
        fileSystems: ReadonlyArray<ZoneRuntime.ZoneFileSystem>,
        facts: PodFacts = {}
      ) =>
        Effect.gen(function*() {
          const identity = identityOf(pod)
          const { link, zone } = namesOf(identity)
          const host = yield* capabilities
          const { brand } = yield* PodBrand.of(pod, facts, brandsOf(host))
          const resolution = PodDns.of(pod, options.clusterDns, yield* nodeResolver)
          const decisions = {
            brand: brand.name,
            dns: resolution.dns,
            // A resize that has not come to its turn must not slip in by a reboot.
            resources: capsOf(PodResize.allocated(pod), host),
            image: facts.image
          }
          const maxbw = yield* PodCaps.linkLimit(pod)
          const zonepath = yield* Ref.make("")
          const roots = yield* Ref.make<SandboxContainerRoots.Roots>({ fileSystems: [], prepared: false })
          const names = { addresses: addressesOf(lease), clusterDomain: options.clusterDns.domain, dns: resolution.dns }
          const onDataset = (dataset: StorageEngine.ZoneDataset) =>
            SandboxContainerRoots.ensure({ runner, storage, zones }, dataset, { pod, uid: identity.uid, roots: facts.roots, fileSystems, names, remember: facts.remember }).pipe(
              Effect.flatMap((made) => Ref.set(roots, made)),
              Effect.zipRight(Ref.set(zonepath, dataset.zonepath))
            )
          const quota = PodResources.limits(pod).ephemeralStorageBytes
          const under = foundations(identity, { quota, maxbw, onDataset })
          // Known from the step that made the dataset, unless another agent took that step.
          const path = Effect.tap(Ref.get(zonepath), (known) => known === "" ? under[0]?.ensure ?? Effect.void : Effect.void).pipe(
            Effect.zipRight(Ref.get(zonepath))
          )
          const plan: ZoneRuntime.Provisioning<SandboxError> = {
            zone,
            foundations: under,
            spec: Effect.flatMap(path, (path) =>
              Effect.map(Ref.get(roots), (made) => PodZone.zoneSpec(options, pod, lease, path, [...made.fileSystems, ...fileSystems], decisions))),
            // zoneadmd protects against foreign IP addresses only; what it set is taken away when the zone halts.
            afterwards: [{
              name: "protection",
              exists: Effect.succeed(true),
              ensure: network.protectVnic(link, addressesOf(lease)),
              remove: Effect.void
            }]
          }
          /** Roots that were made while the zone ran, as those of other images are, have neither files nor a beginning before it boots. */
          const prepared = Effect.flatMap(Ref.get(roots), (made) => made.prepared ? Effect.void : under[0]?.ensure ?? Effect.void)
          return { plan, events: resolution.events, brand: brand.name, prepared }
        })

      const bringing = (
        pod: CoreV1.Pod,
        lease: Ipam.Lease,
        fileSystems: ReadonlyArray<ZoneRuntime.ZoneFileSystem>,
        facts?: PodFacts
      ) =>
        Effect.map(provisioning(pod, lease, fileSystems, facts), ({ brand, events, plan, prepared }): SandboxSteps.Bringing<SandboxError> => ({
          events,
          brand,
          lease,
          spec: plan.spec,
          step: (name) =>
            Effect.zipRight(name === "boot" ? prepared : Effect.void, Effect.ensuring(zones.provisionStep(plan, name), forgetZones)).pipe(
              Effect.zipLeft(name !== "configuration" ? Effect.void : Effect.flatMap(Effect.flatMap(plan.spec, zones.configurationOf), (config) => configs.remember(plan.zone, config)))
            )
        }))

      const addRoot = (pod: CoreV1.Pod, root: ContainerRoots.ContainerRoot, mounts: ReadonlyArray<ZoneRuntime.ZoneFileSystem>) =>
        Effect.gen(function*() {
          const identity = identityOf(pod)
          const lease = yield* address(pod)
          const { dns } = PodDns.of(pod, options.clusterDns, yield* nodeResolver)
          const names = { addresses: addressesOf(lease), clusterDomain: options.clusterDns.domain, dns }
          const wanted = { pod, uid: identity.uid, fileSystems: mounts, names }
          yield* SandboxContainerRoots.add({ runner, storage, zones }, namesOf(identity).zone, wanted, root)
        })

      const resize = (pod: CoreV1.Pod) =>
        Effect.gen(function*() {
          const { zone } = namesOf(identityOf(pod))
          const resources = capsOf(pod, yield* capabilities)
          return yield* Effect.zipLeft(zones.setResources(zone, resources), configs.resized(zone, resources))
        })

      const removal = (identity: Files.PodIdentity): ZoneRuntime.Deprovisioning<SandboxError> => {
        const address: Saga.Step<SandboxError> = {
          name: "address",
          exists: Effect.map(ipam.find(identity.uid), Option.isSome),
          ensure: Effect.void,
          remove: ipam.release(identity.uid)
        }
        return {
          zone: namesOf(identity).zone,
          foundations: [address, ...foundations(identity, { quota: 0, maxbw: undefined, onDataset: () => Effect.void })]
        }
      }

      const owned = OwnedPods.list(options.clusterId, { storage, zones })

      const repair = NetworkRepair.make(options, {
        runner,
        ipam,
        network,
        running: Effect.map(zones.list, (list) => {
          const running = new Set<string>(list.flatMap(({ name, state }) => state === "running" ? [name] : []))
          return (pod) => {
            const identity = identityOf(pod)
            const { link, zone } = namesOf(identity)
            return running.has(zone) ? { uid: identity.uid, link } : undefined
          }
        })
      })

      return PodSandbox.of({
        zoneStates: Effect.map(zoneIndex, ({ states }) => states),
        address,
        findAddress: ipam.find,
        bringing,
        addRoot,
        resize,
        resources: (pod) => Effect.map(capabilities, (host) => capsOf(pod, host)),
        brandOf: (pod) =>
          Effect.map(zoneIndex, ({ byName }) =>
            byName.get(namesOf(identityOf(pod)).zone)?.brand ?? pod.metadata.annotations?.[PodBrand.annotation] ?? ""),
        liveCaps: (pod) =>
          Effect.flatMap(capabilities, (host) => ZoneCaps.live(runner, namesOf(identityOf(pod)).zone, capsOf(pod, host))),
        roots: RootVersions.make(storage, (identity) => namesOf(identity).zone),
        removeStep: (identity, name) =>
          Effect.ensuring(zones.deprovisionStep(removal(identity), name), forgetZones).pipe(
            Effect.zipRight(name === "configuration" ? configs.forget(namesOf(identity).zone) : Effect.void),
            // Records of this agent hold nothing up: the next zone of the name gets another one, and leases of pods that are gone are given back later.
            Effect.catchIf(
              (error) => error._tag === "LeaseStorageFailed" || error._tag === "ZoneConfigRecordFailed",
              (error) => Effect.logWarning("a record of a pod that ends is left", error)
            )
          ),
        owned,
        addressOwners: Effect.map(ipam.list, (leases) => leases.map((lease) => lease.owner)),
        releaseAddress: ipam.release,
        links: Effect.map(network.listVnics(LinkName.podLinkPrefix), (links) => links.map((link) => link.name)),
        removeLink: network.deleteVnic,
        prepareHost: Effect.gen(function*() {
          yield* storage.ensureDatasets
          yield* repair.network({})
          yield* repair.leases((yield* owned).map(({ identity }) => ({ uid: identity.uid, link: namesOf(identity).link })))
        }),
        repairNetwork: repair.network,
        changedZones: configs.look,
        configurationFaults: (identity) => configs.faults(namesOf(identity).zone),
        restoreConfiguration: (identity) => configs.restore(namesOf(identity).zone),
        linkFaults: repair.faults,
        repairLink: repair.link
      })
    })
  )
