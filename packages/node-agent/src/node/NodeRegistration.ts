/** Tells the API about this node: registers it, keeps its status and its lease current. It never gives up. */
import { type CoreV1, Kinds, Timestamp } from "@reddwarf/api-types"
import { ApiClient, ClientError, EventRecorder } from "@reddwarf/client"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import type * as NodeAgentOptions from "../NodeAgentOptions.js"
import type { Measurements } from "./NodeConditions.js"
import * as NodeLabels from "./NodeLabels.js"
import * as NodePeers from "../network/NodePeers.js"
import * as NodeStatus from "./NodeStatus.js"
import * as PoolSpace from "./PoolSpace.js"

/** @category models */
export interface Options extends NodeAgentOptions.Resolved {
  readonly facts: NodeStatus.HostFacts
  /** Networks from which this node gives addresses to its pods; other nodes learn from the Node object how to reach them. */
  readonly podCidrs: ReadonlyArray<string>
  /** Looks at the host, each time it is run. */
  readonly measure: Effect.Effect<Measurements>
  /** The zones of the host by state, shown as an annotation of the node; undefined when they cannot be listed. Default not shown. */
  readonly zones?: Effect.Effect<ReadonlyMap<string, number> | undefined>
}

/** @category models */
export interface NodeRegistration {
  /** Works the status out now instead of at the next tick. */
  readonly refresh: Effect.Effect<void>
}

/** A status that did not change is written anyway after this time. */
const reportMillis = 5 * 60 * 1000

/** A changed inventory is written after this time: zones come and go with every pod, and nobody decides by it. */
const inventoryMillis = 60 * 1000

/** Annotation with the zones of the host by state, as a JSON object. @category constants */
export const zonesAnnotation = "reddwarf.io/zones"

const leaseNamespace = "kube-node-lease"

const backOff = Schedule.exponential("200 millis").pipe(Schedule.either(Schedule.spaced("7 seconds")), Schedule.jittered)

/**
 * Registers the node and keeps it current as long as the scope lives.
 *
 * @category constructors
 */
