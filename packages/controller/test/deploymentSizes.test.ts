import { type AppsV1, Kinds, OwnerReference } from "@reddwarf/api-types"
import { assert, describe, it } from "@effect/vitest"
import { FastCheck } from "effect"
import type * as revisions from "../src/internal/deploymentRevisions.js"
import * as sizes from "../src/internal/deploymentSizes.js"
import * as statuses from "../src/internal/deploymentStatus.js"
import { selector, template } from "./workloads.js"

const share = FastCheck.oneof(FastCheck.integer({ min: 0, max: 5 }), FastCheck.constantFrom("0%", "25%", "50%", "100%"))

interface Size {
  readonly replicas: number
  readonly available: number
}

const size = FastCheck.record({ replicas: FastCheck.integer({ min: 0, max: 8 }), share: FastCheck.double({ min: 0, max: 1, noNaN: true }) })
  .map(({ replicas, share }): Size => ({ replicas, available: Math.floor(replicas * share) }))

const deploymentOf = (replicas: number, maxSurge: number | string, maxUnavailable: number | string): AppsV1.Deployment => ({
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name: "web", namespace: "default", uid: "u", generation: 1 },
  spec: { replicas, selector, template: template("app:2"), strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge, maxUnavailable } } }
})

const setOf = (deployment: AppsV1.Deployment, name: string, { available, replicas }: Size): AppsV1.ReplicaSet => ({
  apiVersion: "apps/v1",
  kind: "ReplicaSet",
  metadata: { name, namespace: "default", ownerReferences: [OwnerReference.controllerOf(Kinds.deployment, deployment)] },
  spec: { replicas, selector, template: template(name) },
  status: { replicas, availableReplicas: available, readyReplicas: available }
})

const total = (sets: ReadonlyArray<AppsV1.ReplicaSet>): number => sets.reduce((sum, set) => sum + (set.spec?.replicas ?? 0), 0)
const available = (sets: ReadonlyArray<AppsV1.ReplicaSet>): number => sets.reduce((sum, set) => sum + (set.status?.availableReplicas ?? 0), 0)

/** Gives the sets their sizes; pods that go are those that are not available, as the ReplicaSet's controller chooses. */
const applied = (sets: ReadonlyArray<AppsV1.ReplicaSet>, resizes: ReadonlyArray<sizes.Resize>): ReadonlyArray<AppsV1.ReplicaSet> => {
  const to = new Map(resizes.map((resize) => [resize.set.metadata.name, resize.to]))
  return sets.map((set) => {
    const replicas = to.get(set.metadata.name) ?? set.spec?.replicas ?? 0
    const left = Math.min(replicas, set.status?.availableReplicas ?? 0)
    return { ...set, spec: { ...set.spec, replicas, selector }, status: { replicas, availableReplicas: left, readyReplicas: left } }
  })
}

const becomeAvailable = (set: AppsV1.ReplicaSet, more: number): AppsV1.ReplicaSet => {
  const availableReplicas = Math.min(set.spec?.replicas ?? 0, (set.status?.availableReplicas ?? 0) + more)
  return { ...set, status: { replicas: set.spec?.replicas ?? 0, availableReplicas, readyReplicas: availableReplicas } }
}

const sort = (sets: ReadonlyArray<AppsV1.ReplicaSet>): revisions.Sets => ({ current: sets[0], old: sets.slice(1) })

describe("deploymentSizes", () => {
  it.prop(
    "a rolling update ends with all pods of the current template, never above the surge and never below what must be available",
    [FastCheck.integer({ min: 0, max: 8 }), share, share, size, FastCheck.array(size, { maxLength: 3 }), FastCheck.array(FastCheck.integer({ min: 0, max: 3 }), { maxLength: 20 })],
    ([replicas, surge, unavailable, current, old, pace]) => {
      const deployment = deploymentOf(replicas, surge, unavailable)
      let sets: ReadonlyArray<AppsV1.ReplicaSet> = [current, ...old].map((each, index) => setOf(deployment, `s${String(index)}`, each))
      const most = Math.max(total(sets), sizes.maximum(deployment))
      const least = Math.min(available(sets), replicas - sizes.maxUnavailable(deployment))
      for (let step = 0; step < 200; step++) {
        sets = applied(sets, sizes.rolled(deployment, sort(sets)))
        assert.isAtMost(total(sets), most)
        assert.isAtLeast(available(sets), least)
        // Old pods need not ever become available again.
        sets = sets.map((set, index) => (index === 0 ? becomeAvailable(set, pace[step] ?? 1) : set))
      }
      assert.deepStrictEqual(sets.map((set) => set.spec?.replicas), [replicas, ...old.map(() => 0)])
      assert.deepStrictEqual(sizes.rolled(deployment, sort(sets)), [])
      assert.isTrue(statuses.isComplete(deployment, statuses.describe(deployment, sort(sets), 0)))
    }
  )

  it.prop(
    "another number of replicas is spread over all sets, and the sum is exact",
    [FastCheck.integer({ min: 0, max: 20 }), share, FastCheck.array(size.filter(({ replicas }) => replicas > 0), { minLength: 2, maxLength: 4 })],
    ([replicas, surge, all]) => {
      const deployment = deploymentOf(replicas, surge, 1)
      const sets = all.map((each, index) => setOf(deployment, `s${String(index)}`, each))
      const resizes = sizes.scaled(deployment, sort(sets))
      const allowed = replicas === 0 ? 0 : sizes.maximum(deployment)
      assert.strictEqual(total(applied(sets, resizes)), allowed)
      const grows = total(sets) <= allowed
      for (const { set, to } of resizes) assert.isTrue(grows ? to >= (set.spec?.replicas ?? 0) : to <= (set.spec?.replicas ?? 0))
    }
  )

  it("keeps the shares when an update is scaled", () => {
    const deployment = { ...deploymentOf(15, 3, 2), status: { replicas: 13 } }
    const was = { "deployment.kubernetes.io/desired-replicas": "10", "deployment.kubernetes.io/max-replicas": "13" }
    const sets = [5, 8].map((replicas, index) => {
      const set = setOf(deployment, `s${String(index)}`, { replicas, available: replicas })
      return { ...set, metadata: { ...set.metadata, annotations: was } }
    })
    assert.isTrue(sizes.isScaling(deployment, sort(sets)))
    assert.deepStrictEqual(sizes.scaled(deployment, sort(sets)).map(({ set, to }) => [set.metadata.name, to]), [["s1", 11], ["s0", 7]])
  })

  it.each([
    [4, "25%", "25%", 1, 1],
    [2, "25%", "25%", 1, 0],
    [10, "0%", "0%", 0, 1],
    [3, 0, "10%", 0, 1],
    [0, 1, 1, 1, 0]
  ] as const)("rounds surge up and what may be missing down: %i replicas, %s and %s", (replicas, surge, unavailable, most, least) => {
    const deployment = deploymentOf(replicas, surge, unavailable)
    assert.deepStrictEqual([sizes.maxSurge(deployment), sizes.maxUnavailable(deployment)], [most, least])
  })
})
