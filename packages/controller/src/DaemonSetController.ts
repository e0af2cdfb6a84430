/**
 * Keeps one pod of a DaemonSet on every node that takes it: by the name, labels and taints of the node. The pods are tied to their nodes
 * by affinity and placed by the scheduler.
 *
 * A new template replaces pods node by node, with as many missing as `maxUnavailable` allows, or with new ones beside the old (`maxSurge`);
 * ControllerRevisions keep the earlier templates.
 */
import { type AppsV1, type CoreV1, Kinds, LabelSelector } from "@reddwarf/api-types"
import { type ApiClient, type ClientError, type EventRecorder, Informer, ObjectRef } from "@reddwarf/client"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as ClusterInformers from "./ClusterInformers.js"
import * as Controller from "./Controller.js"
import { nextAvailable } from "./internal/availability.js"
import * as claims from "./internal/claims.js"
import * as nodesOf from "./internal/daemonSetNodes.js"
import * as steps from "./internal/daemonSetSteps.js"
import * as environment from "./internal/environment.js"
import * as failedPods from "./internal/failedPods.js"
import * as history from "./internal/history.js"
import * as podControl from "./internal/podControl.js"
import { isRoutine } from "./internal/routine.js"
import { Outcome } from "./Reconciler.js"

/**
 * How many sets are looked at, 2 unless given, and how often all are visited: every 30 seconds unless given.
 *
 * @category models
 */
export type Options = Controller.Tuning

type DaemonSet = AppsV1.DaemonSet
type Failure = ClientError.ClientError

/** Pods that one pass creates or deletes at most. */
const burst = 250

const selectorOf = (set: DaemonSet) => claims.selector(set.spec?.selector)

/** What matters of a node; its heartbeats do not. */
const placement = ({ metadata, spec }: CoreV1.Node): string => JSON.stringify([metadata.name, metadata.labels, spec?.taints, spec?.unschedulable])

/**
 * Starts the controller, which then runs as long as the scope. Waits for its informers.
 *
 * @category constructors
 */
export const run = Effect.fnUntraced(function*(
  options: Options = {}
): Effect.fn.Return<void, never, ApiClient.ApiClient | EventRecorder.EventRecorder | Scope.Scope> {
  const { client, now, recorder } = yield* environment.get
  const pods = options.informers?.pods ?? (yield* ClusterInformers.pods)
  const nodes = options.informers?.nodes ?? (yield* ClusterInformers.nodes)
  const sets = yield* Informer.make({ kind: Kinds.daemonSet, indexers: { namespace: ({ metadata }) => [metadata.namespace ?? ""] } })
  const revisions = options.informers?.controllerRevisions ?? (yield* ClusterInformers.controllerRevisions)
  const control = yield* podControl.make({ client, recorder, kind: Kinds.daemonSet, owners: sets, selectorOf, pods, now, isAdoptable: () => true })
  const past = history.make({ client, kind: Kinds.daemonSet, revisions, selectorOf, hashLabel: nodesOf.revisionLabel })
  const failures = failedPods.make()

  /** Every set, when a node comes, goes or changes in what matters. */
  const nodeChanges: Controller.Source<string> = {
    hasSynced: nodes.hasSynced,
    subscribe: (add) =>
      nodes.onChange((event) => {
        if (event.type === "updated" && placement(event.old) === placement(event.object)) return
        for (const key of sets.keys()) add(key)
      }),
    keys: () => []
  }

  const hashOf = ({ metadata }: AppsV1.ControllerRevision): string => metadata.labels?.[nodesOf.revisionLabel] ?? ""

  const tellEnded = (set: DaemonSet, ended: steps.Steps["ended"]) =>
    Effect.forEach(ended, ([node, pod]) => {
      const name = ObjectRef.keyOf(pod)
      return pod.status?.phase === "Failed"
        ? recorder.event(set, "Warning", "FailedDaemonPod", `Found failed daemon pod ${name} on node ${node}, will try to kill it`)
        : recorder.event(set, "Normal", "SucceededDaemonPod", `Found succeeded daemon pod ${name} on node ${node}, will try to delete it`)
    }, { discard: true })

  const report = Effect.fnUntraced(function*(set: DaemonSet, status: AppsV1.DaemonSetStatus): Effect.fn.Return<void, Failure> {
    if (!steps.isSame(set.status, status)) yield* client.updateStatus(Kinds.daemonSet, { ...set, status })
  })

  const reconcile = Effect.fnUntraced(function*(key: string): Effect.fn.Return<Outcome, Failure> {
    const set = sets.get(key)
    if (set === undefined) {
      control.forget(key)
      failures.forget(key)
      return Outcome.Settled()
    }
    if (LabelSelector.isEverything(selectorOf(set))) {
      const problem = "This daemon set is selecting all pods. A non-empty selector is required."
      return yield* Effect.as(recorder.event(set, "Warning", "SelectingAll", problem), Outcome.Settled())
    }
    if (set.metadata.deletionTimestamp !== undefined) return Outcome.Settled()
    // The change that is waited for brings the key again.
    if (!control.isSettled(set)) return Outcome.Settled()
    const claimed = yield* control.claim(set)
    const found = yield* past.sync(set)
    const revision = hashOf(found.current)
    const { places, stray } = steps.places(set, nodes.list(), claimed)
    const due = steps.next(set, places, revision, now())

    // Where pods fail again and again, the next one waits longer and longer.
    const waiting = new Set(due.ended.filter(([node, pod]) => pod.status?.phase === "Failed" && failures.isEarly(key, node, now())).map(([, pod]) => pod))
    const ended = due.ended.filter(([, pod]) => !waiting.has(pod))
    for (const [node, pod] of ended) if (pod.status?.phase === "Failed") failures.note(key, node, now())
    yield* tellEnded(set, ended)
    const act = Effect.zipRight(
      control.createAll(set, due.create.slice(0, burst).map((node) => nodesOf.draft(set, node, revision))),
      Effect.forEach([...due.remove.filter((pod) => !waiting.has(pod)), ...stray].slice(0, burst), (pod) => control.remove(set, pod), { concurrency: 16, discard: true })
    )
    const result = yield* Effect.either(act)
    const names = new Map(found.all.map((each) => [hashOf(each), each.metadata.name ?? ""]))
    yield* past.truncate(set, found, new Set(claimed.flatMap((pod) => names.get(pod.metadata.labels?.[nodesOf.revisionLabel] ?? "") ?? [])))
    yield* report(set, steps.describe(set, places, revision, found.collisions, now()))
    if (result._tag === "Left") return yield* Effect.fail(result.left)
    const waits = [nextAvailable(claimed, set.spec?.minReadySeconds ?? 0, now()), waiting.size === 0 ? undefined : failures.wait(key, now())]
      .filter((wait) => wait !== undefined)
    return waits.length === 0 ? Outcome.Settled() : Outcome.RequeueAfter({ delay: Math.max(1, Math.min(...waits)) })
  })

  yield* revisions.hasSynced
  yield* Controller.run({
    name: "daemon-set",
    workers: options.workers ?? 2,
    resync: options.resync ?? "30 seconds",
    isRoutine,
    sources: [Controller.source(sets, (set) => [ObjectRef.keyOf(set)]), Controller.dependents(pods, control.keysOf), nodeChanges],
    reconcile
  })
})
