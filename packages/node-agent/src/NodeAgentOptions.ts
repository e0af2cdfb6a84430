/** What a node agent must be told, and what it assumes when it is not. */
import { LinkName, ZoneBrands } from "@reddwarf/runtime-illumos"
import * as Duration from "effect/Duration"
import * as EvictionThresholds from "./eviction/EvictionThresholds.js"
import type * as NodeNetwork from "./network/NodeNetwork.js"
import type * as PodDns from "./network/PodDns.js"
import type * as Files from "./supervisor/SupervisorFiles.js"

/** @category models */
export interface NodeAgentOptions {
  readonly nodeName: string
  /** Where the agent keeps what must survive it; an absolute path. */
  readonly dataDir: string
  /** Which cluster the zones of this agent belong to. Zones of another owner are never touched. */
  readonly clusterId: string
  /** Address of the node: pods' `hostIP`, and where the kubelet API listens for the API server. */
  readonly nodeAddress: string
  /** Port of the kubelet API, as shown in the node's status. Default 10250. */
  readonly kubeletPort?: number
  /** Log folder of all pods. Default `<dataDir>/logs/pods`. */
  readonly logDir?: string
  /** Brands that pods may ask for, as shown in the node's label. Default: those found on the host. */
  readonly brands?: ReadonlyArray<string>
  /** Brand of a pod's zone that names none. Default `sparse`. */
  readonly defaultBrand?: string
  /** What is particular about which brand; give the same to `ZoneRuntime.layerWith`. Default: those of `ZoneBrands`. */
  readonly zoneBrands?: ZoneBrands.Registry
  /** Processes and threads one pod may have. Default 4096. */
  readonly podPidsLimit?: number
  /** Etherstub of the pods. Default `rdstub0`. */
  readonly stub?: string
  /** The node's own VNIC on the etherstub. Default `rdgw0`. */
  readonly gatewayLink?: string
  /** Ways out of the node, other nodes, MTU. Default: pods reach each other and the node. */
  readonly network?: NodeNetwork.NodeNetworkOptions
  /** Name resolution in pods. Default: no name servers of the cluster, so that pods use those of the node; domain `cluster.local`. */
  readonly clusterDns?: PodDns.ClusterDns
  /** Largest number of pods. Default 110. */
  readonly maxPods?: number
  /** Kept from pods for the host itself. Default 100 thousandths of a CPU. */
  readonly systemReservedCpuMillis?: number
  /** Kept from pods for the host itself. Default 256 MiB. */
  readonly systemReservedMemory?: number
  /** At which amounts pods are ended because the node runs short. Default those of the kubelet. */
  readonly evictionHard?: ReadonlyArray<EvictionThresholds.Threshold>
  /** How often the node is looked at for that. Default 10 s. */
  readonly evictionInterval?: Duration.DurationInput
  /** How long a shortage counts after it is over. Default 5 min. */
  readonly evictionTransitionPeriod?: Duration.DurationInput
  /** Version shown as kubeletVersion. */
  readonly version?: string
  /** Further labels of the node. */
  readonly labels?: Readonly<Record<string, string>>
  /**
   * Pods worked on at the same time. Default 64: a pass mostly waits for the host, which has limits of its own for what runs at once, and what
   * there is to show of a running pod must not wait for zones that are being made.
   */
  readonly parallelism?: number
  /** Waiting time before restarts of containers. Default 10 s doubling to 5 min, forgotten after 10 min. */
  readonly backOff?: Files.BackOffOptions
  /** First waiting time after a failed step, doubling to `retryMaxDelay`. Defaults 1 s and 2 min. */
  readonly retryDelay?: Duration.DurationInput
  readonly retryMaxDelay?: Duration.DurationInput
  /** How long after one look at every pod the next one begins. Default 30 s. */
  readonly resyncInterval?: Duration.DurationInput
  /** Directory of manifests whose pods run without the API; an absolute path. Default none. */
  readonly manifestDir?: string | undefined
  /** Longest wait for the recovery of the host after a crash. Default 30 min. */
  readonly recoveryCap?: Duration.DurationInput
  /** How often the recovery is asked about. Default 5 s. */
  readonly recoveryPoll?: Duration.DurationInput
  /** How often the network that all pods share is compared with the wanted one. Default 1 min. */
  readonly networkInterval?: Duration.DurationInput
  /** How often each gate of a pod is asked whether it is open. Default 10 s. */
  readonly gateProbeInterval?: Duration.DurationInput
  /** An orphan is removed only when two looks this far apart agree. Default 10 s. */
  readonly orphanConfirmation?: Duration.DurationInput
  /** How often the node's status is worked out; it is written when it changed, or every 5 minutes. Default 10 s. */
  readonly statusInterval?: Duration.DurationInput
  /** How often the node's lease is renewed. Default 10 s. */
  readonly leaseInterval?: Duration.DurationInput
  /** Time for steps in progress to end when the agent is shut down. Default 60 s. */
  readonly shutdownGrace?: Duration.DurationInput
  /** Whether the pods end with the agent, because the host is taken out of service. Default false. */
  readonly stopZonesOnExit?: boolean
  /** Time for all pods to end then, or when the host goes down. Default 120 s. */
  readonly nodeShutdownGrace?: Duration.DurationInput
  /** The last part of it, for critical pods. Default 30 s. */
  readonly nodeShutdownGraceCritical?: Duration.DurationInput
  /** Commands in containers, attached clients and port forwardings at the same time. Default 128. */
  readonly maxSessions?: number
  /** Log bytes per file, and files per attempt. Default 10 MiB and 5. */
  readonly logMaxBytes?: number
  readonly logMaxFiles?: number
}

