/** How a Deployment finds, makes, sizes and removes its ReplicaSets. */
import { type AppsV1, Kinds, LabelSelector, OwnerReference } from "@reddwarf/api-types"
import { type ApiClient, ClientError, type EventRecorder, type Informer, ObjectRef } from "@reddwarf/client"
import * as Effect from "effect/Effect"
import * as claims from "./claims.js"
import * as revisions from "./deploymentRevisions.js"
import * as sizes from "./deploymentSizes.js"
import * as statuses from "./deploymentStatus.js"
import * as ownWrites from "./ownWrites.js"
import * as templateHash from "./templateHash.js"

const { uidOf } = claims

type Deployment = AppsV1.Deployment
type ReplicaSet = AppsV1.ReplicaSet
type Failure = ClientError.ClientError

export interface Options {
  readonly client: ApiClient.Service
  readonly recorder: EventRecorder.Service
  /** All ReplicaSets, with the indexes of `claims`. */
  readonly sets: Informer.Informer<ReplicaSet>
  /** Milliseconds since the epoch. */
  readonly now: () => number
}

/** What a step left: the Deployment as it is stored now, and its sets. */
export interface Found {
  readonly deployment: Deployment
  readonly sets: revisions.Sets
}

export interface DeploymentSets {
  readonly claim: (deployment: Deployment) => Effect.Effect<ReadonlyArray<ReplicaSet>, Failure>
  /** Everything written for this Deployment is shown by the informer; before that, numbers would be counted twice. */
  readonly isSettled: (deployment: Deployment) => boolean
  /** Brings revision and annotations of the current set up to date; makes the set if it is missing and `create` says so. */
  readonly prepare: (deployment: Deployment, sets: revisions.Sets, create: boolean) => Effect.Effect<Found, Failure>
  /** Gives the sets their sizes; true if one of them changed its size. */
  readonly resize: (deployment: Deployment, resizes: ReadonlyArray<sizes.Resize>) => Effect.Effect<boolean, Failure>
  /** Removes what the history does not keep. */
  readonly clean: (deployment: Deployment, old: ReadonlyArray<ReplicaSet>) => Effect.Effect<void, Failure>
  /** To be called with every change of a set. */
  readonly seen: (set: ReplicaSet, gone: boolean) => void
  readonly forget: (key: string) => void
}

const keyOfOwner = (set: ReplicaSet): string =>
  ObjectRef.key({ namespace: set.metadata.namespace, name: OwnerReference.controller(set)?.name ?? "" })

const withLabel = (labels: Readonly<Record<string, string>> | undefined, hash: string): Readonly<Record<string, string>> => ({
  ...labels,
  [revisions.hashLabel]: hash
})

/** The set of the current template, as it is made. */
const draft = (deployment: Deployment, revision: number, replicas: number): ApiClient.Draft<ReplicaSet> => {
  const { selector = {}, template } = deployment.spec ?? {}
  const { name = "", namespace } = deployment.metadata
  const hash = templateHash.of(template, deployment.status?.collisionCount)
  const labels = withLabel(template?.metadata?.labels, hash)
  const { minReadySeconds } = deployment.spec ?? {}
  return {
    metadata: {
      name: `${name}-${hash}`,
      ...(namespace === undefined ? {} : { namespace }),
      labels,
      annotations: {
        ...revisions.annotationsFor(deployment, {}, revision),
        ...revisions.sizeAnnotations(sizes.desired(deployment), sizes.maximum(deployment))
      },
      ownerReferences: [OwnerReference.controllerOf(Kinds.deployment, deployment)]
    },
    spec: {
      replicas,
      ...(minReadySeconds === undefined ? {} : { minReadySeconds }),
      selector: { ...selector, matchLabels: withLabel(selector.matchLabels, hash) },
      template: { ...template, metadata: { ...template?.metadata, labels } }
    }
  }
}

