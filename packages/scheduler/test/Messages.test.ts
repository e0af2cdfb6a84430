import { assert, describe, it } from "@effect/vitest"
import { Effect, Either } from "effect"
import type { Snapshot } from "../src/index.js"
import { CycleState, DefaultPreemption, Diagnosis, Profile, SchedulingCycle } from "../src/index.js"
import { node, type NodeShape, podInfo, type PodShape, snapshot } from "./support/objects.js"

/** The message for a pod that finds no node, with what the post filters add. */
const refusal = (nodes: Snapshot.Snapshot, shape: PodShape = {}): string => {
  const pod = podInfo("p", shape)
  const decision = SchedulingCycle.schedule(Profile.builtIn, pod, nodes, { random: () => 0 })
  assert(decision._tag === "Unschedulable")
  const { diagnosis, trial } = decision
  if (nodes.nodes.length === 0) return Diagnosis.message(diagnosis)
  const outlook = DefaultPreemption.outlook({ pod, snapshot: nodes, diagnosis, trial, offset: 0 }, DefaultPreemption.usual)
  return Diagnosis.message(diagnosis, outlook._tag === "Impossible" ? outlook.message : undefined)
}

/** The reasons alone, for one node. */
const reasons = (shape: NodeShape, pod: PodShape = {}): string =>
  /^0\/1 nodes are available: (.*?)\. /.exec(refusal(snapshot([node("n", shape)]), pod))?.[1] ?? ""

describe("messages of pods without a node", () => {
  it("says why, filter by filter", () => {
    assert.strictEqual(reasons({ unschedulable: true }), "1 node(s) were unschedulable")
    assert.strictEqual(reasons({}, { spec: { nodeName: "other" } }), "1 node(s) didn't match the requested node name")
    assert.strictEqual(reasons({ taints: [{ key: "a", value: "b", effect: "NoSchedule" }] }), "1 node(s) had untolerated taint(s)")
    assert.strictEqual(reasons({ taints: [{ key: "a", effect: "NoExecute" }] }), "1 node(s) had untolerated taint(s)")
    assert.strictEqual(reasons({}, { spec: { nodeSelector: { zone: "a" } } }), "1 node(s) didn't match Pod's node affinity/selector")
    assert.strictEqual(reasons({ ready: "False" }), "1 node(s) were not ready")
    assert.strictEqual(reasons({ cpu: "500m" }, { cpu: "1" }), "1 Insufficient cpu")
    assert.strictEqual(reasons({ cpu: "1", memory: "1Gi" }, { cpu: "2", memory: "2Gi" }), "1 Insufficient cpu, 1 Insufficient memory")
    assert.strictEqual(reasons({}, { requests: { "ephemeral-storage": "1Gi" } }), "1 Insufficient ephemeral-storage")
    assert.strictEqual(reasons({}, { requests: { "example.com/gpu": "1" } }), "1 Insufficient example.com/gpu")
    assert.strictEqual(reasons({ pods: "0" }), "1 Too many pods")
    assert.strictEqual(reasons({}, { annotations: { "reddwarf.io/zone-brand": "lx" } }), "1 node(s) didn't support the requested zone brand")
    const brands = { "reddwarf.io/zone-brands": "sparse.lxx" }
    assert.strictEqual(reasons({ labels: brands }, { spec: { runtimeClassName: "lx" } }), "1 node(s) didn't support the requested zone brand")
    const web = { hostPorts: [{ hostPort: 80 }] }
    assert.strictEqual(
      refusal(snapshot([node("n"), podInfo("other", web)]), web),
      "0/1 nodes are available: 1 node(s) didn't have free ports for the requested pod ports. preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod."
    )
  })

  it("counts reasons over nodes, sorted as strings", () => {
    const nodes = snapshot(
      ...Array.from({ length: 10 }, (_, i) => [node(`small${i}`, { cpu: "1" })] as const),
      [node("cordoned1", { unschedulable: true })],
      [node("cordoned2", { unschedulable: true })]
    )
    assert.strictEqual(
      refusal(nodes, { cpu: "2" }),
      "0/12 nodes are available: 10 Insufficient cpu, 2 node(s) were unschedulable. preemption: 0/12 nodes are available: 12 Preemption is not helpful for scheduling."
    )
  })

  it("says that there are no nodes", () => assert.strictEqual(refusal(snapshot()), "no nodes available to schedule pods"))

  it("says which nodes a pod that names its nodes does not get", () => {
    const named = (...names: ReadonlyArray<ReadonlyArray<string>>): PodShape => ({
      spec: {
        affinity: {
          nodeAffinity: {
            requiredDuringSchedulingIgnoredDuringExecution: {
              nodeSelectorTerms: [{ matchFields: names.map((values) => ({ key: "metadata.name", operator: "In", values })) }]
            }
          }
        }
      }
    })
    const nodes = snapshot([node("a", { unschedulable: true })], [node("b")], [node("c")])
    assert.strictEqual(
      refusal(nodes, named(["a"])),
      "0/3 nodes are available: 1 node(s) were unschedulable, 2 node(s) didn't satisfy plugin(s) [NodeAffinity]. preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling."
    )
    assert.strictEqual(
      refusal(nodes, named(["a"], ["b"])),
      "0/3 nodes are available: pod affinity terms conflict. preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling."
    )
  })

  it("refuses a pod that contradicts itself about its brand", () => {
    assert.match(
      refusal(snapshot([node("n")]), { annotations: { "reddwarf.io/zone-brand": "lx" }, spec: { runtimeClassName: "sparse" } }),
      /^0\/1 nodes are available: pod asks for different zone brands in annotation reddwarf.io\/zone-brand and runtimeClassName\. preemption/
    )
  })
})

