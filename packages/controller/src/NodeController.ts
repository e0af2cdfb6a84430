/**
 * Watches over the nodes: notices those that fall silent, and keeps their taints in line with their conditions.
 *
 * A node is heard of when its Lease in `kube-node-lease` or the heartbeat of its Ready condition changes. When nothing changed for the
 * grace period, measured by this process's clock, its conditions become `Unknown`, once; it is tainted as unreachable, and its pods lose
 * their Ready condition. When the agent reports again, that report stands and the taints go.
 *
 * Pods are driven from failed nodes by `NoExecute` taints, and those come at a limited rate: few nodes per second, fewer or none when most
 * of a zone fails at once, and none when no node at all is ready. `NoSchedule` taints come at once, always.
 *
 * A controller that has just started, or that was itself stopped for a while, gives every node the whole grace period.
 */
import { type CoordinationV1, type CoreV1, Kinds } from "@reddwarf/api-types"
import { type ApiClient, ClientError, type EventRecorder, Informer } from "@reddwarf/client"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import * as ClusterInformers from "./ClusterInformers.js"
import * as Controller from "./Controller.js"
import * as conditions from "./internal/conditions.js"
import * as environment from "./internal/environment.js"
import * as heartbeats from "./internal/heartbeats.js"
import * as nodeTaints from "./internal/nodeTaints.js"
import { isRoutine } from "./internal/routine.js"
import * as zones from "./internal/zones.js"
import { Outcome } from "./Reconciler.js"

/**
 * How long a node may be silent, and how often all are visited.
 *
 * @category models
 */
export interface Options {
  /** Silence after which a node counts as unreachable: 50 seconds unless given. */
  readonly nodeMonitorGracePeriod?: Duration.DurationInput
  /** The same for a node whose agent has never reported a Ready condition: 60 seconds unless given. */
  readonly nodeStartupGracePeriod?: Duration.DurationInput
  /** Nodes per second, in each zone, whose pods are driven away when they fail: 0.1 unless given. */
  readonly evictionRate?: number
  /** The same when most of a large zone is down: 0.01 unless given. */
  readonly secondaryEvictionRate?: number
  /** Nodes above which a zone is large; in a smaller one nothing is driven away while most of it is down. 50 unless given. */
  readonly largeZoneThreshold?: number
  /** Time between visits of all nodes: 30 seconds unless given. */
  readonly resync?: Duration.DurationInput
  /** Nodes that are looked at concurrently: 4 unless given. */
  readonly workers?: number
  /** Informers that are shared with other controllers; its own unless given. */
  readonly informers?: ClusterInformers.ClusterInformers | undefined
}

/** Conditions that the node's agent reports. */
const reportedTypes = ["Ready", "MemoryPressure", "DiskPressure", "PIDPressure"]

const leaseNamespace = "kube-node-lease"
const podWrites = 8

const readyOf = (node: CoreV1.Node) => conditions.find(node.status?.conditions, "Ready")

const heartbeatOf = (node: CoreV1.Node, lease: CoordinationV1.Lease | undefined): string =>
  JSON.stringify([node.metadata.uid, lease?.spec?.renewTime, readyOf(node)?.lastHeartbeatTime])

/** The conditions of a node that fell silent; the same array if they say so already. */
const silenced = (node: CoreV1.Node, now: number): ReadonlyArray<CoreV1.NodeCondition> => {
  const reported = node.status?.conditions ?? []
  return reportedTypes.reduce<ReadonlyArray<CoreV1.NodeCondition>>((all, type) => {
    const condition = conditions.find(all, type)
    if (condition?.status === "Unknown") return all
    return conditions.set(
      all,
      condition === undefined
        ? { type, status: "Unknown", reason: "NodeStatusNeverUpdated", message: "Kubelet never posted node status." }
        : { ...condition, status: "Unknown", reason: "NodeStatusUnknown", message: "Kubelet stopped posting node status." },
      now
    )
  }, reported)
}

