// oxlint-disable-next-line import/no-unassigned-import -- the library below looks for it when it is loaded
import "reflect-metadata"
import * as x509 from "@peculiar/x509"
import { assert, describe, it, layer } from "@effect/vitest"
import { ObjectStore } from "@reddwarf/store"
import { webcrypto } from "node:crypto"
import { Effect, Layer } from "effect"
import * as KubeletClient from "../src/KubeletClient.js"
import * as Server from "../src/Server.js"
import * as UserInfo from "../src/authentication/UserInfo.js"
import { call, layerApi, merge, pod, pods } from "./support/api.js"

const classes = "/apis/scheduling.k8s.io/v1/priorityclasses"

const priorityClass = (name: string, value: number, more: object = {}) =>
  call("POST", classes, { body: { apiVersion: "scheduling.k8s.io/v1", kind: "PriorityClass", metadata: { name }, value, ...more } })

describe("priority of pods", () => {
  it.layer(layerApi)((it) => {
    it.effect("comes from the class, or from the default of the cluster", () =>
      Effect.gen(function*() {
        const priorityOf = (name: string, spec: object = {}) =>
          Effect.map(call("POST", pods, { body: pod(name, spec) }), ({ json }) => json)
        assert.strictEqual((yield* priorityOf("plain")).spec.priority, 0)
        assert.strictEqual((yield* priorityOf("system", { priorityClassName: "system-node-critical" })).spec.priority, 2_000_001_000)
        yield* priorityClass("high", 1000, { preemptionPolicy: "Never" })
        const high = yield* priorityOf("high", { priorityClassName: "high" })
        assert.strictEqual(high.spec.priority, 1000)
        assert.strictEqual(high.spec.preemptionPolicy, "Never")
        assert.strictEqual(
          (yield* priorityOf("none", { priorityClassName: "nope" })).message,
          "pods \"none\" is forbidden: no PriorityClass with name nope was found"
        )
        assert.strictEqual(
          (yield* priorityOf("own", { priority: 7 })).message,
          "pods \"own\" is forbidden: the integer value of priority (7) must not be provided in pod spec; priority admission controller computed 0 from the given PriorityClass name"
        )
        yield* priorityClass("usual", 5, { globalDefault: true })
        const usual = yield* priorityOf("usual")
        assert.strictEqual(usual.spec.priority, 5)
        assert.strictEqual(usual.spec.priorityClassName, "usual")
      }))
  })
})

const layerAccounts = Server.layerApi({ serviceAccounts: true }).pipe(
  Layer.provideMerge(ObjectStore.layerMemory),
  Layer.provide(KubeletClient.layerUnavailable)
)

const account = (name: string, more: object = {}) =>
  call("POST", "/api/v1/namespaces/default/serviceaccounts", {
    body: { apiVersion: "v1", kind: "ServiceAccount", metadata: { name }, ...more }
  })

describe("ServiceAccounts of pods", () => {
  layer(layerAccounts, { excludeTestServices: true })((it) => {
    it.effect("must exist, and bring a token and pull secrets", () =>
      Effect.gen(function*() {
        const missing = yield* call("POST", pods, { body: pod("p0", { serviceAccountName: "x" }) })
        assert.strictEqual(
          missing.json.message,
          "pods \"p0\" is forbidden: error looking up service account default/x: serviceaccount \"x\" not found"
        )
        // The account may come a little later than the pod.
        const [made] = yield* Effect.all([
          call("POST", pods, { body: pod("p1") }),
          Effect.delay(account("default", { imagePullSecrets: [{ name: "registry" }] }), "100 millis")
        ], { concurrency: 2 })
        const { spec } = made.json
        assert.strictEqual(spec.serviceAccountName, "default")
        assert.deepStrictEqual(spec.imagePullSecrets, [{ name: "registry" }])
        const [volume] = spec.volumes
        assert.match(volume.name, /^kube-api-access-[a-z0-9]{5}$/)
        assert.strictEqual(volume.projected.defaultMode, 420)
        assert.deepStrictEqual(volume.projected.sources[0], { serviceAccountToken: { expirationSeconds: 3607, path: "token" } })
        assert.deepStrictEqual(spec.containers[0].volumeMounts, [
          { name: volume.name, readOnly: true, mountPath: "/var/run/secrets/kubernetes.io/serviceaccount" }
        ])
      }))

    it.effect("bring no second token to a copy of a pod with one container more", () =>
      Effect.gen(function*() {
        yield* account("copied")
        const { spec } = (yield* call("POST", pods, { body: pod("p4", { serviceAccountName: "copied" }) })).json
        const containers = [...spec.containers, { name: "debugger", image: "i" }]
        const copy = (yield* call("POST", pods, { body: pod("p5", { ...spec, containers }) })).json
        assert.deepStrictEqual(copy.spec.volumes, spec.volumes)
        assert.deepStrictEqual(copy.spec.containers[1].volumeMounts, spec.containers[0].volumeMounts)
      }))

    it.effect("bring no token to those who do not want one", () =>
      Effect.gen(function*() {
        yield* account("quiet", { automountServiceAccountToken: false })
        const quiet = (yield* call("POST", pods, { body: pod("p2", { serviceAccountName: "quiet" }) })).json
        assert.isUndefined(quiet.spec.volumes)
        const wanted = (yield* call("POST", pods, { body: pod("p3", { serviceAccountName: "quiet", automountServiceAccountToken: true }) })).json
        assert.strictEqual(wanted.spec.volumes.length, 1)
      }))
  })
})

