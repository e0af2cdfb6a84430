/** The Node object of this host: labels, capacity, addresses, system information. Pure. */
import { type CoreV1, Quantity } from "@reddwarf/api-types"
import type { HostCapabilities, HostInfo } from "@reddwarf/runtime-illumos"
import { sameJson } from "../internal/sameJson.js"
import type * as NodeAgentOptions from "../NodeAgentOptions.js"
import * as NodeConditions from "./NodeConditions.js"
import * as NodeLabels from "./NodeLabels.js"

/** What does not change while the host runs. @category models */
export interface HostFacts {
  readonly host: HostInfo.HostInfo
  readonly capabilities: HostCapabilities.HostCapabilities
  /** Bytes. */
  readonly poolSize: number
  /** Changes with every boot of the host. */
  readonly bootId: string
}

/** What containers can use, in plain numbers. @category models */
export interface Allocatable {
  readonly cpuMillis: number
  readonly memoryBytes: number
  readonly ephemeralStorageBytes: number
}

/** Part of the pool that pods cannot have: below this, the node is under disk pressure. */
const usableStorage = 1 - NodeConditions.diskThreshold

/** @category constructors */
export const allocatable = (options: NodeAgentOptions.Resolved, facts: HostFacts): Allocatable => ({
  cpuMillis: Math.max(0, facts.host.cpus * 1000 - options.systemReservedCpuMillis),
  memoryBytes: Math.max(0, facts.host.memoryBytes - options.systemReservedMemory),
  ephemeralStorageBytes: Math.floor(facts.poolSize * usableStorage)
})

/** The labels the agent keeps on its node. @category constructors */
export const labels = (options: NodeAgentOptions.Resolved, facts: HostFacts): Readonly<Record<string, string>> => ({
  ...options.labels,
  "kubernetes.io/hostname": options.nodeName,
  "kubernetes.io/os": "illumos",
  "kubernetes.io/arch": "amd64",
  ...NodeLabels.of(facts.capabilities, NodeLabels.brandsOf(facts.capabilities, options))
})

/** In the form the API server would give it, so that what is read back equals what was written. */
const bytes = (count: number): string => Quantity.toCanonical(Quantity.fromBytes(count))

/**
 * The status to show at `now`, milliseconds since the epoch.
 *
 * @category constructors
 */
export const of = (
  options: NodeAgentOptions.Resolved,
  facts: HostFacts,
  measurements: NodeConditions.Measurements,
  before: CoreV1.NodeStatus | undefined,
  now: number
): CoreV1.NodeStatus => {
  const free = allocatable(options, facts)
  const { host } = facts
  return {
    capacity: {
      cpu: String(host.cpus),
      memory: bytes(host.memoryBytes),
      "ephemeral-storage": bytes(facts.poolSize),
      pods: String(options.maxPods)
    },
    allocatable: {
      cpu: Quantity.toCanonical(Quantity.fromMillis(free.cpuMillis)),
      memory: bytes(free.memoryBytes),
      "ephemeral-storage": bytes(free.ephemeralStorageBytes),
      pods: String(options.maxPods)
    },
    conditions: NodeConditions.of(before?.conditions, measurements, now),
    addresses: [{ type: "InternalIP", address: options.nodeAddress }, { type: "Hostname", address: options.nodeName }],
    daemonEndpoints: { kubeletEndpoint: { Port: options.kubeletPort } },
    nodeInfo: {
      machineID: options.nodeName,
      systemUUID: options.nodeName,
      bootID: facts.bootId,
      kernelVersion: host.kernelVersion,
      osImage: host.distribution === "illumos" ? "illumos" : `${host.distribution} (illumos)`,
      containerRuntimeVersion: `zones://${host.osRelease}`,
      kubeletVersion: options.version,
      kubeProxyVersion: "",
      operatingSystem: "illumos",
      architecture: "amd64"
    }
  }
}

/**
 * Whether two statuses say the same about the node, heartbeat times aside.
 *
 * @category combinators
 */
export const same = (a: CoreV1.NodeStatus | undefined, b: CoreV1.NodeStatus): boolean =>
  sameJson([a?.addresses, a?.allocatable, a?.capacity, a?.daemonEndpoints, a?.nodeInfo], [
    b.addresses,
    b.allocatable,
    b.capacity,
    b.daemonEndpoints,
    b.nodeInfo
  ]) && NodeConditions.same(a?.conditions, b.conditions)