export const make = ({ client, now, recorder, sets: informer }: Options): DeploymentSets => {
  const writes = ownWrites.make()
  // Generations that the informer has to reach, by uid.
  const expected = new Map<string, number>()

  const noteChange = (set: ReplicaSet): void => {
    const generation = set.metadata.generation ?? 0
    const shown = informer.get(ObjectRef.keyOf(set))
    // A set that is not shown was either just made, which is waited for already, or is gone.
    if (shown !== undefined && (shown.metadata.generation ?? 0) < generation) expected.set(uidOf(set), generation)
  }

  const change = (set: ReplicaSet, patch: object) => {
    const { metadata, ...rest } = { metadata: {}, ...patch }
    const body = { ...rest, metadata: { ...metadata, uid: uidOf(set), resourceVersion: set.metadata.resourceVersion } }
    return Effect.tap(client.patch(Kinds.replicaSet, ObjectRef.of(set), body), (next) => Effect.sync(() => noteChange(next)))
  }

  /** Writes revision and conditions. They go through `status`, by which annotations do not count as a change of the Deployment. */
  const record = (deployment: Deployment, revision: string | undefined, condition: AppsV1.DeploymentCondition | undefined) => {
    const { annotations = {} } = deployment.metadata
    const isNew = revision !== undefined && annotations[revisions.revisionAnnotation] !== revision
    const before = deployment.status?.conditions ?? []
    const conditions = condition === undefined ? before : statuses.withCondition(before, condition)
    // A failure that repeats is nothing to write: each write would be a change to look at again.
    if (!isNew && conditions === before) return Effect.succeed(deployment)
    return client.updateStatus(Kinds.deployment, {
      ...deployment,
      metadata: { ...deployment.metadata, ...(isNew ? { annotations: { ...annotations, [revisions.revisionAnnotation]: revision } } : {}) },
      status: { ...deployment.status, ...(condition === undefined ? {} : { conditions }) }
    })
  }

  const refresh = Effect.fnUntraced(function*(
    deployment: Deployment,
    { current, old }: { readonly current: ReplicaSet; readonly old: ReadonlyArray<ReplicaSet> },
    revision: number
  ): Effect.fn.Return<Found, Failure> {
    const present = current.metadata.annotations ?? {}
    const annotations = revisions.annotationsFor(deployment, present, revision)
    const minReadySeconds = deployment.spec?.minReadySeconds ?? 0
    const isSame = Object.entries(annotations).every(([key, value]) => present[key] === value) && minReadySeconds === (current.spec?.minReadySeconds ?? 0)
    const next = isSame ? current : yield* change(current, { metadata: { annotations }, spec: { minReadySeconds } })
    const condition = statuses.hasDeadline(deployment) && statuses.progressing(deployment.status) === undefined
      ? statuses.progress("True", "FoundNewReplicaSet", `Found new replica set "${next.metadata.name ?? ""}"`, now())
      : undefined
    const recorded = yield* record(deployment, next.metadata.annotations?.[revisions.revisionAnnotation], condition)
    return { deployment: recorded, sets: { current: next, old } }
  })

  /** A set of that name is there: ours, if it only was not shown yet; otherwise the next name has to be another one. */
  const resolveCollision = Effect.fnUntraced(function*(deployment: Deployment, wanted: ApiClient.Draft<ReplicaSet>, error: Failure): Effect.fn.Return<ReplicaSet, Failure> {
    const { namespace } = deployment.metadata
    const found = yield* client.get(Kinds.replicaSet, { namespace, name: wanted.metadata.name ?? "" })
    if (
      OwnerReference.isControlledBy(found, deployment) && revisions.templateText(found.spec?.template) === revisions.templateText(deployment.spec?.template)
    ) return found
    const collisionCount = (deployment.status?.collisionCount ?? 0) + 1
    yield* client.updateStatus(Kinds.deployment, { ...deployment, status: { ...deployment.status, collisionCount } })
    return yield* Effect.fail(error)
  })

  const refuse = Effect.fnUntraced(function*(deployment: Deployment, name: string, error: Failure): Effect.fn.Return<never, Failure> {
    const message = `Failed to create new replica set "${name}": ${error.message}`
    if (!ClientError.isNamespaceTerminating(error)) {
      yield* recorder.event(deployment, "Warning", "ReplicaSetCreateError", message)
      if (statuses.hasDeadline(deployment)) yield* record(deployment, undefined, statuses.progress("False", "ReplicaSetCreateError", message, now()))
    }
    return yield* Effect.fail(error)
  })

  const create = Effect.fnUntraced(function*(deployment: Deployment, old: ReadonlyArray<ReplicaSet>, revision: number): Effect.fn.Return<Found, Failure> {
    const replicas = sizes.sizeOfCurrent(deployment, { current: undefined, old })
    const wanted = draft(deployment, revision, replicas)
    const name = wanted.metadata.name ?? ""
    let isNew = true
    const made = yield* client.create(Kinds.replicaSet, wanted).pipe(
      Effect.catchAll((error) => {
        isNew = false
        return ClientError.isAlreadyExists(error) ? resolveCollision(deployment, wanted, error) : refuse(deployment, name, error)
      })
    )
    if (informer.get(ObjectRef.keyOf(made))?.metadata.uid !== uidOf(made)) writes.created(ObjectRef.keyOf(deployment), uidOf(made), now())
    if (isNew && replicas > 0) {
      yield* recorder.event(deployment, "Normal", "ScalingReplicaSet", `Scaled up replica set ${name} from 0 to ${String(replicas)}`)
    }
    const condition = isNew && statuses.hasDeadline(deployment)
      ? statuses.progress("True", "NewReplicaSetCreated", `Created new replica set "${name}"`, now())
      : undefined
    return { deployment: yield* record(deployment, String(Math.max(revision, revisions.revisionOf(made))), condition), sets: { current: made, old } }
  })

  const resizeOne = Effect.fnUntraced(function*(
    deployment: Deployment,
    set: ReplicaSet,
    to: number
  ): Effect.fn.Return<{ readonly set: ReplicaSet; readonly changed: boolean }, Failure> {
    const from = set.spec?.replicas ?? 1
    const annotations = revisions.sizeAnnotations(sizes.desired(deployment), sizes.maximum(deployment))
    const isTold = Object.entries(annotations).every(([key, value]) => set.metadata.annotations?.[key] === value)
    if (from === to && isTold) return { set, changed: false }
    const next = yield* change(set, { metadata: { annotations }, spec: { replicas: to } })
    if (from !== to) {
      const text = `Scaled ${from < to ? "up" : "down"} replica set ${set.metadata.name ?? ""} from ${String(from)} to ${String(to)}`
      yield* recorder.event(deployment, "Normal", "ScalingReplicaSet", text)
    }
    return { set: next, changed: from !== to }
  })

  return {
    claim: (deployment) => {
      const selector = claims.selector(deployment.spec?.selector)
      return claims.claim(client, {
        ownerKind: Kinds.deployment,
        owner: deployment,
        children: { kind: Kinds.replicaSet, informer },
        matches: (set) => LabelSelector.matches(selector, set.metadata.labels)
      })
    },
    isSettled: (deployment) =>
      writes.isSettled(ObjectRef.keyOf(deployment), now()) &&
      informer.byIndex("controller", uidOf(deployment)).every((set) => (set.metadata.generation ?? 0) >= (expected.get(uidOf(set)) ?? 0)),
    prepare: (deployment, sets, mayCreate) => {
      const revision = Math.max(0, ...sets.old.map(revisions.revisionOf)) + 1
      const { current, old } = sets
      if (current !== undefined) return refresh(deployment, { current, old }, revision)
      return mayCreate ? create(deployment, old, revision) : Effect.succeed({ deployment, sets })
    },
    resize: Effect.fnUntraced(function*(deployment, resizes) {
      // One set may come twice; the second time it is as the first change left it.
      const latest = new Map<string, ReplicaSet>()
      let changed = false
      for (const { set, to } of resizes) {
        const result = yield* resizeOne(deployment, latest.get(uidOf(set)) ?? set, to)
        latest.set(uidOf(set), result.set)
        changed ||= result.changed
      }
      return changed
    }),
    clean: (deployment, old) =>
      Effect.forEach(revisions.beyondHistory(deployment, old), (set) =>
        client.delete(Kinds.replicaSet, ObjectRef.of(set), { preconditions: { uid: uidOf(set) } }).pipe(
          Effect.catchIf(ClientError.isNotFound, () => Effect.void)
        ), { discard: true }),
    seen: (set, gone) => {
      writes.seen(keyOfOwner(set), uidOf(set), gone)
      if (gone || (set.metadata.generation ?? 0) >= (expected.get(uidOf(set)) ?? 0)) expected.delete(uidOf(set))
    },
    forget: writes.forget
  }
}
