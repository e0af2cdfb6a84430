/** The zone that a pod asks for. Pure. */
import type { CoreV1 } from "@reddwarf/api-types"
import type { Ipam } from "@reddwarf/ipam"
import type { ZoneResources, ZoneRuntime } from "@reddwarf/runtime-illumos"
import type * as Effect from "effect/Effect"
import { createHash } from "node:crypto"
import type * as ContainerRoots from "../container/ContainerRoots.js"
import * as NodeAgentOptions from "../NodeAgentOptions.js"
import * as PodHosts from "../network/PodHosts.js"
import * as StaticPod from "../static/StaticPod.js"
import type * as RootBeginnings from "../supervisor/RootBeginnings.js"
import type { SupervisorFileFailed } from "../supervisor/SupervisorError.js"
import type * as PodBrand from "./PodBrand.js"
import * as PodIdentity from "./PodIdentity.js"

/** What is known of a pod beside its object. @category models */
export interface PodFacts extends PodBrand.Facts {
  /** What the root of the zone is made from, for brands that install from an image: a ZFS snapshot, or an archive. */
  readonly image?: string | undefined
  /** The roots of the containers that have their own; absent where images are not used. */
  readonly roots?: ReadonlyArray<ContainerRoots.ContainerRoot> | undefined
  /** Keeps what these roots begin with for whoever starts containers again. */
  readonly remember?: ((beginnings: ReadonlyArray<RootBeginnings.RootBeginning>) => Effect.Effect<void, SupervisorFileFailed>) | undefined
}

/** What the node decides about the zone of a pod. @category models */
export interface ZoneDecisions {
  readonly brand: string
  readonly resources: ZoneResources.ZoneResources
  readonly image?: string | undefined
  /** Absent leaves name resolution to the image. */
  readonly dns?: ZoneRuntime.ZoneDns | undefined
}

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
  fileSystems: ReadonlyArray<ZoneRuntime.ZoneFileSystem>,
  { brand, dns, image, resources }: ZoneDecisions
): ZoneRuntime.ZoneSpec => {
  const identity = PodIdentity.identityOf(pod)
  const { link, zone } = PodIdentity.namesOf(identity)
  const { attributeNames } = NodeAgentOptions
  return {
    zoneName: zone,
    zonepath,
    brand,
    attributes: [
      { name: attributeNames.owner, value: options.clusterId },
      { name: attributeNames.uid, value: identity.uid },
      { name: attributeNames.namespace, value: identity.namespace },
      { name: attributeNames.pod, value: identity.name },
      { name: attributeNames.source, value: StaticPod.isStaticUid(identity.uid) ? "static" : "api" },
      { name: attributeNames.specHash, value: specHash(pod) },
      { name: attributeNames.schema, value: "1" }
    ],
    network: lease.addresses.map(({ address, gateway, prefixLength }) => ({ link, address: `${address}/${prefixLength}`, defaultRouter: gateway })),
    fileSystems,
    resources,
    hostname: PodHosts.nodename(pod, options.clusterDns.domain),
    rootFiles: PodHosts.rootFiles(pod, PodIdentity.addressesOf(lease), options.clusterDns.domain, fileSystems),
    ...(dns === undefined ? {} : { dns }),
    ...(image === undefined ? {} : { image })
  }
}
