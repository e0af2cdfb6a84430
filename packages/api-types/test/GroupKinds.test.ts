/** The kinds of the groups around the workloads: defaults, rules and rows. */
import { assert, describe, it } from "@effect/vitest"
import * as Either from "effect/Either"
import { type Kind, Kinds, type KubeObject, ObjectCodec } from "../src/index.js"
import { lines, now } from "./pods.js"

const decode = <A extends KubeObject.KubeObject>(kind: Kind.Kind<A>, json: object): A =>
  Either.getOrThrow(ObjectCodec.decode(kind, { metadata: { name: "x", ...(kind.namespaced ? { namespace: "default" } : {}) }, ...json })).object

const create = <A extends KubeObject.KubeObject>(kind: Kind.Kind<A>, json: object): A => kind.prepareForCreate(kind.defaults(decode(kind, json)), now)
const problems = <A extends KubeObject.KubeObject>(kind: Kind.Kind<A>, json: object) => lines(kind.validate(create(kind, json)))
const changes = <A extends KubeObject.KubeObject>(kind: Kind.Kind<A>, next: object, old: object) => {
  const before = create(kind, old)
  return lines(kind.validateUpdate(kind.prepareForUpdate(kind.defaults(decode(kind, next)), before), before))
}
const row = <A extends KubeObject.KubeObject>(kind: Kind.Kind<A>, json: object) => kind.cells(create(kind, json), now)

const group = "rbac.authorization.k8s.io"

describe("rbac", () => {
  const rule = { verbs: ["get"], apiGroups: [""], resources: ["pods"] }

  it("rules name verbs, and resources or paths", () => {
    assert.deepStrictEqual(problems(Kinds.role, { rules: [rule] }), [])
    assert.deepStrictEqual(problems(Kinds.role, { metadata: { name: "system:a", namespace: "default" }, rules: [] }), [])
    assert.deepStrictEqual(problems(Kinds.role, { rules: [{ verbs: [] }] }), [
      "rules[0].verbs: Required value: verbs must contain at least one value",
      "rules[0].apiGroups: Required value: resource rules must supply at least one api group",
      "rules[0].resources: Required value: resource rules must supply at least one resource"
    ])
    const paths = { verbs: ["get"], nonResourceURLs: ["/metrics"] }
    assert.deepStrictEqual(problems(Kinds.role, { rules: [paths] }), [
      "rules[0].nonResourceURLs: Invalid value: [\"/metrics\"]: namespaced rules cannot apply to non-resource URLs"
    ])
    assert.deepStrictEqual(problems(Kinds.clusterRole, { rules: [{ ...paths, ...rule }] }), [
      "rules[0].nonResourceURLs: Invalid value: [\"/metrics\"]: rules cannot apply to both regular resources and non-resource URLs"
    ])
    assert.deepStrictEqual(problems(Kinds.clusterRole, { aggregationRule: {} }), [
      "aggregationRule.clusterRoleSelectors: Required value: at least one clusterRoleSelector required if aggregationRule is non-nil"
    ])
  })

  it("bindings know the group of their subjects and keep their role", () => {
    const roleRef = { kind: "ClusterRole", name: "view" }
    const binding = { roleRef, subjects: [{ kind: "User", name: "u" }, { kind: "ServiceAccount", name: "s" }] }
    const made = create(Kinds.roleBinding, binding)
    assert.deepStrictEqual(made.roleRef, { apiGroup: group, ...roleRef })
    assert.deepStrictEqual(made.subjects, [{ kind: "User", apiGroup: group, name: "u" }, { kind: "ServiceAccount", name: "s" }])
    assert.deepStrictEqual(problems(Kinds.roleBinding, binding), [])
    assert.deepStrictEqual(problems(Kinds.clusterRoleBinding, binding), ["subjects[1].namespace: Required value"])
    assert.deepStrictEqual(problems(Kinds.roleBinding, { roleRef: { kind: "Pod", name: "" }, subjects: [{ kind: "X", name: "" }] }), [
      "roleRef.kind: Unsupported value: \"Pod\": supported values: \"Role\", \"ClusterRole\"",
      "roleRef.name: Required value",
      "subjects[0].name: Required value",
      "subjects[0].kind: Unsupported value: \"X\": supported values: \"ServiceAccount\", \"User\", \"Group\""
    ])
    assert.deepStrictEqual(changes(Kinds.roleBinding, { ...binding, roleRef: { kind: "Role", name: "view" } }, binding), [
      `roleRef: Invalid value: {"APIGroup":"${group}","Kind":"Role","Name":"view"}: cannot change roleRef`
    ])
    assert.deepStrictEqual(row(Kinds.roleBinding, binding).slice(1, 2), ["ClusterRole/view"])
    assert.deepStrictEqual(row(Kinds.roleBinding, binding).slice(3), ["u", "", "/s"])
  })
})

