/** Real kubectl of several versions with webhooks, policies and scale tables. Needs REDDWARF_PEERS (bin/kubectl-<version>). */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { layerServer } from "./support/http.js"
import { isMissing, peers, setup } from "./support/kubectl.js"
import { startHook } from "./support/webhook.js"

const policy = `apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: { name: small }
spec:
  matchConstraints:
    resourceRules: [{ apiGroups: [apps], apiVersions: [v1], operations: [CREATE, UPDATE], resources: [deployments] }]
  validations: [{ expression: object.spec.replicas <= 5, message: five at most }]
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: { name: everywhere }
spec: { policyName: small, validationActions: [Deny] }
`

const webhook = (url: string, caBundle: string) => `apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: { name: hooks }
webhooks:
- name: no.ex.io
  clientConfig: { url: "${url}", caBundle: "${caBundle}" }
  rules: [{ apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [configmaps] }]
  sideEffects: None
  admissionReviewVersions: [v1]
`

describe.skipIf(peers === undefined)("kubectl and admission (skipped unless REDDWARF_PEERS is set)", () => {
  for (const version of ["1.20", "1.32", "1.36"]) {
    it.scopedLive.skipIf(isMissing(version))(version, () =>
      Effect.gen(function*() {
        const { file, ok, run } = yield* setup(version)
        yield* ok("create", "-f", file("policy.yaml", policy))
        yield* ok("create", "deployment", "web", "--image=nginx:1")
        const refused = yield* run("patch", "deployment", "web", "--type=merge", "-p", `{"spec":{"replicas":6}}`)
        assert.strictEqual(refused.code, 1)
        assert.include(refused.out, "ValidatingAdmissionPolicy 'small' with binding 'everywhere' denied request: five at most")
        if (version !== "1.20") {
          assert.match(yield* ok("get", "deployment", "web", "--subresource=scale"), /^NAME +DESIRED +AVAILABLE +AGE\nweb +1 +0 +\d+s\n$/)
        }
        const hook = yield* startHook(({ request }) => ({
          apiVersion: "admission.k8s.io/v1",
          kind: "AdmissionReview",
          response: { uid: request.uid, allowed: request.name === "good", status: { code: 403, message: "not that one" }, warnings: ["think twice"] }
        }))
        yield* ok("apply", "-f", file("hook.yaml", webhook(hook.url, hook.caBundle)))
        const bad = yield* run("create", "configmap", "bad")
        assert.strictEqual(bad.code, 1)
        assert.include(bad.out, "admission webhook \"no.ex.io\" denied the request: not that one")
        const good = yield* ok("create", "configmap", "good")
        assert.include(good, "configmap/good created")
        assert.include(good, "Warning: think twice")
        assert.match(yield* ok("get", "configmap", "good", "-o", "yaml"), /^apiVersion: v1\n/)
      }).pipe(Effect.provide(layerServer())), 90_000)
  }
})
