import { assert, describe, layer } from "@effect/vitest"
import { Effect } from "effect"
import * as UserInfo from "../src/authentication/UserInfo.js"
import { call, configMap, configMaps, layerApi, merge, pod, pods } from "./support/api.js"

const agent = (node: string) => UserInfo.authenticated(`system:node:${node}`, ["system:nodes"])
const n1 = agent("n1")
const n2 = agent("n2")

const secrets = "/api/v1/namespaces/default/secrets"
const claims = "/api/v1/namespaces/default/persistentvolumeclaims"

const spec = {
  nodeName: "n1",
  imagePullSecrets: [{ name: "pull" }],
  initContainers: [{ name: "i", image: "i:1", envFrom: [{ configMapRef: { name: "c-all" } }] }],
  containers: [{
    name: "c",
    image: "i:1",
    env: [
      { name: "A", valueFrom: { secretKeyRef: { name: "s-env", key: "k" } } },
      { name: "B", valueFrom: { configMapKeyRef: { name: "c-env", key: "k" } } }
    ],
    envFrom: [{ secretRef: { name: "s-all" } }]
  }],
  volumes: [
    { name: "a", secret: { secretName: "s-vol" } },
    { name: "b", configMap: { name: "c-vol" } },
    { name: "p", projected: { sources: [{ secret: { name: "s-proj" } }, { configMap: { name: "c-proj" } }] } },
    { name: "d", persistentVolumeClaim: { claimName: "data" } },
    { name: "e", ephemeral: { volumeClaimTemplate: { spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } } } } }
  ]
}

