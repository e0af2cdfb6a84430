/**
 * Pods go where their volumes are or can be. A bound claim rules out the nodes that its volume cannot be reached from. A claim that waits for its first
 * pod gets its volume on the node that is chosen: one that exists there, or one that the provisioner makes, as it does for ZFS datasets. The pod
 * is bound when its claims are.
 */
import { type CoreV1, Kinds, VolumeClaims } from "@reddwarf/api-types"
import { type ApiClient, ClientError, ObjectRef } from "@reddwarf/client"
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import { BindingFailure } from "../BindingFailure.js"
import * as CycleState from "../CycleState.js"
import type { Listers } from "../Listers.js"
import * as PluginFactory from "../PluginFactory.js"
import type { PodInfo } from "../PodInfo.js"
import type * as Rejection from "../Rejection.js"
import * as SchedulerPlugin from "../SchedulerPlugin.js"
import * as Snapshot from "../Snapshot.js"
import * as ClaimUse from "../volumes/ClaimUse.js"
import * as NodeVolumes from "../volumes/NodeVolumes.js"
import * as PodClaims from "../volumes/PodClaims.js"
import * as VolumeDecisions from "../volumes/VolumeDecisions.js"

/**
 * `bindTimeoutSeconds`: how long the volumes of a pod may take to be there.
 *
 * @category models
 */
export const Args = Schema.Struct({
  bindTimeoutSeconds: Schema.optionalWith(Schema.Int.pipe(Schema.between(1, 86_400)), { default: () => 600 })
})

/**
 * @category models
 */
export type Args = typeof Args.Type

const name = "VolumeBinding"

interface Prepared {
  readonly snapshot: Snapshot.Snapshot
  readonly plan: (node: CoreV1.Node) => NodeVolumes.NodeVolumes | Rejection.Rejection
}

const prepared = CycleState.key<Prepared | undefined>("VolumeBinding/prepared", () => undefined)
interface Reserved {
  /** The node as it was when it was chosen. */
  readonly object: CoreV1.Node
  readonly volumes: NodeVolumes.NodeVolumes
}

const reserved = CycleState.key<Reserved | undefined>("VolumeBinding/reserved", () => undefined)

const preFilter: NonNullable<SchedulerPlugin.SchedulerPlugin["preFilter"]> = (pod, snapshot, state) => {
  if ((pod.pod.spec?.volumes ?? []).length === 0) return SchedulerPlugin.skip
  const claims = PodClaims.of(pod.pod, snapshot.listers)
  if (!PodClaims.isClaims(claims)) return SchedulerPlugin.reject(claims)
  if (claims.bound.length + claims.waiting.length === 0) return SchedulerPlugin.skip
  const plan = NodeVolumes.planner(claims, snapshot.listers, VolumeDecisions.of(snapshot.listers), (node) => snapshot.positions.has(node))
  if (claims.waiting.length > 0) prepared.set(state, { snapshot, plan })
  return SchedulerPlugin.filterBy(({ node }) => {
    const outcome = plan(node)
    return NodeVolumes.isPlaced(outcome) ? undefined : outcome
  })
}

/** The volumes of a pod cannot be where it was to go. */
class VolumeProblem extends Data.TaggedError("VolumeProblem")<{ readonly message: string }> {}

const quoted = JSON.stringify

const failure = (pod: PodInfo, node: string, phase: "Reserve" | "PreBind") => (cause: unknown): BindingFailure =>
  new BindingFailure({ pod: pod.key, node, phase, plugin: name, cause })

const reserve: NonNullable<SchedulerPlugin.SchedulerPlugin["reserve"]> = (pod, node, { handle, state }) =>
  Effect.suspend(() => {
    const found = prepared.get(state)
    if (found === undefined) return Effect.void
    const object = Snapshot.get(found.snapshot, node)?.node
    const outcome = object === undefined ? undefined : found.plan(object)
    if (object === undefined || outcome === undefined || !NodeVolumes.isPlaced(outcome)) {
      const why = outcome === undefined || NodeVolumes.isPlaced(outcome) ? "it is gone" : outcome.reasons.join(", ")
      return Effect.fail(failure(pod, node, "Reserve")(new VolumeProblem({ message: `the volumes of the pod cannot be on the node any more: ${why}` })))
    }
    const decisions = new Map<string, VolumeDecisions.Decision>()
    for (const { claim, volume } of outcome.matched) decisions.set(ObjectRef.keyOf(claim), { node, volume: volume.metadata.name ?? "" })
    for (const claim of outcome.provisioned) decisions.set(ObjectRef.keyOf(claim), { node })
    VolumeDecisions.of(handle.listers).hold(pod.id, decisions)
    reserved.set(state, { object, volumes: outcome })
    return Effect.void
  })

const release: NonNullable<SchedulerPlugin.SchedulerPlugin["unreserve"]> = (pod, _, { handle }) =>
  Effect.sync(() => VolumeDecisions.of(handle.listers).release(pod.id))

/** Keeps a volume that exists for a claim; the binder of the control plane completes the rest. */
const keep = (client: ApiClient.Service, volume: CoreV1.PersistentVolume, claim: CoreV1.PersistentVolumeClaim) => {
  const { name: claimName = "", namespace = "", resourceVersion = "", uid = "" } = claim.metadata
  if (volume.spec?.claimRef?.uid === uid) return Effect.void
  const byUs = volume.spec?.claimRef === undefined ? { [VolumeClaims.boundByControllerAnnotation]: "yes" } : {}
  return Effect.asVoid(client.update(Kinds.persistentVolume, {
    ...volume,
    metadata: { ...volume.metadata, annotations: { ...volume.metadata.annotations, ...byUs } },
    spec: { ...volume.spec, claimRef: { apiVersion: "v1", kind: "PersistentVolumeClaim", namespace, name: claimName, uid, resourceVersion } }
  }))
}