/** A request as clients send it, for a key of its own. */
const certificateRequest = (name: string) =>
  Effect.promise(async () => {
    x509.cryptoProvider.set(webcrypto)
    const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" }
    const keys = await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"])
    const request = await x509.Pkcs10CertificateRequestGenerator.create({ name, keys, signingAlgorithm: algorithm })
    return Buffer.from(request.toString("pem")).toString("base64")
  })

const requests = "/apis/certificates.k8s.io/v1/certificatesigningrequests"

describe("certificate signing requests", () => {
  it.layer(layerApi)((it) => {
    it.effect("carry who asked, and are decided on by those who may approve for the signer", () =>
      Effect.gen(function*() {
        const request = yield* certificateRequest("CN=dev,O=team")
        const body = {
          apiVersion: "certificates.k8s.io/v1",
          kind: "CertificateSigningRequest",
          metadata: { name: "dev" },
          spec: { request, signerName: "kubernetes.io/kube-apiserver-client", usages: ["client auth"], username: "root" }
        }
        const master = { ...body, spec: { ...body.spec, request: yield* certificateRequest("CN=dev,O=team,O=system:masters") } }
        assert.strictEqual(
          (yield* call("POST", requests, { body: master })).json.message,
          "certificatesigningrequests.certificates.k8s.io \"dev\" is forbidden: use of kubernetes.io/kube-apiserver-client signer with system:masters group is not allowed"
        )
        const made = yield* call("POST", requests, { body })
        assert.strictEqual(made.status, 201, made.text)
        assert.strictEqual(made.json.spec.username, "kubernetes-admin")
        assert.include(made.json.spec.groups, "system:masters")
        const approved = { ...made.json, status: { conditions: [{ type: "Approved", status: "True", reason: "KubectlApprove", message: "m" }] } }
        const main = yield* call("PUT", `${requests}/dev`, { body: approved })
        assert.isUndefined(main.json.status.conditions)
        yield* call("POST", "/apis/rbac.authorization.k8s.io/v1/clusterroles", {
          body: {
            apiVersion: "rbac.authorization.k8s.io/v1",
            kind: "ClusterRole",
            metadata: { name: "updater" },
            rules: [{ apiGroups: ["certificates.k8s.io"], resources: ["certificatesigningrequests/approval"], verbs: ["update"] }]
          }
        })
        yield* call("POST", "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings", {
          body: {
            apiVersion: "rbac.authorization.k8s.io/v1",
            kind: "ClusterRoleBinding",
            metadata: { name: "updater" },
            roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "updater" },
            subjects: [{ kind: "User", apiGroup: "rbac.authorization.k8s.io", name: "dev" }]
          }
        })
        const refused = yield* call("PUT", `${requests}/dev/approval`, { body: approved, user: UserInfo.authenticated("dev", []) })
        assert.include(refused.json.message, "user not permitted to approve requests with signerName \"kubernetes.io/kube-apiserver-client\"")
        const done = yield* call("PUT", `${requests}/dev/approval`, { body: approved })
        assert.strictEqual(done.status, 200, done.text)
        assert.isDefined(done.json.status.conditions[0].lastUpdateTime)
        const both = yield* call("PATCH", `${requests}/dev/approval`, {
          type: merge,
          body: { status: { conditions: [...done.json.status.conditions, { type: "Denied", status: "True" }] } }
        })
        assert.strictEqual(both.status, 422)
        const issued = yield* call("PATCH", `${requests}/dev/status`, { type: merge, body: { status: { conditions: [], certificate: "YWJj" } } })
        assert.strictEqual(issued.status, 200, issued.text)
        assert.strictEqual(issued.json.status.conditions[0].type, "Approved")
      }))
  })
})

describe("limit ranges", () => {
  it.layer(layerApi)((it) => {
    it.effect("give containers their defaults, and refuse what is out of bounds", () =>
      Effect.gen(function*() {
        const limits = [{
          type: "Container",
          max: { cpu: "2" },
          min: { cpu: "50m" },
          default: { cpu: "500m", memory: "256Mi" },
          defaultRequest: { cpu: "100m" }
        }, { type: "Pod", max: { memory: "1Gi" } }]
        const made = yield* call("POST", "/api/v1/namespaces/default/limitranges", {
          body: { apiVersion: "v1", kind: "LimitRange", metadata: { name: "bounds" }, spec: { limits } }
        })
        assert.strictEqual(made.status, 201, made.text)
        const { json } = yield* call("POST", pods, { body: pod("p1") })
        assert.deepStrictEqual(json.spec.containers[0].resources, {
          limits: { cpu: "500m", memory: "256Mi" },
          requests: { cpu: "100m", memory: "256Mi" }
        })
        assert.strictEqual(json.status.qosClass, "Burstable")
        assert.strictEqual(
          json.metadata.annotations["kubernetes.io/limit-ranger"],
          "LimitRanger plugin set: cpu, memory request for container c; cpu, memory limit for container c"
        )
        const refusal = (name: string, resources: object) =>
          Effect.map(
            call("POST", pods, { body: pod(name, { containers: [{ name: "c", image: "x:1", resources }] }) }),
            ({ json: { message }, status }) => [status, message]
          )
        assert.deepStrictEqual(yield* refusal("p2", { limits: { cpu: "3" } }), [
          403,
          "pods \"p2\" is forbidden: maximum cpu usage per Container is 2, but limit is 3"
        ])
        assert.deepStrictEqual(yield* refusal("p3", { requests: { cpu: "10m" }, limits: { memory: "2Gi" } }), [
          403,
          "pods \"p3\" is forbidden: [minimum cpu usage per Container is 50m, but request is 10m, maximum memory usage per Pod is 1Gi, but limit is 2Gi]"
        ])
      }))
  })
})