describe("agents", () => {
  layer(layerApi)((it) => {
    it.effect("read what their own pods need, and nothing else", () =>
      Effect.gen(function*() {
        const can = (user: UserInfo.UserInfo, url: string) => Effect.map(call("GET", url, { user }), ({ status }) => status !== 403)
        const urls = [
          ...["pull", "s-env", "s-all", "s-vol", "s-proj"].map((name) => `${secrets}/${name}`),
          ...["c-all", "c-env", "c-vol", "c-proj"].map((name) => `${configMaps}/${name}`),
          ...["data", "p-e"].map((name) => `${claims}/${name}`)
        ]
        const all = (user: UserInfo.UserInfo) => Effect.forEach(urls, (url) => can(user, url))
        assert.isTrue((yield* all(n1)).every((allowed) => !allowed))
        const { status, text } = yield* call("POST", pods, { body: pod("p", spec) })
        assert.strictEqual(status, 201, text)
        assert.isTrue((yield* all(n1)).every((allowed) => allowed))
        assert.isTrue((yield* all(n2)).every((allowed) => !allowed))
        const refused = yield* call("GET", `${secrets}/pull`, { user: n2 })
        assert.strictEqual(
          refused.json.message,
          "secrets \"pull\" is forbidden: User \"system:node:n2\" cannot get resource \"secrets\" in API group \"\" in the namespace \"default\": no relationship found between node 'n2' and this object"
        )
        // The same name elsewhere is another object.
        assert.isFalse(yield* can(n1, "/api/v1/namespaces/kube-system/secrets/pull"))
        assert.isFalse(yield* can(n1, secrets))
        assert.isFalse(yield* can(n1, `${secrets}?labelSelector=a`))
        assert.isTrue(yield* can(n1, `${secrets}?fieldSelector=metadata.name%3Dpull`))
        assert.isFalse(yield* can(n1, claims))
        assert.strictEqual((yield* call("DELETE", `${secrets}/pull`, { user: n1 })).status, 403)
        yield* call("DELETE", `${pods}/p?gracePeriodSeconds=0`)
        assert.isTrue((yield* all(n1)).every((allowed) => !allowed))
      }))

    it.effect("read what a pod needs from the moment it is bound", () =>
      Effect.gen(function*() {
        yield* call("POST", configMaps, { body: configMap("late") })
        const volumes = [{ name: "v", configMap: { name: "late" } }]
        yield* call("POST", pods, { body: pod("q", { volumes }) })
        const read = Effect.map(call("GET", `${configMaps}/late`, { user: n2 }), ({ status }) => status)
        assert.strictEqual(yield* read, 403)
        yield* call("POST", `${pods}/q/binding`, {
          body: { apiVersion: "v1", kind: "Binding", metadata: { name: "q" }, target: { kind: "Node", name: "n2" } }
        })
        assert.strictEqual(yield* read, 200)
      }))

    it.effect("read the volumes that are bound to claims of their pods", () =>
      Effect.gen(function*() {
        yield* call("POST", pods, { body: pod("r", { nodeName: "n1", volumes: [{ name: "d", persistentVolumeClaim: { claimName: "mine" } }] }) })
        const made = yield* call("POST", "/api/v1/persistentvolumes", {
          body: {
            apiVersion: "v1",
            kind: "PersistentVolume",
            metadata: { name: "pv" },
            spec: { capacity: { storage: "1Gi" }, accessModes: ["ReadWriteOnce"], hostPath: { path: "/x" }, claimRef: { namespace: "default", name: "mine" } }
          }
        })
        assert.strictEqual(made.status, 201, made.text)
        const read = (user: UserInfo.UserInfo) => Effect.map(call("GET", "/api/v1/persistentvolumes/pv", { user }), ({ status }) => status)
        assert.deepStrictEqual([yield* read(n1), yield* read(n2)], [200, 403])
      }))

    it.effect("read the datasets they keep as volumes, whoever uses them, and learn that a volume is gone", () =>
      Effect.gen(function*() {
        const made = yield* call("POST", "/api/v1/persistentvolumes", {
          body: {
            apiVersion: "v1",
            kind: "PersistentVolume",
            metadata: { name: "kept" },
            spec: {
              capacity: { storage: "1Gi" },
              accessModes: ["ReadWriteOnce"],
              csi: { driver: "reddwarf.io/zfs", volumeHandle: "kept", volumeAttributes: { "reddwarf.io/node": "n2" } },
              claimRef: { namespace: "default", name: "somebody" }
            }
          }
        })
        assert.strictEqual(made.status, 201, made.text)
        const read = (name: string, user: UserInfo.UserInfo) => Effect.map(call("GET", `/api/v1/persistentvolumes/${name}`, { user }), ({ status }) => status)
        assert.deepStrictEqual([yield* read("kept", n1), yield* read("kept", n2), yield* read("none", n1)], [403, 200, 404])
      }))

    it.effect("open nothing to themselves by making pods", () =>
      Effect.gen(function*() {
        const post = (metadata: object, more: object = {}) =>
          Effect.map(call("POST", `${pods}?dryRun=All`, { user: n1, body: pod("m", { nodeName: "n1", ...more }, metadata) }), ({ json, status }) => [
            status,
            json.message ?? ""
          ])
        const made = yield* call("POST", "/api/v1/nodes", { body: { apiVersion: "v1", kind: "Node", metadata: { name: "n1" } } })
        const annotations = { "kubernetes.io/config.mirror": "x" }
        const owner = { apiVersion: "v1", kind: "Node", name: "n1", uid: made.json.metadata.uid, controller: true }
        const mirror = { annotations, ownerReferences: [owner] }
        assert.deepStrictEqual(yield* post(mirror), [201, ""])
        assert.include((yield* post({ annotations }))[1], "node \"n1\" can only create pods with an owner reference set to itself")
        assert.include((yield* post({ annotations, ownerReferences: [owner, { ...owner, name: "n2" }] }))[1], "node \"n1\" can only create pods with a single owner reference set to itself")
        assert.include((yield* post({ annotations, ownerReferences: [{ ...owner, uid: "x" }] }))[1], "node n1 UID mismatch: expected x got")
        assert.include((yield* post({ annotations, ownerReferences: [{ ...owner, controller: false }] }))[1], "with a controller owner reference set to itself")
        assert.include((yield* post({ annotations, ownerReferences: [{ ...owner, blockOwnerDeletion: true }] }))[1], "must not set blockOwnerDeletion on an owner reference")
        assert.include((yield* post(mirror, { nodeName: "n2" }))[1], "node \"n1\" can only create pods with spec.nodeName set to itself")
        assert.include((yield* post({}))[1], "pod does not have \"kubernetes.io/config.mirror\" annotation, node \"n1\" can only create mirror pods")
        const volumes = [{ name: "v", secret: { secretName: "x" } }]
        assert.include((yield* post(mirror, { volumes }))[1], "node \"n1\" can not create pods that reference secrets")
      }))

    it.effect("draw no work to their own node", () =>
      Effect.gen(function*() {
        const node = (metadata: object, spec: object = {}) => ({ apiVersion: "v1", kind: "Node", metadata: { name: "n2", ...metadata }, spec })
        const post = (metadata: object, spec: object = {}) =>
          Effect.map(call("POST", "/api/v1/nodes?dryRun=All", { user: n2, body: node(metadata, spec) }), ({ json, status }) => [status, json.message ?? ""])
        const allowed = { "kubernetes.io/os": "illumos", "node.kubernetes.io/zone": "a", "reddwarf.io/x": "y" }
        assert.deepStrictEqual(yield* post({ labels: allowed }), [201, ""])
        const forbidden = { "node-role.kubernetes.io/control-plane": "", "example.node-restriction.kubernetes.io/pci": "yes" }
        assert.deepStrictEqual(yield* post({ labels: { ...allowed, ...forbidden } }), [
          403,
          "nodes \"n2\" is forbidden: node \"n2\" is not allowed to set the following labels: example.node-restriction.kubernetes.io/pci, node-role.kubernetes.io/control-plane"
        ])
        assert.include((yield* post({ name: "n9" }))[1], "node \"n2\" is not allowed to modify node \"n9\"")
        yield* call("POST", "/api/v1/nodes", { body: node({ labels: forbidden }, { taints: [{ key: "only", value: "db", effect: "NoSchedule" }] }) })
        const patch = (change: object, subresource = "") =>
          Effect.map(call("PATCH", `/api/v1/nodes/n2${subresource}`, { user: n2, type: merge, body: change }), ({ json, status }) => [status, status === 200 ? "" : json.message])
        assert.deepStrictEqual(yield* patch({ metadata: { labels: { "kubernetes.io/arch": "amd64" } } }), [200, ""])
        assert.deepStrictEqual(yield* patch({ status: { nodeInfo: { kubeletVersion: "x" } } }, "/status"), [200, ""])
        assert.include((yield* patch({ spec: { taints: [] } }))[1], "node \"n2\" is not allowed to modify taints")
        assert.include((yield* patch({ metadata: { labels: { "node-role.kubernetes.io/control-plane": null } } }))[1], "is not allowed to modify labels: node-role.kubernetes.io/control-plane")
        // Nor do they move a pod between services by its labels.
        yield* call("POST", pods, { body: pod("s", { nodeName: "n2" }) })
        const status = (body: object, user = n2) =>
          Effect.map(call("PATCH", `${pods}/s/status`, { user, type: merge, body }), ({ json, status }) => [status, status === 200 ? "" : json.message])
        assert.deepStrictEqual(yield* status({ status: { phase: "Running" } }), [200, ""])
        assert.include((yield* status({ status: { phase: "Failed" } }, n1))[1], "node \"n1\" can only update pod status for pods with spec.nodeName set to itself")
        const evict = (user: UserInfo.UserInfo) =>
          call("POST", `${pods}/s/eviction?dryRun=All`, { user, body: { apiVersion: "policy/v1", kind: "Eviction", metadata: { name: "s" } } })
        assert.include((yield* evict(n1)).json.message, "node n1 can only evict pods with spec.nodeName set to itself")
        assert.strictEqual((yield* evict(n2)).status, 201)
        const lease = { apiVersion: "coordination.k8s.io/v1", kind: "Lease", metadata: { name: "n1" } }
        const leases = (user: UserInfo.UserInfo) => call("POST", "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases?dryRun=All", { user, body: lease })
        assert.include((yield* leases(n2)).json.message, "can only access node lease with the same name as the requesting node")
        assert.strictEqual((yield* leases(n1)).status, 201)
      }))
  })
})
