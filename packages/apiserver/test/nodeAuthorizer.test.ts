import { assert, describe, layer } from "@effect/vitest"
import { Effect } from "effect"
import * as UserInfo from "../src/authentication/UserInfo.js"
import { call, configMap, configMaps, layerApi, pod, pods } from "./support/api.js"

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

    it.effect("open nothing to themselves by making pods", () =>
      Effect.gen(function*() {
        const post = (metadata: object, more: object = {}) =>
          Effect.map(call("POST", `${pods}?dryRun=All`, { user: n1, body: pod("m", { nodeName: "n1", ...more }, metadata) }), ({ json, status }) => [
            status,
            json.message ?? ""
          ])
        const mirror = { annotations: { "kubernetes.io/config.mirror": "x" } }
        assert.deepStrictEqual(yield* post(mirror), [201, ""])
        assert.include((yield* post({}))[1], "pod does not have \"kubernetes.io/config.mirror\" annotation, node \"n1\" can only create mirror pods")
        const volumes = [{ name: "v", secret: { secretName: "x" } }]
        assert.include((yield* post(mirror, { volumes }))[1], "node \"n1\" can not create pods that reference secrets")
      }))
  })
})
