/** The label keys of a pod become part of its selectors when it is created: what is stored says what is selected. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { call, layerApi, merge, pod, pods } from "./support/api.js"
import { startHook } from "./support/webhook.js"
import { add, configuration, patching, review, rule, webhook } from "./support/webhookConfiguration.js"

const app = { matchLabels: { app: "web" } }
const zone = "topology.kubernetes.io/zone"
const term = { topologyKey: zone, labelSelector: app, matchLabelKeys: ["version", "absent"], mismatchLabelKeys: ["tenant"] }
const spread = { maxSkew: 1, topologyKey: zone, whenUnsatisfiable: "DoNotSchedule", labelSelector: app, matchLabelKeys: ["version"] }
const spec = {
  affinity: {
    podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term] },
    podAntiAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 5, podAffinityTerm: term }] }
  },
  topologySpreadConstraints: [spread]
}
const version = (value: string) => ({ key: "version", operator: "In", values: [value] })
const otherTenant = { key: "tenant", operator: "NotIn", values: ["a"] }

describe("label keys of a pod", () => {
  it.scopedLive("are written into its selectors, with the labels that admission left it", () =>
    Effect.gen(function*() {
      const hook = yield* startHook(review(patching(add("/metadata/labels/version", "2"))))
      yield* configuration("Mutating", "m", [webhook(hook, "m", { rules: [rule("pods", { operations: ["CREATE"] })] })])
      const made = yield* call("POST", pods, { body: pod("p", spec, { labels: { version: "1", tenant: "a" } }) })
      assert.strictEqual(made.status, 201, made.text)
      const { affinity, topologySpreadConstraints } = made.json.spec
      const merged = { ...app, matchExpressions: [version("2"), otherTenant] }
      assert.deepStrictEqual(affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution, [{ ...term, labelSelector: merged }])
      const [preferred] = affinity.podAntiAffinity.preferredDuringSchedulingIgnoredDuringExecution
      assert.deepStrictEqual(preferred, { weight: 5, podAffinityTerm: { ...term, labelSelector: merged } })
      assert.deepStrictEqual(topologySpreadConstraints[0].labelSelector, { ...app, matchExpressions: [version("2")] })
      // They stay what they were at creation.
      const relabelled = yield* call("PATCH", `${pods}/p`, { type: merge, body: { metadata: { labels: { version: "3" } } } })
      assert.strictEqual(relabelled.status, 200, relabelled.text)
      assert.deepStrictEqual(relabelled.json.spec.topologySpreadConstraints[0].labelSelector.matchExpressions, [version("2")])
    }).pipe(Effect.provide(layerApi)))

  it.effect("are not to be selected a second time", () =>
    Effect.gen(function*() {
      const labelSelector = { matchLabels: { version: "1" } }
      const twice = { topologySpreadConstraints: [{ ...spread, labelSelector }] }
      const refused = yield* call("POST", pods, { body: pod("p", twice, { labels: { version: "1" } }) })
      assert.strictEqual(refused.status, 422, refused.text)
      assert.include(refused.json.message, "spec.topologySpreadConstraints[0][0]: Invalid value: \"version\": exists in both matchLabelKeys and labelSelector")
      const affinity = { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [{ ...term, labelSelector: { matchExpressions: [{ key: "version", operator: "Exists" }] } }] } }
      const near = yield* call("POST", pods, { body: pod("p", { affinity }, { labels: { version: "1" } }) })
      assert.include(near.json.message, "requiredDuringSchedulingIgnoredDuringExecution[0][0]: Invalid value: \"version\": exists in both")
      // A template has no pod yet.
      const template = { metadata: { labels: { app: "web", version: "1" } }, spec: { ...pod("p").spec, ...twice } }
      const deployment = { apiVersion: "apps/v1", kind: "Deployment", metadata: { name: "d" }, spec: { selector: app, template } }
      const deployed = yield* call("POST", "/apis/apps/v1/namespaces/default/deployments", { body: deployment })
      assert.strictEqual(deployed.status, 201, deployed.text)
      assert.deepStrictEqual(deployed.json.spec.template.spec.topologySpreadConstraints[0].labelSelector, labelSelector)
    }).pipe(Effect.provide(layerApi)))
})