export const make = (
  options: Options
): Effect.Effect<NodeRegistration, never, ApiClient.ApiClient | EventRecorder.EventRecorder | Scope.Scope> =>
  Effect.gen(function*() {
    const client = yield* ApiClient.ApiClient
    const recorder = yield* EventRecorder.EventRecorder
    const ref = { name: options.nodeName }
    const labels = NodeStatus.labels(options, options.facts)
    const wakeUps = yield* Queue.sliding<void>(1)
    let reportedAt = 0

    const ranges = NodePeers.rangesOf(options.podCidrs)
    const overlay = NodePeers.overlayAnnotations(options.network.interconnect)

    const register = client.create(Kinds.node, {
      metadata: { name: options.nodeName, labels, annotations: { "node.alpha.kubernetes.io/ttl": "0", ...overlay } },
      spec: ranges
    }).pipe(
      Effect.tap(() => Effect.logInfo("registered the node").pipe(Effect.annotateLogs({ node: options.nodeName }))),
      Effect.catchIf(ClientError.isAlreadyExists, () => client.get(Kinds.node, ref))
    )

    const current = Effect.catchIf(client.get(Kinds.node, ref), ClientError.isNotFound, () => register)

    const keepLabels = (node: CoreV1.Node) => {
      const changes = NodeLabels.changes(node.metadata.labels ?? {}, labels)
      return Object.keys(changes).length === 0 ? Effect.succeed(node) : client.patch(Kinds.node, ref, { metadata: { labels: changes } })
    }

    let inventoryAt = 0
    const keepInventory = (node: CoreV1.Node) =>
      Effect.gen(function*() {
        const zones = options.zones === undefined ? undefined : yield* options.zones
        if (zones === undefined) return node
        const text = JSON.stringify(Object.fromEntries([...zones].toSorted(([a], [b]) => a < b ? -1 : 1)))
        const now = yield* Clock.currentTimeMillis
        if (node.metadata.annotations?.[zonesAnnotation] === text || now - inventoryAt < inventoryMillis) return node
        inventoryAt = now
        return yield* client.patch(Kinds.node, ref, { metadata: { annotations: { [zonesAnnotation]: text } } })
      })

    let spaceAt = 0
    const keepSpace = ({ pool }: Measurements) => (node: CoreV1.Node) =>
      Effect.flatMap(Clock.currentTimeMillis, (now) => {
        const text = PoolSpace.change(node.metadata.annotations?.[PoolSpace.annotation], pool, spaceAt, now)
        if (text === undefined) return Effect.succeed(node)
        spaceAt = now
        return client.patch(Kinds.node, ref, { metadata: { annotations: { [PoolSpace.annotation]: text } } })
      })

    let otherRanges = ""
    /** Ranges are written once and can never be changed: a node that has others is told of, not mended. */
    const keepRanges = (node: CoreV1.Node) => {
      const there = NodePeers.rangesIn(node.spec)
      const annotations = Object.fromEntries(Object.entries(overlay).filter(([key, value]) => node.metadata.annotations?.[key] !== value))
      const changes = {
        ...(Object.keys(annotations).length === 0 ? {} : { metadata: { annotations } }),
        ...(there.length === 0 && options.podCidrs.length > 0 ? { spec: ranges } : {})
      }
      const differs = there.length > 0 && there.join() !== options.podCidrs.join() ? there.join(", ") : ""
      const warning = differs === otherRanges || differs === "" ? Effect.void : Effect.logWarning(
        `the Node object says that pods of this node are in ${differs}, and they are in ${options.podCidrs.join(", ")}: other nodes do not reach them until the Node object is deleted, which registers the node again`
      )
      otherRanges = differs
      return Effect.zipRight(warning, Object.keys(changes).length === 0 ? Effect.succeed(node) : client.patch(Kinds.node, ref, changes))
    }

    const ready = (status: CoreV1.NodeStatus | undefined) => status?.conditions?.find((condition) => condition.type === "Ready")?.status

    const report = Effect.gen(function*() {
      const measurements = yield* options.measure
      const node = yield* current.pipe(Effect.flatMap(keepLabels), Effect.flatMap(keepRanges), Effect.flatMap(keepInventory), Effect.flatMap(keepSpace(measurements)))
      const now = yield* Clock.currentTimeMillis
      const status = NodeStatus.of(options, options.facts, measurements, node.status, now)
      if (NodeStatus.same(node.status, status) && now - reportedAt < reportMillis) return
      const { resourceVersion, uid } = node.metadata
      const stored = yield* client.patch(Kinds.node, ref, { metadata: { uid, resourceVersion }, status }, { type: "merge", subresource: "status" })
      reportedAt = now
      const [before, after] = [ready(node.status), ready(status)]
      if (before === after || after === undefined) return
      const reason = after === "True" ? "NodeReady" : "NodeNotReady"
      yield* recorder.event(stored, after === "True" ? "Normal" : "Warning", reason, `Node ${options.nodeName} status is now: ${reason}`)
    })

    const renew = Effect.gen(function*() {
      const leaseRef = { namespace: leaseNamespace, name: options.nodeName }
      const now = yield* Clock.currentTimeMillis
      const spec = {
        holderIdentity: options.nodeName,
        leaseDurationSeconds: 40,
        renewTime: Timestamp.microsFromMillis(now)
      }
      const lease = yield* Effect.catchIf(Effect.asSome(client.get(Kinds.lease, leaseRef)), ClientError.isNotFound, () => Effect.succeedNone)
      if (lease._tag === "Some" && lease.value.metadata.ownerReferences !== undefined) {
        return yield* client.update(Kinds.lease, { ...lease.value, spec: { ...lease.value.spec, ...spec } })
      }
      // The lease goes with its node; it may be older than the node's registration.
      const node = yield* Effect.option(client.get(Kinds.node, ref))
      const owner = node._tag === "Some"
        ? { ownerReferences: [{ apiVersion: "v1", kind: "Node", name: options.nodeName, uid: node.value.metadata.uid ?? "" }] }
        : {}
      if (lease._tag === "None") {
        return yield* client.create(Kinds.lease, { metadata: { namespace: leaseNamespace, name: options.nodeName, ...owner }, spec })
      }
      const { metadata } = lease.value
      return yield* client.update(Kinds.lease, { ...lease.value, metadata: { ...metadata, ...owner }, spec: { ...lease.value.spec, ...spec } })
    })

    const insist = <A>(what: string, effect: Effect.Effect<A, ClientError.ClientError>) =>
      effect.pipe(
        Effect.tapError((error) => Effect.logWarning(`${what} failed; trying again`, error)),
        Effect.retry(backOff),
        Effect.catchAllCause((cause) => Effect.logError(`${what} failed`, cause))
      )

    const tick = Effect.race(Queue.take(wakeUps), Effect.sleep(options.statusInterval))
    yield* Effect.forkScoped(Effect.forever(Effect.zipRight(insist("reporting the node's status", report), tick)))
    yield* Effect.forkScoped(
      Effect.repeat(insist("renewing the node's lease", renew), Schedule.spaced(Duration.decode(options.leaseInterval)))
    )
    return { refresh: Effect.asVoid(Queue.offer(wakeUps, undefined)) }
  })
