import { assert, describe, it } from "@effect/vitest"
import type { CoreV1 } from "@reddwarf/api-types"
import { Either, FastCheck as fc } from "effect"
import { PodCaps, PodResize } from "../src/index.js"

const podOf = (spec: Partial<CoreV1.PodSpec>, rest: Partial<CoreV1.Pod> = {}): CoreV1.Pod => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "p", namespace: "default", uid: "u" },
  ...rest,
  spec: { containers: [], ...spec }
})

const container = (name: string, resources: CoreV1.ResourceRequirements = {}, more: Partial<CoreV1.Container> = {}): CoreV1.Container => ({
  name,
  image: "i",
  resources,
  ...more
})

describe("PodCaps", () => {
  const both = (cpu: string, memory: string) => ({ limits: { cpu, memory }, requests: { cpu, memory } })

  it("adds containers and sidecars, takes the greediest init container, and the overhead on top", () => {
    const pod = podOf({
      containers: [container("a", both("200m", "100Mi")), container("b", both("300m", "100Mi"))],
      initContainers: [container("sidecar", both("100m", "50Mi"), { restartPolicy: "Always" }), container("init", both("900m", "10Mi"))],
      overhead: { cpu: "50m", memory: "10Mi" }
    })
    const caps = PodCaps.of(pod, { pidsLimit: 500 })
    // 900m beside the sidecar's 100m is more than 600m; 250 MiB is more than 60 MiB.
    assert.deepStrictEqual([caps.cpuPercent, caps.cpuShares, caps.physicalMemory, caps.maxLwps], [105, 1075, 260n * 1024n ** 2n, 500])
  })

  it("bounds a pod only where every container has a limit, or the pod as a whole", () => {
    const open = podOf({ containers: [container("a", both("1", "1Gi")), container("b", { requests: { cpu: "1" } })] })
    assert.isUndefined(PodCaps.of(open).cpuPercent)
    assert.isUndefined(PodCaps.of(open).physicalMemory)
    const whole = podOf({ containers: [container("a"), container("b")], resources: both("1500m", "1Gi") })
    assert.deepStrictEqual([PodCaps.of(whole).cpuPercent, PodCaps.of(whole).swap], [150, 1024n ** 3n])
  })

  it("weighs the input and output of a pod by its class", () => {
    const priority = (pod: CoreV1.Pod) => PodCaps.of(pod, { zfsIoPriority: true }).zfsIoPriority
    assert.strictEqual(priority(podOf({ containers: [container("a", both("1", "1Gi"))] })), 200)
    assert.strictEqual(priority(podOf({ containers: [container("a", { requests: { cpu: "1" } })] })), 100)
    assert.strictEqual(priority(podOf({ containers: [container("a")] })), 50)
  })

  const amounts = fc.record({ cpu: fc.integer({ min: 1, max: 4000 }), memory: fc.integer({ min: 1, max: 4096 }) })
  it.prop("one more container never makes the bounds tighter", [fc.array(amounts, { minLength: 1, maxLength: 4 }), amounts], ([list, more]) => {
    const pod = (items: typeof list) => podOf({ containers: items.map(({ cpu, memory }, index) => container(`c${index}`, both(`${cpu}m`, `${memory}Mi`))) })
    const [before, after] = [PodCaps.of(pod(list)), PodCaps.of(pod([...list, more]))]
    assert.isAtLeast(after.cpuPercent ?? 0, before.cpuPercent ?? 0)
    assert.isTrue((after.physicalMemory ?? 0n) >= (before.physicalMemory ?? 0n))
    assert.isAtLeast(after.cpuShares ?? 0, before.cpuShares ?? 0)
  })

  it("limits the link by the annotations, and refuses what is no rate", () => {
    const annotated = (annotations: Record<string, string>) => PodCaps.linkLimit({ ...podOf({}), metadata: { name: "p", annotations } })
    assert.deepStrictEqual(annotated({}), Either.right(undefined))
    assert.deepStrictEqual(annotated({ "kubernetes.io/ingress-bandwidth": "10M", "kubernetes.io/egress-bandwidth": "2500k" }), Either.right(2.5))
    const refused = annotated({ "kubernetes.io/ingress-bandwidth": "fast" })
    assert.isTrue(Either.isLeft(refused) && refused.left.message.includes("is not a rate from 1k to 1P bit/s"))
  })
})

describe("PodResize", () => {
  const given = { requests: { cpu: "500m", memory: "100Mi" }, limits: { cpu: "500m", memory: "100Mi" } }
  const status = { containerStatuses: [{ name: "c", ready: true, restartCount: 0, image: "i", imageID: "", resources: given }] }
  const running = (cpu: string, memory = "100Mi") =>
    podOf({ containers: [container("c", { requests: { cpu, memory }, limits: { cpu, memory } })] }, { status })
  const capacity = { cpuMillis: 2000, memoryBytes: 1024 ** 3 }

  it("asks for nothing where the amounts are the same, however they are written", () => {
    assert.isFalse(PodResize.isAsked(running("0.5", "104857600")))
    assert.deepStrictEqual(PodResize.decide(running("500m"), [], capacity), { kind: "none" })
    // Nothing was given yet: what is asked for is what it will be made with.
    assert.isFalse(PodResize.isAsked(podOf({ containers: [container("c", given)] })))
  })

  it("goes on where the node has room, waits where others have it, and says so where it will never fit", () => {
    const other = podOf({ containers: [container("d", { requests: { cpu: "1500m" } })] })
    assert.strictEqual(PodResize.decide(running("1"), [], capacity).kind, "proceed")
    assert.strictEqual(PodResize.decide(running("1"), [other], capacity).kind, "deferred")
    assert.strictEqual(PodResize.decide(running("3"), [other], capacity).kind, "infeasible")
    // Giving back always fits.
    assert.strictEqual(PodResize.decide(running("100m"), [other, other], capacity).kind, "proceed")
    assert.deepStrictEqual(PodResize.conditionOf(PodResize.decide(running("3"), [], capacity)), {
      type: "PodResizePending",
      status: "True",
      reason: "Infeasible",
      message: "Node didn't have enough capacity: cpu, requested: 3000, capacity: 2000"
    })
  })

  it("keeps the amounts that were given until the others are", () => {
    assert.deepStrictEqual(PodResize.allocated(running("1")).spec?.containers[0]?.resources, given)
    const [asked] = running("1").spec?.containers ?? []
    assert.isDefined(asked)
    if (asked === undefined) return
    assert.deepStrictEqual(PodResize.shown(asked, status.containerStatuses[0], false), { allocatedResources: given.requests, resources: given })
    assert.deepStrictEqual(PodResize.shown(asked, status.containerStatuses[0], true).resources?.limits, { cpu: "1", memory: "100Mi" })
  })
})
