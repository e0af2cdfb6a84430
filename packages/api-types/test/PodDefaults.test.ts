import { assert, describe, it } from "@effect/vitest"
import * as Either from "effect/Either"
import { type CoreV1, Kinds, ObjectCodec } from "../src/index.js"
import { created, podWith } from "./pods.js"

const container = (pod: CoreV1.Pod): CoreV1.Container => {
  const first = pod.spec?.containers[0]
  if (first === undefined) throw new Error("the pod has no container")
  return first
}

describe("a bare pod", () => {
  it("gets what Kubernetes gives it, but for the token volume", () => {
    const { metadata: _, ...rest } = podWith()
    assert.deepStrictEqual<unknown>(rest, {
      kind: "Pod",
      apiVersion: "v1",
      spec: {
        containers: [
          {
            name: "c",
            image: "nginx",
            resources: {},
            terminationMessagePath: "/dev/termination-log",
            terminationMessagePolicy: "File",
            imagePullPolicy: "Always"
          }
        ],
        restartPolicy: "Always",
        terminationGracePeriodSeconds: 30,
        dnsPolicy: "ClusterFirst",
        serviceAccountName: "default",
        serviceAccount: "default",
        securityContext: {},
        schedulerName: "default-scheduler",
        tolerations: [
          { key: "node.kubernetes.io/not-ready", operator: "Exists", effect: "NoExecute", tolerationSeconds: 300 },
          { key: "node.kubernetes.io/unreachable", operator: "Exists", effect: "NoExecute", tolerationSeconds: 300 }
        ],
        priority: 0,
        enableServiceLinks: true,
        preemptionPolicy: "PreemptLowerPriority"
      },
      status: { phase: "Pending", qosClass: "BestEffort" }
    })
  })

  it("is left alone by a second pass", () => {
    const pod = podWith({ hostNetwork: true, volumes: [{ name: "v", configMap: { name: "m" } }] }, { ports: [{ containerPort: 80 }] })
    assert.deepStrictEqual(Kinds.pod.defaults(pod), pod)
  })

  it("survives the wire unchanged", () => {
    const pod = podWith({}, { livenessProbe: { httpGet: { port: "http" } }, env: [{ name: "A", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } }] })
    const again = Either.getOrThrow(ObjectCodec.decode(Kinds.pod, JSON.parse(JSON.stringify(pod))))
    assert.deepStrictEqual(again.object, pod)
  })
})

describe("image pull policy", () => {
  it.each([
    ["nginx", "Always"],
    ["nginx:latest", "Always"],
    ["nginx:1.27", "IfNotPresent"],
    ["registry.example:5000/nginx", "Always"],
    ["registry.example:5000/nginx:1", "IfNotPresent"],
    [`nginx@sha256:${"a".repeat(64)}`, "IfNotPresent"],
    [`nginx:latest@sha256:${"a".repeat(64)}`, "Always"]
  ])("of %s is %s", (image, policy) => {
    assert.strictEqual(container(podWith({}, { image })).imagePullPolicy, policy)
  })
})