describe("the outlook of preemption", () => {
  const full = (priority: number) => snapshot([node("n", { cpu: "2" }), podInfo("other", { cpu: "2", spec: { priority } })])
  const tail = (message: string) => message.replace("0/1 nodes are available: 1 Insufficient cpu. ", "")

  it("knows when nothing of lower priority is there", () => {
    assert.strictEqual(
      tail(refusal(full(10), { cpu: "1", spec: { priority: 10 } })),
      "preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod."
    )
  })

  it("is silent when it would help", () => {
    assert.strictEqual(refusal(full(9), { cpu: "1", spec: { priority: 10 } }), "0/1 nodes are available: 1 Insufficient cpu.")
  })

  it("knows when it would not help: the request exceeds the empty node, or what is in the way stays", () => {
    assert.strictEqual(
      tail(refusal(full(9), { cpu: "3", spec: { priority: 10 } })),
      "preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling."
    )
    const mixed = snapshot([
      node("n", { cpu: "2" }),
      podInfo("high", { cpu: "1500m", spec: { priority: 20 } }),
      podInfo("low", { cpu: "500m", spec: { priority: 1 } })
    ])
    assert.strictEqual(tail(refusal(mixed, { cpu: "1", spec: { priority: 10 } })), "preemption: 0/1 nodes are available: 1 Insufficient cpu.")
  })

  it("respects the pod's own policy", () => {
    assert.strictEqual(
      tail(refusal(full(9), { cpu: "1", spec: { priority: 10, preemptionPolicy: "Never" } })),
      "preemption: not eligible due to preemptionPolicy=Never."
    )
  })

  it.effect("is a post filter of the built-in profile", () =>
    Effect.gen(function*() {
      const nodes = full(10)
      const pod = podInfo("p", { cpu: "1" })
      const decision = SchedulingCycle.schedule(Profile.builtIn, pod, nodes, { random: () => 0 })
      assert(decision._tag === "Unschedulable")
      const postFilter = DefaultPreemption.plugin.postFilter
      assert(postFilter !== undefined)
      const result = yield* postFilter({
        pod,
        snapshot: nodes,
        diagnosis: decision.diagnosis,
        test: decision.test,
        trial: decision.trial,
        offset: 0,
        state: CycleState.make(),
        handle: undefined
      })
      assert.deepStrictEqual(result, {
        message: "preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod.",
        nominatedNode: ""
      })
    }))
})

describe("filters that let pods pass", () => {
  const passes = (shape: NodeShape, pod: PodShape): boolean =>
    SchedulingCycle.schedule(Profile.builtIn, podInfo("p", pod), snapshot([node("n", shape)]), { random: () => 0 })._tag === "Placed"

  it("tolerations", () => {
    assert.isTrue(passes({ unschedulable: true }, { spec: { tolerations: [{ key: "node.kubernetes.io/unschedulable", operator: "Exists" }] } }))
    assert.isTrue(passes({ taints: [{ key: "a", value: "b", effect: "NoSchedule" }] }, { spec: { tolerations: [{ key: "a", value: "b", effect: "NoSchedule" }] } }))
    assert.isFalse(passes({ taints: [{ key: "a", value: "b", effect: "NoSchedule" }] }, { spec: { tolerations: [{ key: "a", value: "c" }] } }))
    assert.isTrue(passes({ taints: [{ key: "a", effect: "PreferNoSchedule" }] }, {}))
  })

  it("a node that is not ready gets nothing, whatever the pod tolerates", () => {
    assert.isFalse(passes({ ready: "Unknown" }, { spec: { tolerations: [{ operator: "Exists" }] } }))
  })

  it("brands, by annotation and by runtime class", () => {
    const labels = { "reddwarf.io/zone-brands": "sparse.lx" }
    assert.isTrue(passes({ labels }, { annotations: { "reddwarf.io/zone-brand": "lx" } }))
    assert.isTrue(passes({ labels }, { spec: { runtimeClassName: "sparse" } }))
    assert.isTrue(passes({ labels }, { annotations: { "reddwarf.io/zone-brand": "lx" }, spec: { runtimeClassName: "lx" } }))
    assert.isTrue(passes({}, {}))
  })

  it("requests of zero fit on an overcommitted node", () => {
    const busy = snapshot([node("n", { cpu: "1" }), podInfo("other", { cpu: "2" })])
    assert.strictEqual(SchedulingCycle.schedule(Profile.builtIn, podInfo("p"), busy, { random: () => 0 })._tag, "Placed")
  })
})

describe("Profile", () => {
  it("says what is wrong with it", () => {
    const problem = (options: Profile.Options) => Either.match(Profile.make(options), { onLeft: (error) => error.message, onRight: () => "" })
    const a = { name: "A" }
    assert.strictEqual(problem({ schedulerName: "s", plugins: [a, a] }), `scheduler profile "s": plugin A is there twice; give each plugin its own name`)
    assert.match(problem({ schedulerName: "s", plugins: [a], weights: { B: 1 } }), /there is a weight for B, which is not among the plugins/)
    assert.match(problem({ schedulerName: "s", plugins: [a], weights: { A: 0.5 } }), /the weight of A is 0.5/)
    assert.match(problem({ schedulerName: "", plugins: [] }), /the name is empty/)
    assert.match(problem({ schedulerName: "s", plugins: [], percentageOfNodesToScore: 101 }), /percentageOfNodesToScore is 101/)
    const sort = (name: string) => ({ name, queueSort: () => 0 })
    assert.match(problem({ schedulerName: "s", plugins: [sort("A"), sort("B")] }), /more than one plugin sorts the queue/)
  })
})