describe("policy, scheduling, node", () => {
  it("a budget has one limit", () => {
    assert.deepStrictEqual(problems(Kinds.podDisruptionBudget, { spec: { minAvailable: 1 } }), [])
    const both = problems(Kinds.podDisruptionBudget, { spec: { minAvailable: "120%", maxUnavailable: -1 } })
    assert.match(both[0] ?? "", /^spec: Invalid value: .*: minAvailable and maxUnavailable cannot be both set$/)
    assert.deepStrictEqual(both.slice(1), [
      "spec.minAvailable: Invalid value: \"120%\": must not be greater than 100%",
      "spec.maxUnavailable: Invalid value: -1: must be greater than or equal to 0"
    ])
    assert.deepStrictEqual(row(Kinds.podDisruptionBudget, { spec: { maxUnavailable: 1 } }).slice(1, 4), ["N/A", "1", 0])
  })

  it("a priority class keeps its value, and names of the system are its own", () => {
    assert.strictEqual(create(Kinds.priorityClass, { value: 1 }).preemptionPolicy, "PreemptLowerPriority")
    assert.deepStrictEqual(problems(Kinds.priorityClass, { value: 1_000_000_001 }), [
      "value: Forbidden: maximum allowed value of a user defined priority is 1000000000"
    ])
    assert.lengthOf(problems(Kinds.priorityClass, { metadata: { name: "system-x" }, value: 1 }), 1)
    assert.deepStrictEqual(problems(Kinds.priorityClass, { metadata: { name: "system-node-critical" }, value: 2_000_001_000 }), [])
    assert.deepStrictEqual(changes(Kinds.priorityClass, { value: 2, preemptionPolicy: "Never" }, { value: 1 }), [
      "value: Forbidden: may not be changed in an update.",
      "preemptionPolicy: Invalid value: \"Never\": field is immutable"
    ])
  })

  it("a runtime class keeps its handler", () => {
    assert.deepStrictEqual(problems(Kinds.runtimeClass, { handler: "zone" }), [])
    assert.deepStrictEqual(changes(Kinds.runtimeClass, { handler: "b" }, { handler: "a" }), ["handler: Invalid value: \"b\": field is immutable"])
  })
})