/**
 * The options with everything filled in.
 *
 * @category models
 */
export interface Resolved extends Required<Omit<NodeAgentOptions, "stub" | "gatewayLink" | "brands" | "manifestDir">>, Pick<NodeAgentOptions, "brands" | "manifestDir"> {
  readonly stub: LinkName.LinkName
  readonly gatewayLink: LinkName.LinkName
}

const mebibyte = 1024 * 1024

/** @category constructors */
export const resolve = (options: NodeAgentOptions): Resolved => ({
  kubeletPort: 10_250,
  logDir: `${options.dataDir}/logs/pods`,
  defaultBrand: "sparse",
  zoneBrands: ZoneBrands.standard,
  podPidsLimit: 4096,
  network: {},
  clusterDns: { servers: [], domain: "cluster.local" },
  maxPods: 110,
  systemReservedCpuMillis: 100,
  systemReservedMemory: 256 * mebibyte,
  evictionHard: EvictionThresholds.defaults,
  evictionInterval: Duration.seconds(10),
  evictionTransitionPeriod: Duration.minutes(5),
  version: "v1.36.0+reddwarf",
  labels: {},
  parallelism: 64,
  backOff: { initialMillis: 10_000, maxMillis: 300_000, resetMillis: 600_000 },
  retryDelay: Duration.seconds(1),
  retryMaxDelay: Duration.minutes(2),
  resyncInterval: Duration.seconds(30),
  recoveryCap: Duration.minutes(30),
  recoveryPoll: Duration.seconds(5),
  networkInterval: Duration.minutes(1),
  gateProbeInterval: Duration.seconds(10),
  orphanConfirmation: Duration.seconds(10),
  statusInterval: Duration.seconds(10),
  leaseInterval: Duration.seconds(10),
  shutdownGrace: Duration.seconds(60),
  stopZonesOnExit: false,
  nodeShutdownGrace: Duration.seconds(120),
  nodeShutdownGraceCritical: Duration.seconds(30),
  maxSessions: 128,
  logMaxBytes: 10 * mebibyte,
  logMaxFiles: 5,
  ...options,
  stub: LinkName.make(options.stub ?? "rdstub0"),
  gatewayLink: LinkName.make(options.gatewayLink ?? "rdgw0")
})

/** Attributes by which a zone is recognised (names as zonecfg allows them). @category models */
export const attributeNames = {
  owner: "reddwarf-owner",
  uid: "reddwarf-uid",
  namespace: "reddwarf-ns",
  pod: "reddwarf-pod",
  source: "reddwarf-source",
  specHash: "reddwarf-spec-hash",
  schema: "reddwarf-schema"
} as const
