/** Which pods give way to a critical static pod. */
import { assert, describe, it } from "@effect/vitest"
import type { CoreV1 } from "@reddwarf/api-types"
import { CriticalAdmission, StaticAdmission } from "@reddwarf/node-agent"

const gi = 1024 ** 3

const pod = (
  name: string,
  requests: Readonly<Record<string, string>>,
  { guaranteed = false, ...more }: { readonly guaranteed?: boolean; readonly priority?: number; readonly isStatic?: boolean } = {}
): CoreV1.Pod => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: {
    name,
    // Of the version that uids of static pods have.
    uid: `00000000-0000-5000-8000-${Buffer.from(name).toString("hex").slice(-12).padStart(12, "0")}`,
    ...(more.isStatic === true ? { annotations: { "kubernetes.io/config.source": "file" } } : {})
  },
  spec: {
    ...(more.priority === undefined ? {} : { priority: more.priority }),
    containers: [{ name: "c", resources: { requests, ...(guaranteed ? { limits: requests } : {}) } }]
  }
})

const critical = pod("critical", { memory: "2Gi" }, { priority: 2_000_001_000, isStatic: true })
const names = (pods: ReadonlyArray<CoreV1.Pod> | undefined) => pods?.map(({ metadata }) => metadata.name)
const victims = (running: ReadonlyArray<CoreV1.Pod>, shortage: CriticalAdmission.Shortage) => names(CriticalAdmission.victims(critical, running, shortage))

describe("CriticalAdmission", () => {
  it("is for pods of the system", () => {
    assert.isTrue(CriticalAdmission.isCritical(critical))
    assert.isFalse(CriticalAdmission.isCritical(pod("plain", {}, { priority: 1_000_000_000, isStatic: true })))
    assert.isFalse(CriticalAdmission.isCritical(pod("none", {}, { isStatic: true })))
  })

  it("takes as few as possible: those that asked for least guarantees first, the nearest to what is missing", () => {
    const small = pod("small", { memory: "1Gi" })
    const big = pod("big", { memory: "3Gi" })
    const exact = pod("exact", { memory: "2Gi" })
    const sure = pod("sure", { memory: "4Gi", cpu: "1" }, { guaranteed: true })
    const idle = pod("idle", {})
    assert.deepStrictEqual(victims([small, big, exact, sure, idle], { memory: 2 * gi }), ["exact"])
    assert.deepStrictEqual(victims([small, big, sure], { memory: 2 * gi }), ["big"])
    assert.deepStrictEqual(victims([small, exact, sure], { memory: 3 * gi }), ["exact", "small"])
    assert.deepStrictEqual(victims([small, sure], { memory: 2 * gi }), ["sure"])
    assert.deepStrictEqual(victims([sure, small, idle], { pods: 1 }), ["idle"])
    assert.deepStrictEqual(victims([sure, small, exact], { pods: 2, memory: 2 * gi }), ["exact", "small"])
  })

  it("ends nobody when all would not be enough", () => {
    assert.isUndefined(victims([pod("small", { memory: "1Gi" })], { memory: 2 * gi }))
    assert.isUndefined(victims([], { pods: 1 }))
  })

  it("spares the system and other static pods, unless they say that they are the lesser", () => {
    const system = pod("system", { memory: "8Gi" }, { priority: 2_000_001_000 })
    const lesser = pod("lesser", { memory: "8Gi" }, { priority: 2_000_000_000 })
    const manifest = pod("manifest", { memory: "8Gi" }, { isStatic: true })
    const low = pod("low", { memory: "8Gi" }, { isStatic: true, priority: 0 })
    assert.isUndefined(victims([system, manifest], { memory: gi }))
    assert.deepStrictEqual(victims([system, lesser], { memory: gi }), ["lesser"])
    assert.deepStrictEqual(victims([low], { memory: gi }), ["low"])
  })

  it("knows what is missing, beside critical ones that go first", () => {
    const room: StaticAdmission.Room = { cpuMillis: 4000, memoryBytes: 8 * gi, ephemeralStorageBytes: 0, pods: 2 }
    const running = pod("running", { memory: "7Gi" })
    const begun = new Set([running.metadata.uid ?? ""])
    assert.deepStrictEqual(StaticAdmission.shortage(critical, [running], [critical, running], begun, room), { memory: gi })
    const first = pod("a-first", { memory: "1Gi" }, { priority: 2_000_001_001, isStatic: true })
    assert.deepStrictEqual(StaticAdmission.shortage(critical, [running], [critical, first, running], begun, room), { memory: 2 * gi, pods: 1 })
    assert.deepStrictEqual(StaticAdmission.shortage(critical, [], [critical, running], begun, room), {})
  })
})