describe("networking", () => {
  const path = { path: "/", pathType: "Prefix", backend: { service: { name: "s", port: { number: 80 } } } }

  it("an Ingress says what it serves", () => {
    const ingress = (rule: object) => problems(Kinds.ingress, { spec: { rules: [rule] } })
    assert.deepStrictEqual(problems(Kinds.ingress, { spec: {} }), ["spec: Invalid value: null: either `defaultBackend` or `rules` must be specified"])
    assert.deepStrictEqual(ingress({ host: "*.example.com", http: { paths: [path] } }), [])
    assert.deepStrictEqual(ingress({ host: "10.0.0.1", http: { paths: [] } }), [
      "spec.rules[0].host: Invalid value: \"10.0.0.1\": must be a DNS name, not an IP address",
      "spec.rules[0].http.paths: Required value"
    ])
    const at = "spec.rules[0].http.paths[0]"
    assert.deepStrictEqual(ingress({ http: { paths: [{ ...path, pathType: undefined }] } }), [`${at}.pathType: Required value: pathType must be specified`])
    assert.deepStrictEqual(ingress({ http: { paths: [{ ...path, path: "a//b" }] } }), [
      `${at}.path: Invalid value: "a//b": must be an absolute path`,
      `${at}.path: Invalid value: "a//b": must not contain '//'`
    ])
    assert.deepStrictEqual(ingress({ http: { paths: [{ ...path, backend: { service: { name: "s" } } }] } }), [
      `${at}.backend: Required value: port name or number is required`
    ])
    assert.deepStrictEqual(row(Kinds.ingress, { spec: { rules: [{ host: "a" }, { host: "b" }], tls: [{}] } }).slice(1, 5), ["<none>", "a,b", "", "80, 443"])
  })

  it("a class keeps its controller", () => {
    const spec = { controller: "example.com/a", parameters: { kind: "K", name: "n" } }
    assert.strictEqual(create(Kinds.ingressClass, { spec }).spec?.parameters?.scope, "Cluster")
    assert.deepStrictEqual(changes(Kinds.ingressClass, { spec: { controller: "example.com/b" } }, { spec }), [
      "spec.controller: Invalid value: \"example.com/b\": field is immutable"
    ])
    assert.deepStrictEqual(row(Kinds.ingressClass, { spec }).slice(1, 3), ["example.com/a", "K/n"])
  })

  it("a NetworkPolicy has directions and peers", () => {
    const made = create(Kinds.networkPolicy, { spec: { egress: [{ ports: [{ port: 53 }] }] } })
    assert.deepStrictEqual(made.spec, { podSelector: {}, egress: [{ ports: [{ protocol: "TCP", port: 53 }] }], policyTypes: ["Ingress", "Egress"] })
    assert.deepStrictEqual(problems(Kinds.networkPolicy, { spec: { ingress: [{ from: [{}, { ipBlock: { cidr: "10.0.0.0/8" }, podSelector: {} }] }] } }), [
      "spec.ingress[0].from[0]: Required value: must specify a peer",
      "spec.ingress[0].from[1]: Forbidden: may not specify both ipBlock and another peer"
    ])
    assert.deepStrictEqual(row(Kinds.networkPolicy, { spec: { podSelector: {} } }).slice(1, 2), ["<none>"])
  })
})

describe("storage, discovery", () => {
  it("a StorageClass keeps what volumes were made by", () => {
    const old = { provisioner: "example.com/a", parameters: { a: "1" } }
    assert.deepStrictEqual(problems(Kinds.storageClass, old), [])
    assert.deepStrictEqual(changes(Kinds.storageClass, { provisioner: "example.com/b", reclaimPolicy: "Retain", volumeBindingMode: "WaitForFirstConsumer" }, old), [
      "parameters: Forbidden: updates to parameters are forbidden.",
      "provisioner: Forbidden: updates to provisioner are forbidden.",
      "reclaimPolicy: Forbidden: updates to reclaimPolicy are forbidden.",
      "volumeBindingMode: Invalid value: \"WaitForFirstConsumer\": field is immutable"
    ])
    assert.deepStrictEqual(row(Kinds.storageClass, old).slice(2, 5), ["Delete", "Immediate", "false"])
  })

  it("an EndpointSlice holds addresses of its type", () => {
    const slice = { addressType: "IPv4", endpoints: [{ addresses: ["10.0.0.1"] }], ports: [{ port: 80 }] }
    assert.deepStrictEqual(create(Kinds.endpointSlice, slice).ports, [{ name: "", protocol: "TCP", port: 80 }])
    assert.deepStrictEqual(problems(Kinds.endpointSlice, { ...slice, endpoints: [{ addresses: ["::1"] }, { addresses: [] }] }), [
      "endpoints[0].addresses[0]: Invalid value: \"::1\": must be a valid IPv4 address",
      "endpoints[1].addresses: Required value: must contain at least 1 address"
    ])
    assert.deepStrictEqual(changes(Kinds.endpointSlice, { ...slice, endpoints: [], addressType: "IPv6" }, slice), [
      "addressType: Invalid value: \"IPv6\": field is immutable"
    ])
    assert.deepStrictEqual(row(Kinds.endpointSlice, slice).slice(1, 4), ["IPv4", "80", "10.0.0.1"])
  })
})

