import { assert, describe, it } from "@effect/vitest"
import type { CoreV1 } from "@reddwarf/api-types"
import { ContainerEnvironment, Expansion, PodAdmission, PodSources } from "@reddwarf/node-agent"
import * as Either from "effect/Either"

const pod = (spec: Partial<CoreV1.PodSpec> = {}): CoreV1.Pod => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "p", namespace: "default", uid: "u", labels: { app: "web" } },
  spec: { containers: [{ name: "c", image: "i" }], ...spec }
})

describe("ContainerEnvironment", () => {
  const facts = { podIP: "10.88.0.2", hostIP: "10.0.0.1", allocatable: { cpuMillis: 1900, memoryBytes: 1024 ** 3, ephemeralStorageBytes: 0 } }
  const resolve = (container: Partial<CoreV1.Container>, sources: PodSources.PodSources = PodSources.empty) => {
    const complete = { name: "c", image: "i", command: ["run"], ...container }
    return ContainerEnvironment.process({ pod: pod({ containers: [complete], nodeName: "n1" }), facts, sources }, complete)
  }

  it("resolves every source of a value", () => {
    const spec = Either.getOrThrow(resolve({
      command: ["$(A)", "$$(A)", "$(NONE)"],
      workingDir: "srv/../data",
      resources: { limits: { cpu: "1500m" } },
      envFrom: [{ prefix: "P_", configMapRef: { name: "cm" } }],
      env: [
        { name: "A", value: "a" },
        { name: "B", value: "$(A)/$(P_k)" },
        { name: "UID", valueFrom: { fieldRef: { fieldPath: "metadata.uid" } } },
        { name: "APP", valueFrom: { fieldRef: { fieldPath: "metadata.labels['app']" } } },
        { name: "IP", valueFrom: { fieldRef: { fieldPath: "status.podIP" } } },
        { name: "CPU", valueFrom: { resourceFieldRef: { resource: "limits.cpu" } } },
        { name: "MEM", valueFrom: { resourceFieldRef: { resource: "limits.memory", divisor: "1Mi" } } },
        { name: "S", valueFrom: { secretKeyRef: { name: "s", key: "k" } } }
      ]
    }, {
      configMaps: new Map([["cm", { apiVersion: "v1", kind: "ConfigMap", metadata: {}, data: { k: "v" } }]]),
      secrets: new Map([["s", { apiVersion: "v1", kind: "Secret", metadata: {}, data: { k: "c2VjcmV0" } }]]),
      tokens: new Map(), claims: new Map(), trustAnchors: new Map()
    }))
    assert.deepStrictEqual(spec.argv, ["a", "$(A)", "$(NONE)"])
    assert.strictEqual(spec.workingDirectory, "/data")
    assert.deepStrictEqual(Object.fromEntries(spec.env.map(({ name, value }) => [name, value])), {
      HOSTNAME: "p", P_k: "v", A: "a", B: "a/v", UID: "u", APP: "web", IP: "10.88.0.2", CPU: "2", MEM: "1024", S: "secret"
    })
  })

  it.each<readonly [Partial<CoreV1.Container>, string, string]>([
    [{ envFrom: [{ configMapRef: { name: "cm" } }] }, "CreateContainerConfigError", `configmap "cm" not found`],
    [{ env: [{ name: "A", valueFrom: { secretKeyRef: { name: "s", key: "k" } } }] }, "CreateContainerConfigError", `secret "s" not found`],
    [{ command: [] }, "CreateContainerError", `container "c" has no command`]
  ])("says what is missing: %o", (container, reason, message) => {
    const error = Either.getOrThrow(Either.flip(resolve(container)))
    assert.strictEqual(error.reason, reason)
    assert.include(error.message, message)
  })

  it("expands as Kubernetes documents it", () => {
    const expand = (text: string) => Expansion.expand(text, (name) => name === "A" ? "1" : undefined)
    assert.deepStrictEqual(["$(A)", "$$(A)", "$(B)", "$A", "$(A", "a$(A)b$(A)", "$$$(A)"].map(expand), ["1", "$(A)", "$(B)", "$A", "$(A", "a1b1", "$1"])
  })
})

describe("PodAdmission", () => {
  it("refuses host namespaces", () => {
    assert.strictEqual(PodAdmission.rejection(pod({ hostNetwork: true }))?.reason, "HostNamespacesNotSupported")
    assert.isUndefined(PodAdmission.rejection(pod()))
  })
})