describe("defaults of parts", () => {
  it("probes get their numbers, path and scheme", () => {
    const { livenessProbe, readinessProbe } = container(
      podWith({}, { livenessProbe: { httpGet: { port: 80 } }, readinessProbe: { grpc: { port: 9000 }, periodSeconds: 3 } })
    )
    assert.deepStrictEqual(livenessProbe, {
      httpGet: { path: "/", port: 80, scheme: "HTTP" },
      timeoutSeconds: 1,
      periodSeconds: 10,
      successThreshold: 1,
      failureThreshold: 3
    })
    assert.deepStrictEqual(readinessProbe, {
      grpc: { port: 9000, service: "" },
      timeoutSeconds: 1,
      periodSeconds: 3,
      successThreshold: 1,
      failureThreshold: 3
    })
  })

  it("requests default to limits", () => {
    const pod = podWith({}, { resources: { limits: { cpu: "1", memory: "1Gi" }, requests: { cpu: "500m" } } })
    assert.deepStrictEqual(container(pod).resources?.requests, { cpu: "500m", memory: "1Gi" })
    assert.strictEqual(pod.status?.qosClass, "Burstable")
    assert.strictEqual(podWith({}, { resources: { limits: { cpu: "1", memory: "1Gi" } } }).status?.qosClass, "Guaranteed")
  })

  it("volumes get modes, and an empty one is an empty directory", () => {
    const pod = podWith({
      volumes: [
        { name: "a" },
        { name: "b", secret: { secretName: "s" } },
        { name: "c", hostPath: { path: "/x" } },
        { name: "d", projected: { sources: [{ serviceAccountToken: { path: "t" } }, { downwardAPI: { items: [{ path: "n", fieldRef: { fieldPath: "metadata.name" } }] } }] } }
      ]
    })
    assert.deepStrictEqual<unknown>(pod.spec?.volumes, [
      { name: "a", emptyDir: {} },
      { name: "b", secret: { secretName: "s", defaultMode: 420 } },
      { name: "c", hostPath: { path: "/x", type: "" } },
      {
        name: "d",
        projected: {
          sources: [
            { serviceAccountToken: { path: "t", expirationSeconds: 3600 } },
            { downwardAPI: { items: [{ path: "n", fieldRef: { apiVersion: "v1", fieldPath: "metadata.name" } }] } }
          ],
          defaultMode: 420
        }
      }
    ])
  })

  it("ports are TCP, and the host's own in its network", () => {
    assert.deepStrictEqual(container(podWith({}, { ports: [{ containerPort: 80 }] })).ports, [{ containerPort: 80, protocol: "TCP" }])
    assert.deepStrictEqual(container(podWith({ hostNetwork: true }, { ports: [{ containerPort: 80 }] })).ports, [
      { containerPort: 80, protocol: "TCP", hostPort: 80 }
    ])
  })

  it("own tolerations replace the default ones", () => {
    const all = podWith({ tolerations: [{ operator: "Exists" }] })
    assert.deepStrictEqual(all.spec?.tolerations, [{ operator: "Exists" }])
    const one = podWith({ tolerations: [{ key: "node.kubernetes.io/not-ready", operator: "Exists", effect: "NoExecute" }] })
    assert.deepStrictEqual(one.spec?.tolerations?.map(({ key }) => key), ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"])
  })

  it("gates hold scheduling back, and system classes have their priority", () => {
    const pod = podWith({ schedulingGates: [{ name: "x/y" }], priorityClassName: "system-node-critical" })
    assert.strictEqual(pod.spec?.priority, 2_000_001_000)
    assert.deepStrictEqual(pod.status?.conditions, [
      { type: "PodScheduled", status: "False", reason: "SchedulingGated", message: "Scheduling is blocked due to non-empty scheduling gates" }
    ])
  })

  it("a status sent along with a new pod is dropped", () => {
    const pod = created({ metadata: { name: "p" }, spec: { containers: [] }, status: { phase: "Running", podIP: "1.2.3.4" } })
    assert.deepStrictEqual(pod.status, { phase: "Pending", qosClass: "BestEffort" })
  })
})

describe("updates", () => {
  const pod = podWith()

  it("the main resource keeps the status, the status resource the spec", () => {
    const running: CoreV1.Pod = { ...pod, status: { phase: "Running", qosClass: "BestEffort" } }
    const changed: CoreV1.Pod = { ...pod, spec: { ...pod.spec, containers: [] }, status: { phase: "Failed" } }
    assert.deepStrictEqual(Kinds.pod.prepareForUpdate(changed, running).status, running.status)
    const status = Kinds.pod.prepareForStatusUpdate(changed, running)
    assert.deepStrictEqual(status.spec, pod.spec)
    assert.deepStrictEqual(status.status, { phase: "Failed", qosClass: "BestEffort" })
  })

  it("grace ends at once for pods that no node runs", () => {
    const grace = (object: CoreV1.Pod, requested?: number) => Kinds.pod.deletionGrace?.(object, requested)
    const bound: CoreV1.Pod = podWith({ nodeName: "n" })
    assert.strictEqual(grace(pod), 0)
    assert.strictEqual(grace(bound), 30)
    assert.strictEqual(grace(bound, 5), 5)
    assert.strictEqual(grace(bound, -3), 1)
    assert.strictEqual(grace({ ...bound, status: { phase: "Succeeded" } }, 5), 0)
  })
})
