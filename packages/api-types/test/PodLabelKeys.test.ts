/** What the label keys of a pod add to its selectors when it is created. */
import { assert, describe, it } from "@effect/vitest"
import { type CoreV1, Kinds } from "../src/index.js"
import { podWith, problems } from "./pods.js"

const zone = "topology.kubernetes.io/zone"
const term = (more: object = {}): CoreV1.PodAffinityTerm => ({ topologyKey: zone, labelSelector: {}, ...more })
const withTerm = (more: object, labels: object = {}) =>
  Kinds.pod.completeForCreate(podWith({ affinity: { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term(more)] } } }, {}, { labels }))
const selectorOf = (pod: CoreV1.Pod) => pod.spec?.affinity?.podAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.[0]?.labelSelector

describe("label keys of a new pod", () => {
  it("become requirements behind those that are there, for labels that the pod has", () => {
    const exists = { key: "app", operator: "Exists" }
    const pod = withTerm({ labelSelector: { matchExpressions: [exists] }, matchLabelKeys: ["a", "none"], mismatchLabelKeys: ["b"] }, { a: "1", b: "" })
    assert.deepStrictEqual(selectorOf(pod), { matchExpressions: [exists, { key: "a", operator: "In", values: ["1"] }, { key: "b", operator: "NotIn", values: [""] }] })
    assert.deepStrictEqual(problems(pod), [])
  })

  it("leave alone what has no selector, no keys, or no labels", () => {
    assert.isUndefined(selectorOf(withTerm({ labelSelector: undefined, matchLabelKeys: ["a"] }, { a: "1" })))
    assert.deepStrictEqual(selectorOf(withTerm({}, { a: "1" })), {})
    assert.deepStrictEqual(selectorOf(withTerm({ matchLabelKeys: ["toString"] }, {})), {})
    const plain = podWith()
    assert.strictEqual(Kinds.pod.completeForCreate(plain), plain)
  })

  it("are refused where the selector names them as well, as soon as there is a pod", () => {
    const twice = ['spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[0][1]: Invalid value: "a": exists in both matchLabelKeys and labelSelector']
    const keys = { matchLabelKeys: ["b", "a"] }
    assert.deepStrictEqual(problems(withTerm({ labelSelector: { matchLabels: { a: "1" } }, ...keys }, { a: "1" })), twice)
    assert.deepStrictEqual(problems(withTerm({ labelSelector: { matchExpressions: [{ key: "a", operator: "Exists" }] }, ...keys }, { a: "1" })), twice)
    // Nothing was merged for a label that the pod does not have.
    assert.deepStrictEqual(problems(withTerm({ labelSelector: { matchLabels: { a: "1" } }, ...keys })), [])
  })
})
