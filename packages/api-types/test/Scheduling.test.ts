import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import { type CoreV1, NodeSelector, OwnerReference, Kinds, PodPhase, PodResources, Taints } from "../src/index.js"
import { podWith } from "./pods.js"

const resources = (requests: object, limits: object = {}) => ({ resources: { requests, limits } })

describe("PodResources", () => {
  it("counts the larger of the running containers and the most demanding init phase, and overhead", () => {
    const pod = podWith(
      {
        initContainers: [
          { name: "a", image: "x", ...resources({ cpu: "100m", memory: "3Gi" }) },
          { name: "s", image: "x", restartPolicy: "Always", ...resources({ cpu: "200m", memory: "1Gi" }) },
          { name: "b", image: "x", ...resources({ cpu: "1", memory: "1Gi" }) }
        ],
        overhead: { cpu: "10m" }
      },
      resources({ cpu: "500m", memory: "1Gi", "ephemeral-storage": "1G", "example.com/gpu": "2" }, { "example.com/gpu": "2" })
    )
    // CPU: containers 500 + 200 < init b beside the sidecar 1000 + 200. Memory: init a 3Gi > containers 1Gi + 1Gi.
    assert.deepStrictEqual(PodResources.requests(pod), {
      cpuMillis: 1210,
      memoryBytes: 3 * 2 ** 30,
      ephemeralStorageBytes: 1e9,
      scalars: { "example.com/gpu": 2 }
    })
  })

  it("pod-level resources override those of the containers", () => {
    const pod = podWith({ resources: { requests: { cpu: "4" }, limits: { cpu: "4", memory: "1Gi" } } }, resources({ cpu: "1", memory: "100Mi" }))
    assert.strictEqual(PodResources.requests(pod).cpuMillis, 4000)
    assert.strictEqual(pod.spec?.resources?.requests?.["memory"], "100Mi")
    assert.deepStrictEqual(PodResources.caps(pod), { cpuMillis: 4000, memoryBytes: 2 ** 30 })
  })

  it("counts what a node has given while a resize is under way", () => {
    const pod = podWith({}, resources({ cpu: "1" }))
    const status = { name: "c", ready: true, restartCount: 0, image: "", imageID: "", allocatedResources: { cpu: "2" } }
    assert.strictEqual(PodResources.requests({ ...pod, status: { containerStatuses: [status] } }).cpuMillis, 2000)
  })

  it("bounds the pod only where every container has a limit", () => {
    const bounded = { name: "a", image: "x", ...resources({}, { cpu: "1", memory: "1Gi" }) }
    const half = { name: "b", image: "x", ...resources({}, { cpu: "500m" }) }
    assert.deepStrictEqual(PodResources.caps(podWith({ containers: [bounded, half] })), { cpuMillis: 1500 })
    assert.deepStrictEqual(PodResources.limits(podWith({ containers: [bounded, half] })).memoryBytes, 2 ** 30)
  })

  it.each([
    [{}, "BestEffort"],
    [resources({ cpu: "1" }), "Burstable"],
    [resources({}, { cpu: "1", memory: "1Gi" }), "Guaranteed"],
    [resources({ cpu: "1" }, { cpu: "1", memory: "1Gi" }), "Guaranteed"],
    [resources({ cpu: "1000m" }, { cpu: "1", memory: "1Gi" }), "Guaranteed"],
    [resources({ cpu: "500m" }, { cpu: "1", memory: "1Gi" }), "Burstable"],
    [resources({}, { cpu: "1" }), "Burstable"],
    [resources({ "ephemeral-storage": "1Gi" }), "BestEffort"],
    [resources({ cpu: "0" }), "BestEffort"]
  ])("%j is %s", (container, expected) => {
    assert.strictEqual(PodResources.qosClass(podWith({}, container)), expected)
  })

  it.prop("requests grow with every container", [FastCheck.array(FastCheck.nat(4000), { minLength: 1, maxLength: 5 })], ([millis]) => {
    const containers = millis.map((cpu, index) => ({ name: `c${index}`, image: "x", ...resources({ cpu: `${cpu}m` }) }))
    assert.strictEqual(PodResources.requests(podWith({ containers })).cpuMillis, millis.reduce((sum, cpu) => sum + cpu, 0))
  })
})

