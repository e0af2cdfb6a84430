/** Who may write trust anchors, and who reads them. */
import { assert, describe, layer } from "@effect/vitest"
import { Effect } from "effect"
import * as Certificates from "../src/Certificates.js"
import * as RbacDefaults from "../src/authorization/RbacDefaults.js"
import * as UserInfo from "../src/authentication/UserInfo.js"
import { call, layerApi, merge } from "./support/api.js"
import { layerCertificates } from "./support/http.js"

const bundles = "/apis/certificates.k8s.io/v1beta1/clustertrustbundles"
const rbac = "/apis/rbac.authorization.k8s.io/v1"
const dev = UserInfo.authenticated("dev", [])
const agent = UserInfo.authenticated("system:node:n1", ["system:nodes"])
const account = UserInfo.authenticated("system:serviceaccount:default:x", ["system:serviceaccounts", "system:serviceaccounts:default"])

const bundle = (name: string, trustBundle: string, signerName?: string) => ({
  apiVersion: "certificates.k8s.io/v1beta1",
  kind: "ClusterTrustBundle",
  metadata: { name },
  spec: { trustBundle, ...(signerName === undefined ? {} : { signerName }) }
})

const role = (name: string, rules: ReadonlyArray<object>, user: string) =>
  Effect.all([
    call("POST", `${rbac}/clusterroles`, { body: { apiVersion: "rbac.authorization.k8s.io/v1", kind: "ClusterRole", metadata: { name }, rules } }),
    call("POST", `${rbac}/clusterrolebindings`, {
      body: {
        apiVersion: "rbac.authorization.k8s.io/v1",
        kind: "ClusterRoleBinding",
        metadata: { name },
        roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name },
        subjects: [{ kind: "User", apiGroup: "rbac.authorization.k8s.io", name: user }]
      }
    })
  ], { discard: true })

describe("trust bundles", () => {
  layer(layerApi, { excludeTestServices: true })((it) => {
    it.scoped("of a signer are written by those who may attest for it, and read by agents and ServiceAccounts", () =>
      Effect.gen(function*() {
        const { authority } = yield* Certificates.Certificates
        yield* role("bundles", [{ apiGroups: ["certificates.k8s.io"], resources: ["clustertrustbundles"], verbs: ["create", "update", "patch"] }], "dev")
        const asDev = (body: object) => call("POST", bundles, { body, user: dev })
        assert.strictEqual((yield* asDev(bundle("roots", authority))).status, 201)
        const wrong = yield* asDev(bundle("nothing", "text"))
        assert.include(wrong.json.message, "spec.trustBundle: Invalid value: \"<value omitted>\": at least one trust anchor must be provided")
        const refused = yield* asDev(bundle("ex.com:ca:v1", authority, "ex.com/ca"))
        assert.strictEqual(
          refused.json.message,
          "clustertrustbundles.certificates.k8s.io \"ex.com:ca:v1\" is forbidden: user not permitted to attest for signerName \"ex.com/ca\""
        )
        yield* role("attests", [{ apiGroups: ["certificates.k8s.io"], resources: ["signers"], resourceNames: ["ex.com/*"], verbs: ["attest"] }], "dev")
        const made = yield* asDev(bundle("ex.com:ca:v1", authority, "ex.com/ca"))
        assert.strictEqual(made.status, 201, made.text)

        yield* call("DELETE", `${rbac}/clusterrolebindings/attests`)
        const patch = (body: object) => call("PATCH", `${bundles}/ex.com:ca:v1`, { type: merge, body, user: dev })
        assert.strictEqual((yield* patch({ metadata: { labels: { a: "b" } } })).status, 200)
        assert.strictEqual((yield* patch({ spec: { trustBundle: `# new\n${authority}` } })).status, 403)

        const list = yield* call("GET", `${bundles}?fieldSelector=spec.signerName%3Dex.com%2Fca&labelSelector=a%3Db`, { user: agent })
        assert.strictEqual(list.status, 200, list.text)
        assert.deepStrictEqual(list.json.items.map(({ metadata }: { metadata: { name: string } }) => metadata.name), ["ex.com:ca:v1"])
        const discovery = RbacDefaults.all.filter(({ metadata }) => metadata.name === "system:cluster-trust-bundle-discovery")
        yield* Effect.forEach(discovery, (body) => call("POST", `${rbac}/${body.kind.toLowerCase()}s`, { body }))
        assert.strictEqual((yield* call("GET", `${bundles}/roots`, { user: account })).status, 200)
        assert.strictEqual((yield* call("GET", `${bundles}/roots`, { user: dev })).status, 403)
        assert.strictEqual((yield* call("POST", bundles, { body: bundle("mine", authority), user: agent })).status, 403)
      }).pipe(Effect.provide(layerCertificates)))
  })
})
