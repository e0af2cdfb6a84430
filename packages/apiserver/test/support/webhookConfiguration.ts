/** Configurations of admission webhooks, and what the webhooks of tests answer. */
import { assert } from "@effect/vitest"
import { Effect } from "effect"
import { call } from "./api.js"
import type { Hook } from "./webhook.js"

/** Where configurations are. */
export const group = "/apis/admissionregistration.k8s.io/v1"

/** A rule for every operation on a resource. */
export const rule = (resource: string, more: object = {}) => ({
  operations: ["*"],
  apiGroups: ["*"],
  apiVersions: ["*"],
  resources: [resource],
  ...more
})

/** Creates a configuration. */
export const configuration = (kind: "Mutating" | "Validating", name: string, webhooks: ReadonlyArray<object>) =>
  call("POST", `${group}/${kind.toLowerCase()}webhookconfigurations`, {
    body: { apiVersion: "admissionregistration.k8s.io/v1", kind: `${kind}WebhookConfiguration`, metadata: { name }, webhooks }
  }).pipe(Effect.tap(({ status, text }) => Effect.sync(() => assert.strictEqual(status, 201, text))))

/** A webhook for config maps that a hook of the test answers for. */
export const webhook = (hook: Hook, name: string, more: object = {}) => ({
  name: `${name}.ex.io`,
  clientConfig: { url: hook.url, caBundle: hook.caBundle },
  rules: [rule("configmaps")],
  sideEffects: "None",
  admissionReviewVersions: ["v1"],
  ...more
})

/** Answers every request with this, allowed unless it says otherwise. */
export const review = (response: object): Hook["reply"] => ({ apiVersion, request }) => ({
  apiVersion,
  kind: "AdmissionReview",
  response: { uid: request.uid, allowed: true, ...response }
})

/** A response with these JSON patch operations. */
export const patching = (...operations: ReadonlyArray<object>) => ({
  patchType: "JSONPatch",
  patch: Buffer.from(JSON.stringify(operations)).toString("base64")
})

/** A JSON patch operation that adds a value. */
export const add = (path: string, value: unknown) => ({ op: "add", path, value })
