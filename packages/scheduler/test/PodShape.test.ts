import { assert, describe, it } from "@effect/vitest"
import type { CoreV1 } from "@reddwarf/api-types"
import { PodInfo, PodShape } from "../src/index.js"

/** A pod as a replica set makes it and a kubelet reports it: what is its own is different for each. */
const replica = (i: number, change: Partial<CoreV1.PodSpec> = {}): CoreV1.Pod => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: {
    name: `web-${i}`,
    namespace: "shop",
    uid: `u${i}`,
    resourceVersion: String(i),
    labels: { app: "web" },
    annotations: { "kubectl.kubernetes.io/last-applied-configuration": `{"name":"web-${i}"}`, "example.com/tier": "front" },
    managedFields: [{ manager: `m${i}` }]
  },
  spec: {
    nodeName: `n${i}`,
    hostname: `web-${i}`,
    containers: [{
      name: "main",
      image: "example/web:1",
      env: [{ name: "ME", value: String(i) }],
      resources: { requests: { cpu: "100m" } },
      ports: [{ containerPort: 80 }, { containerPort: 81, hostPort: 8081 }],
      volumeMounts: [{ name: `token-${i}`, mountPath: "/token" }]
    }],
    volumes: [{ name: `token-${i}`, projected: {} }, { name: "data", persistentVolumeClaim: { claimName: "data" } }],
    ...change
  },
  status: { phase: "Running", startTime: `2026-01-01T00:00:0${i}Z`, podIP: `10.0.0.${i}`, conditions: [{ type: "Ready", status: "True" }] }
})

describe("the shape of a pod", () => {
  it("is one value for pods of one template", () => {
    const shapes = [1, 2, 3].map((i) => PodShape.of(replica(i)))
    assert.strictEqual(new Set(shapes).size, 1)
    assert.deepStrictEqual(shapes[0]?.annotations, { "example.com/tier": "front" })
    assert.strictEqual(shapes[0]?.requests.cpuMillis, 100)
    assert.deepStrictEqual(shapes[0]?.hostPorts, [{ ip: "0.0.0.0", protocol: "TCP", port: 8081 }])
  })

  it("is another one when anything differs that placement can depend on", () => {
    const same = PodShape.of(replica(1))
    const changes: ReadonlyArray<Partial<CoreV1.PodSpec>> = [
      { priority: 1 },
      { schedulerName: "other" },
      { tolerations: [{ operator: "Exists" }] },
      { nodeSelector: { zone: "a" } },
      { runtimeClassName: "lx" },
      { overhead: { cpu: "10m" } },
      { topologySpreadConstraints: [{ maxSkew: 1, topologyKey: "zone", whenUnsatisfiable: "DoNotSchedule" }] },
      { volumes: [{ name: "data", persistentVolumeClaim: { claimName: "other" } }] },
      { containers: [{ name: "main", image: "example/web:2", resources: { requests: { cpu: "100m" } } }] }
    ]
    for (const change of changes) assert.notStrictEqual(PodShape.of(replica(1, change)), same, JSON.stringify(change))
    const plain = replica(1)
    assert.notStrictEqual(PodShape.of({ ...plain, metadata: { ...plain.metadata, namespace: "else" } }), same)
    assert.notStrictEqual(PodShape.of({ ...plain, metadata: { ...plain.metadata, labels: { app: "api" } } }), same)
  })

  it("counts what the node has given while a resize is under way", () => {
    const given = (cpu: string): CoreV1.Pod => ({
      ...replica(1),
      status: { containerStatuses: [{ name: "main", image: "", imageID: "", ready: true, restartCount: 0, allocatedResources: { cpu } }] }
    })
    assert.strictEqual(PodShape.of(given("100m")), PodShape.of(replica(1)))
    const { pod, requests } = PodInfo.placed(given("2"))
    assert.strictEqual(requests.cpuMillis, 2000)
    assert.strictEqual(PodInfo.placed(pod).requests, requests)
  })

  it("a placed pod keeps what others' placement depends on, and no more", () => {
    const { pod } = PodInfo.placed(replica(2))
    assert.deepStrictEqual(pod.metadata, { name: "web-2", namespace: "shop", uid: "u2", labels: { app: "web" }, annotations: { "example.com/tier": "front" } })
    assert.deepStrictEqual(pod.status, { phase: "Running", startTime: "2026-01-01T00:00:02Z" })
    assert.strictEqual(pod.spec?.nodeName, "n2")
    assert.deepStrictEqual(pod.spec?.volumes, [{ name: "data", persistentVolumeClaim: { claimName: "data" } }])
    assert.isUndefined(pod.spec?.containers[0]?.env)
    // The same again from what is kept, as an informer hands it over.
    assert.strictEqual(PodInfo.placed(pod).shape, PodInfo.placed(replica(2)).shape)
    const disrupted = { ...replica(2), status: { conditions: [{ type: "Ready", status: "True" as const }, { type: "DisruptionTarget", status: "True" as const, reason: "X" }] } }
    assert.deepStrictEqual(PodInfo.placed(disrupted).pod.status?.conditions?.map(({ type }) => type), ["DisruptionTarget"])
  })
})