describe("Taints", () => {
  const taint: CoreV1.Taint = { key: "k", value: "v", effect: "NoSchedule" }

  it.each<readonly [CoreV1.Toleration, boolean]>([
    [{ key: "k", operator: "Equal", value: "v", effect: "NoSchedule" }, true],
    [{ key: "k", value: "v" }, true],
    [{ key: "k", value: "w" }, false],
    [{ key: "k" }, false],
    [{ key: "k", operator: "Exists" }, true],
    [{ key: "j", operator: "Exists" }, false],
    [{ operator: "Exists" }, true],
    [{ operator: "Exists", effect: "NoExecute" }, false],
    [{ value: "v" }, false],
    [{ key: "k", operator: "Near", value: "v" }, false]
  ])("%j tolerates it: %s", (toleration, expected) => {
    assert.strictEqual(Taints.tolerates(toleration, taint), expected)
  })

  it("compares numbers", () => {
    const number: CoreV1.Taint = { key: "k", value: "10", effect: "NoSchedule" }
    assert.isTrue(Taints.tolerates({ key: "k", operator: "Gt", value: "5" }, number))
    assert.isFalse(Taints.tolerates({ key: "k", operator: "Lt", value: "5" }, number))
    assert.isFalse(Taints.tolerates({ key: "k", operator: "Lt", value: "x" }, number))
  })

  it("looks at the asked effects only", () => {
    const prefer: CoreV1.Taint = { key: "p", effect: "PreferNoSchedule" }
    assert.isTrue(Taints.toleratesAll([], [prefer], ["NoSchedule", "NoExecute"]))
    assert.isFalse(Taints.toleratesAll([], [taint], ["NoSchedule"]))
    assert.strictEqual(Taints.findUntolerated([], [prefer, taint], ["NoSchedule"]), taint)
  })

  it("gives the shortest time that a NoExecute taint is borne", () => {
    const execute: CoreV1.Taint = { key: "k", effect: "NoExecute" }
    const exists: CoreV1.Toleration = { key: "k", operator: "Exists" }
    assert.strictEqual(Taints.tolerationSeconds([], execute), 0)
    assert.isUndefined(Taints.tolerationSeconds([exists], execute))
    assert.strictEqual(Taints.tolerationSeconds([{ ...exists, tolerationSeconds: 300 }, { ...exists, tolerationSeconds: 60 }, exists], execute), 60)
  })
})

describe("NodeSelector", () => {
  const node: CoreV1.Node = { apiVersion: "v1", kind: "Node", metadata: { name: "n1", labels: { zone: "a", size: "10" } } }
  const required = (...nodeSelectorTerms: ReadonlyArray<CoreV1.NodeSelectorTerm>) =>
    podWith({ affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms } } } })

  it.each<readonly [CoreV1.NodeSelectorRequirement, boolean]>([
    [{ key: "zone", operator: "In", values: ["a", "b"] }, true],
    [{ key: "zone", operator: "NotIn", values: ["a"] }, false],
    [{ key: "other", operator: "NotIn", values: ["a"] }, true],
    [{ key: "zone", operator: "Exists" }, true],
    [{ key: "zone", operator: "DoesNotExist" }, false],
    [{ key: "size", operator: "Gt", values: ["9"] }, true],
    [{ key: "size", operator: "Lt", values: ["9"] }, false],
    [{ key: "zone", operator: "Gt", values: ["9"] }, false],
    [{ key: "zone", operator: "Near", values: ["a"] }, false]
  ])("%j: %s", (requirement, expected) => {
    assert.strictEqual(NodeSelector.admits(required({ matchExpressions: [requirement] }), node), expected)
  })

  it("terms are alternatives, empty ones match nothing, names are fields", () => {
    const never: CoreV1.NodeSelectorTerm = { matchExpressions: [{ key: "zone", operator: "In", values: ["z"] }] }
    const byName: CoreV1.NodeSelectorTerm = { matchFields: [{ key: "metadata.name", operator: "In", values: ["n1"] }] }
    assert.isTrue(NodeSelector.admits(required(never, byName), node))
    assert.isFalse(NodeSelector.admits(required(never), node))
    assert.isFalse(NodeSelector.admits(required({}), node))
  })

  it("labels of the pod's node selector must all be there", () => {
    assert.isTrue(NodeSelector.admits(podWith({ nodeSelector: { zone: "a" } }), node))
    assert.isFalse(NodeSelector.admits(podWith({ nodeSelector: { zone: "a", constructor: "x" } }), node))
  })

  it("preferred terms add their weights", () => {
    const pod = podWith({
      affinity: {
        nodeAffinity: {
          preferredDuringSchedulingIgnoredDuringExecution: [
            { weight: 10, preference: { matchExpressions: [{ key: "zone", operator: "In", values: ["a"] }] } },
            { weight: 5, preference: {} },
            { weight: 3, preference: { matchExpressions: [{ key: "zone", operator: "In", values: ["b"] }] } }
          ]
        }
      }
    })
    assert.strictEqual(NodeSelector.preference(pod, node), 15)
  })
})

describe("PodPhase and OwnerReference", () => {
  it("answers the usual questions", () => {
    const pod = podWith({ nodeName: "n" })
    assert.deepStrictEqual([PodPhase.isBound(pod), PodPhase.isTerminal(pod), PodPhase.isReady(pod), PodPhase.isTerminating(pod), PodPhase.isGated(pod)], [true, false, false, false, false])
    const ready = { ...pod, status: { phase: "Failed", conditions: [{ type: "Ready", status: "True" }] } }
    assert.deepStrictEqual([PodPhase.isTerminal(ready), PodPhase.isReady(ready)], [true, true])
  })

  it("a controller owns by uid", () => {
    const owner: CoreV1.Node = { apiVersion: "v1", kind: "Node", metadata: { name: "n", uid: "u1" } }
    const reference = OwnerReference.controllerOf(Kinds.node, owner)
    assert.deepStrictEqual(reference, { apiVersion: "v1", kind: "Node", name: "n", uid: "u1", controller: true, blockOwnerDeletion: true })
    const pod = podWith({}, {}, { ownerReferences: [reference] })
    assert.isTrue(OwnerReference.isControlledBy(pod, owner))
    assert.isFalse(OwnerReference.isControlledBy(pod, { ...owner, metadata: { name: "n", uid: "u2" } }))
  })
})