/**
 * Whether the pod still says that it is ready although its node is not. A change of the pod that is newer than that of the node is what the
 * node's agent knows better; an agent that is silent knows nothing.
 */
const claimsReady = (pod: CoreV1.Pod, nodeReady: CoreV1.NodeCondition): boolean => {
  const ready = conditions.find(pod.status?.conditions, "Ready")
  if (ready?.status !== "True") return false
  return nodeReady.status === "Unknown" || (ready.lastTransitionTime ?? "") <= (nodeReady.lastTransitionTime ?? "")
}

/**
 * Starts the controller, which then runs as long as the scope. Waits for its informers.
 *
 * @category constructors
 */
export const run = Effect.fnUntraced(function*(
  options: Options = {}
): Effect.fn.Return<void, never, ApiClient.ApiClient | EventRecorder.EventRecorder | Scope.Scope> {
  const { client, now, recorder } = yield* environment.get
  const graceMillis = Duration.toMillis(options.nodeMonitorGracePeriod ?? "50 seconds")
  const startupMillis = Duration.toMillis(options.nodeStartupGracePeriod ?? "60 seconds")
  const { nodes, pods } = options.informers ?? { nodes: yield* ClusterInformers.nodes, pods: yield* ClusterInformers.pods }
  const leases = yield* Informer.make({ kind: Kinds.lease, namespace: leaseNamespace })
  const evictions = zones.limiter({
    normal: options.evictionRate ?? 0.1,
    partial: options.secondaryEvictionRate ?? 0.01,
    largeZone: options.largeZoneThreshold ?? 50
  })
  const census = zones.census()
  const unsubscribe = nodes.onChange((event) => {
    if (event.type === "updated") census.remove(event.old)
    if (event.type === "deleted") census.remove(event.object)
    else census.add(event.object)
  })
  yield* Effect.addFinalizer(() => Effect.sync(unsubscribe))
  const heard = heartbeats.make(now())
  yield* Effect.forkScoped(Effect.schedule(Effect.sync(() => heard.tick(now())), Schedule.spaced("5 seconds")))
  /** Nodes that were announced, with the last Ready status that was seen. */
  const known = new Map<string, { readonly node: CoreV1.Node; readonly ready: string | undefined }>()

  const announce = (node: CoreV1.Node): Effect.Effect<void> =>
    Effect.suspend(() => {
      const name = node.metadata.name ?? ""
      const before = known.get(name)
      const ready = readyOf(node)?.status
      known.set(name, { node, ready })
      if (before === undefined || before.node.metadata.uid !== node.metadata.uid) {
        return recorder.event(node, "Normal", "RegisteredNode", `Node ${name} event: Registered Node ${name} in Controller`)
      }
      return before.ready === "True" && ready !== undefined && ready !== "True"
        ? recorder.event(node, "Normal", "NodeNotReady", `Node ${name} status is now: NodeNotReady`)
        : Effect.void
    })

  const forget = (name: string): Effect.Effect<void> =>
    Effect.suspend(() => {
      const before = known.get(name)
      known.delete(name)
      heard.forget(name)
      return before === undefined
        ? Effect.void
        : recorder.event(before.node, "Normal", "RemovingNode", `Node ${name} event: Removing Node ${name} from Controller`)
    })

  const markSilent = (node: CoreV1.Node) => {
    const next = silenced(node, now())
    return next === node.status?.conditions
      ? Effect.succeed(node)
      : client.updateStatus(Kinds.node, { ...node, status: { ...node.status, conditions: next } })
  }

  /** Milliseconds until the node may be given its `NoExecute` taint; 0 if it may now, or needs or has none. */
  const evictionDelay = (node: CoreV1.Node): number => {
    if (!nodeTaints.isFailed(node)) return 0
    const disruption = census.disruptionOf(node, nodes.get(node.metadata.name ?? ""))
    if (nodeTaints.isEvicting(node) && !disruption.isTotal) return 0
    return evictions.admit(zones.zoneOf(node), disruption, now())
  }

  const correctTaints = (node: CoreV1.Node, evict: boolean) => {
    const taints = nodeTaints.correct(node, now(), evict)
    const { name = "", resourceVersion } = node.metadata
    return taints === undefined
      ? Effect.succeed(node)
      : client.patch(Kinds.node, { name }, { metadata: { resourceVersion }, spec: { taints: taints.length === 0 ? null : taints } })
  }

  const markPods = (node: CoreV1.Node) => {
    const nodeReady = readyOf(node)
    if (nodeReady === undefined || nodeReady.status === "True") return Effect.void
    const claiming = pods.byIndex("node", node.metadata.name ?? "").filter((pod) => claimsReady(pod, nodeReady))
    return Effect.forEach(claiming, (pod) => {
      const { name = "", namespace, resourceVersion } = pod.metadata
      const next = conditions.set(pod.status?.conditions ?? [], { type: "Ready", status: "False", reason: "NodeNotReady" }, now())
      const patch = { metadata: { resourceVersion }, status: { conditions: next } }
      return client.patch(Kinds.pod, { namespace, name }, patch, { subresource: "status" }).pipe(
        Effect.zipRight(recorder.event(pod, "Warning", "NodeNotReady", "Node is not ready")),
        Effect.catchIf(ClientError.isNotFound, () => Effect.void)
      )
    }, { concurrency: podWrites, discard: true })
  }

  /** Milliseconds until the node counts as silent; at most 0 if it does now. */
  const patience = (node: CoreV1.Node, lease: CoordinationV1.Lease | undefined, source: "watch" | "read"): number => {
    const at = now()
    const grace = readyOf(node) === undefined ? startupMillis : graceMillis
    return heard.observe(node.metadata.name ?? "", heartbeatOf(node, lease), at, source) + grace - at
  }

  const reconcile = Effect.fnUntraced(function*(name: string): Effect.fn.Return<Outcome, ClientError.ClientError> {
    const cached = nodes.get(name)
    if (cached === undefined) {
      yield* forget(name)
      return Outcome.Settled()
    }
    yield* announce(cached)
    let current = cached
    let left = patience(cached, leases.get(`${leaseNamespace}/${name}`), "watch")
    if (left <= 0) {
      // The watch of this process may be what is silent. So nothing is concluded before the server was asked.
      current = yield* client.get(Kinds.node, { name })
      const lease = yield* client.get(Kinds.lease, { namespace: leaseNamespace, name }).pipe(
        Effect.catchIf(ClientError.isNotFound, () => Effect.succeed(undefined))
      )
      left = patience(current, lease, "read")
      if (left <= 0) current = yield* markSilent(current)
    }
    const delay = evictionDelay(current)
    const tainted = yield* correctTaints(current, delay === 0)
    yield* announce(tainted)
    yield* markPods(tainted)
    const waits = [left, delay].filter((millis) => millis > 0)
    return waits.length > 0 ? Outcome.RequeueAfter({ delay: Math.min(...waits) }) : Outcome.Settled()
  })

  /**
   * Whether a node has to be looked at because of its lease. That of a node which counts as alive anyway is only noted: every node renews
   * its lease every ten seconds.
   */
  const hears = (name: string, lease: CoordinationV1.Lease): boolean => {
    const before = known.get(name)
    if (before === undefined) return nodes.get(name) !== undefined
    if (before.ready !== "True") return true
    heard.observe(name, heartbeatOf(before.node, lease), now(), "watch")
    return false
  }
  const renewals: Controller.Source<string> = {
    hasSynced: leases.hasSynced,
    subscribe: (add) =>
      leases.onChange(({ object, type }) => {
        const name = object.metadata.name ?? ""
        if (type === "deleted" || hears(name, object)) add(name)
      }, { existing: false }),
    keys: () => []
  }

  yield* pods.hasSynced
  yield* Controller.run({
    name: "node",
    workers: options.workers ?? 4,
    resync: options.resync ?? "30 seconds",
    isRoutine,
    sources: [
      Controller.source(nodes, (node) => [node.metadata.name ?? ""]),
      renewals
    ],
    reconcile
  })
})