describe("autoscaling", () => {
  const spec = { scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "web" }, maxReplicas: 3 }

  it("an autoscaler without metrics looks at CPU, and completes its behaviour", () => {
    const made = create(Kinds.horizontalPodAutoscaler, { spec: { ...spec, behavior: { scaleUp: { selectPolicy: "Disabled" } } } })
    assert.strictEqual(made.spec.minReplicas, 1)
    assert.strictEqual(made.spec.metrics?.[0]?.resource?.target.averageUtilization, 80)
    assert.strictEqual(made.spec.behavior?.scaleUp?.selectPolicy, "Disabled")
    assert.lengthOf(made.spec.behavior?.scaleUp?.policies ?? [], 2)
    assert.lengthOf(made.spec.behavior?.scaleDown?.policies ?? [], 1)
  })

  it("bounds, metrics and behaviour have rules", () => {
    assert.deepStrictEqual(problems(Kinds.horizontalPodAutoscaler, { spec }), [])
    assert.deepStrictEqual(problems(Kinds.horizontalPodAutoscaler, {
      spec: { ...spec, minReplicas: 5, metrics: [{ type: "Pods" }, { type: "X" }], behavior: { scaleUp: { stabilizationWindowSeconds: 4000 } } }
    }), [
      "spec.maxReplicas: Invalid value: 3: must be greater than or equal to `minReplicas`",
      "spec.metrics[0].pods: Required value: must populate information for the given metric source",
      "spec.metrics[1].type: Unsupported value: \"X\": supported values: \"ContainerResource\", \"External\", \"Object\", \"Pods\", \"Resource\"",
      "spec.behavior.scaleUp.stabilizationWindowSeconds: Invalid value: 4000: must be less than or equal to 3600"
    ])
  })
})

describe("certificates, admission", () => {
  const pem = Buffer.from("-----BEGIN CERTIFICATE REQUEST-----\nAA==\n-----END CERTIFICATE REQUEST-----\n").toString("base64")
  const spec = { request: pem, signerName: "kubernetes.io/kube-apiserver-client", usages: ["client auth"] }

  it("a request names its signer and is never taken at its word about who asks", () => {
    const made = create(Kinds.certificateSigningRequest, { spec: { ...spec, username: "root", groups: ["system:masters"] } })
    assert.isUndefined(made.spec.username)
    assert.isUndefined(made.spec.groups)
    assert.deepStrictEqual(problems(Kinds.certificateSigningRequest, { spec }), [])
    assert.deepStrictEqual(problems(Kinds.certificateSigningRequest, { spec: { ...spec, signerName: "x", usages: [], expirationSeconds: 5 } }), [
      "spec.usages: Required value",
      "spec.signerName: Invalid value: \"x\": must be a fully qualified domain and path of the form 'example.com/signer-name'",
      "spec.expirationSeconds: Invalid value: 5: may not specify a duration less than 600 seconds (10 minutes)"
    ])
    assert.deepStrictEqual(row(Kinds.certificateSigningRequest, { spec }).slice(2), [spec.signerName, "", "<none>", "Pending"])
  })

  it("a webhook fails closed and has a place to be asked at", () => {
    const webhook = { name: "a.example.com", sideEffects: "None", admissionReviewVersions: ["v1"], clientConfig: { service: { name: "s", namespace: "n" } } }
    const made = create(Kinds.validatingWebhookConfiguration, { webhooks: [webhook] })
    assert.deepInclude(made.webhooks?.[0], { failurePolicy: "Fail", matchPolicy: "Equivalent", timeoutSeconds: 10 })
    assert.strictEqual(made.webhooks?.[0]?.clientConfig.service?.port, 443)
    assert.deepStrictEqual(problems(Kinds.mutatingWebhookConfiguration, { webhooks: [webhook] }), [])
    assert.deepStrictEqual(problems(Kinds.mutatingWebhookConfiguration, { webhooks: [{ ...webhook, name: "a", clientConfig: {} }] }), [
      "webhooks[0].name: Invalid value: \"a\": should be a domain with at least three segments separated by dots",
      "webhooks[0].clientConfig: Required value: exactly one of url or service is required"
    ])
  })
})