const writeAttempts = 5

/** Tells the provisioner on which node the claim's volume is to be. */
const select = (
  client: ApiClient.Service,
  claim: CoreV1.PersistentVolumeClaim,
  node: string,
  attemptsLeft: number
): Effect.Effect<void, ClientError.ClientError | VolumeProblem> => {
  const ref = ObjectRef.of(claim)
  const before = claim.metadata.annotations?.[VolumeClaims.selectedNodeAnnotation]
  return Effect.flatMap(client.get(Kinds.persistentVolumeClaim, ref), (stored): Effect.Effect<void, ClientError.ClientError | VolumeProblem> => {
    const { resourceVersion, uid } = stored.metadata
    const selected = stored.metadata.annotations?.[VolumeClaims.selectedNodeAnnotation]
    if (selected === node || VolumeClaims.isBound(stored)) return Effect.void
    if (uid !== claim.metadata.uid || selected !== before) {
      return Effect.fail(new VolumeProblem({ message: `provisioning of PersistentVolumeClaim ${quoted(ref.name)} was decided otherwise meanwhile` }))
    }
    const metadata = { uid, resourceVersion, annotations: { [VolumeClaims.selectedNodeAnnotation]: node } }
    return client.patch(Kinds.persistentVolumeClaim, ref, { metadata }).pipe(
      Effect.asVoid,
      Effect.catchIf((error) => ClientError.isConflict(error) && attemptsLeft > 1, () => select(client, claim, node, attemptsLeft - 1))
    )
  })
}

/** Whether the claims are bound to volumes of this node; fails when they cannot be any more. */
const areBound = (listers: Listers, claims: ReadonlyArray<CoreV1.PersistentVolumeClaim>, node: CoreV1.Node): Effect.Effect<boolean, VolumeProblem> =>
  Effect.suspend(() => {
    for (const claim of claims) {
      const current = listers.persistentVolumeClaims.get(ObjectRef.keyOf(claim))
      if (current === undefined || current.metadata.uid !== claim.metadata.uid || current.metadata.deletionTimestamp !== undefined) {
        return Effect.fail(new VolumeProblem({ message: `PersistentVolumeClaim ${quoted(claim.metadata.name ?? "")} was deleted` }))
      }
      if (!VolumeClaims.isBound(current)) return Effect.succeed(false)
      const volume = listers.persistentVolumes.get(current.spec?.volumeName ?? "")
      if (volume === undefined) return Effect.succeed(false)
      if (!NodeVolumes.isReachable(volume, node)) {
        const message = `PersistentVolume ${quoted(volume.metadata.name ?? "")} is not on node ${quoted(node.metadata.name ?? "")}`
        return Effect.fail(new VolumeProblem({ message }))
      }
    }
    return Effect.succeed(true)
  })

/** Looking costs nothing: it reads local copies. Volumes take from milliseconds (a dataset) to minutes (somebody else's disk). */
const looks = Schedule.exponential("10 millis", 1.5).pipe(Schedule.either(Schedule.spaced("1 second")))

const preBindWait = (timeout: Duration.Duration): NonNullable<SchedulerPlugin.SchedulerPlugin["preBindWait"]> => (pod, node, { handle, state }) => {
  const found = reserved.get(state)
  if (found === undefined) return undefined
  const { object, volumes: { matched, provisioned } } = found
  const claims = [...matched.map(({ claim }) => claim), ...provisioned]
  const tooLate = `binding volumes: not bound within ${Duration.format(timeout)}; see the events of the pod's PersistentVolumeClaims`
  return Effect.forEach(matched, ({ claim, volume }) => keep(handle.client, volume, claim), { discard: true }).pipe(
    Effect.zipRight(Effect.forEach(provisioned, (claim) => select(handle.client, claim, node, writeAttempts), { discard: true })),
    Effect.zipRight(Effect.repeat(areBound(handle.listers, claims, object), { schedule: looks, until: (done) => done })),
    Effect.timeoutFail({ duration: timeout, onTimeout: () => new VolumeProblem({ message: tooLate }) }),
    Effect.asVoid,
    Effect.mapError(failure(pod, node, "PreBind"))
  )
}

/**
 * The plugin with these arguments.
 *
 * @category constructors
 */
export const make = ({ bindTimeoutSeconds }: Args): SchedulerPlugin.SchedulerPlugin => ({
  name,
  uses: ["persistentVolumeClaims", "persistentVolumes", "storageClasses"],
  requeueOn: [
    "NodeAdd",
    "NodeUpdateLabels",
    "PersistentVolumeAdd",
    "PersistentVolumeUpdate",
    "StorageClassAdd",
    "StorageClassUpdate",
    ClaimUse.whenOwnClaim("PersistentVolumeClaimAdd"),
    ClaimUse.whenOwnClaim("PersistentVolumeClaimUpdate")
  ],
  preFilter,
  reserve,
  unreserve: release,
  preBindWait: preBindWait(Duration.seconds(bindTimeoutSeconds)),
  postBind: release
})

/**
 * The plugin with the usual arguments.
 *
 * @category constructors
 */
export const plugin: SchedulerPlugin.SchedulerPlugin = make({ bindTimeoutSeconds: 600 })

/**
 * The plugin as configurations name it.
 *
 * @category constructors
 */
export const factory: PluginFactory.PluginFactory = PluginFactory.make({ name, args: Args, make })
