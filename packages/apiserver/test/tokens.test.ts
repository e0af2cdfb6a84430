import { assert, describe, it, layer } from "@effect/vitest"
import { Effect, Either, TestClock } from "effect"
import { createPublicKey, verify } from "node:crypto"
import { statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import * as Certificates from "../src/Certificates.js"
import * as HttpsEdge from "../src/HttpsEdge.js"
import * as StaticTokens from "../src/authentication/StaticTokens.js"
import * as TokenAuthenticator from "../src/authentication/TokenAuthenticator.js"
import * as UserInfo from "../src/authentication/UserInfo.js"
import { call, layerApi, pod, pods } from "./support/api.js"
import { adminCredentials, http1, layerServer, layerTemp, TempDirectory } from "./support/http.js"

const accounts = "/api/v1/namespaces/default/serviceaccounts"

const tokenRequest = (spec: object = {}) => ({ apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest", spec })

const createAccount = (name: string) =>
  call("POST", accounts, { body: { apiVersion: "v1", kind: "ServiceAccount", metadata: { name } } })

const createToken = (name: string, spec: object = {}, query = "") =>
  call("POST", `${accounts}/${name}/token${query}`, { body: tokenRequest(spec) })

// oxlint-disable-next-line typescript/no-explicit-any
const claimsOf = (token: string): any => JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString())

const holderOf = (token: string, audiences?: ReadonlyArray<string>) =>
  Effect.map(TokenAuthenticator.TokenAuthenticator, ({ authenticate }) => authenticate(token, audiences))

describe("ServiceAccount tokens", () => {
  it.layer(layerApi)((it) => {
    it.effect("carry who holds them, and are checked by the published keys", () =>
      Effect.gen(function*() {
        const account = (yield* createAccount("build")).json
        const { json, status } = yield* createToken("build")
        assert.strictEqual(status, 201)
        assert.deepStrictEqual(json.spec, {
          audiences: ["https://kubernetes.default.svc"],
          expirationSeconds: 3600,
          boundObjectRef: null
        })
        assert.strictEqual(json.metadata.name, "build")
        const { token } = json.status
        const claims = claimsOf(token)
        assert.strictEqual(claims.sub, "system:serviceaccount:default:build")
        assert.strictEqual(claims.exp - claims.iat, 3600)
        assert.deepStrictEqual(claims["kubernetes.io"], {
          namespace: "default",
          serviceaccount: { name: "build", uid: account.metadata.uid }
        })
        const keys = yield* call("GET", "/openid/v1/jwks")
        assert.strictEqual(keys.headers["content-type"], "application/jwk-set+json")
        const [head, body, signature = ""] = token.split(".")
        const key = createPublicKey({ key: keys.json.keys[0], format: "jwk" })
        assert.isTrue(verify("RSA-SHA256", Buffer.from(`${head}.${body}`), key, Buffer.from(signature, "base64url")))
        assert.strictEqual(JSON.parse(Buffer.from(head ?? "", "base64url").toString()).kid, keys.json.keys[0].kid)
        const document = (yield* call("GET", "/.well-known/openid-configuration")).json
        assert.strictEqual(document.issuer, claims.iss)
        const holder = yield* holderOf(token)
        assert.strictEqual(holder?.user.name, "system:serviceaccount:default:build")
        assert.deepStrictEqual(holder?.user.groups, [
          "system:serviceaccounts",
          "system:serviceaccounts:default",
          "system:authenticated"
        ])
      }))

    it.effect("are refused when altered, for another audience, after their time, and without their account", () =>
      Effect.gen(function*() {
        yield* createAccount("short")
        const token: string = (yield* createToken("short", { expirationSeconds: 600 })).json.status.token
        const [head, body = "", signature] = token.split(".")
        const forged = Buffer.from(JSON.stringify({ ...claimsOf(token), sub: "system:serviceaccount:default:build" })).toString("base64url")
        const unsigned = Buffer.from(JSON.stringify({ alg: "none" })).toString("base64url")
        assert.isUndefined(yield* holderOf(`${head}.${forged}.${signature}`))
        assert.isUndefined(yield* holderOf(`${unsigned}.${body}.${signature}`))
        assert.isUndefined(yield* holderOf("abc"))
        assert.isUndefined(yield* holderOf(token, ["vault"]))
        assert.isDefined(yield* holderOf(token))
        yield* TestClock.adjust("11 minutes")
        assert.isUndefined(yield* holderOf(token))
        const next: string = (yield* createToken("short", { audiences: ["vault", "api"] })).json.status.token
        assert.deepStrictEqual((yield* holderOf(next, ["vault"]))?.audiences, ["vault"])
        yield* call("DELETE", `${accounts}/short`)
        yield* createAccount("short")
        assert.isUndefined(yield* holderOf(next, ["vault"]))
      }))

    it.effect("that are bound to a pod end with the pod", () =>
      Effect.gen(function*() {
        yield* createAccount("web")
        const made = (yield* call("POST", pods, { body: pod("bound", { serviceAccountName: "web" }) })).json
        const ref = { kind: "Pod", apiVersion: "v1", name: "bound", uid: made.metadata.uid }
        const { json } = yield* createToken("web", { boundObjectRef: ref })
        assert.deepStrictEqual(claimsOf(json.status.token)["kubernetes.io"].pod, { name: "bound", uid: made.metadata.uid })
        const holder = yield* holderOf(json.status.token)
        assert.deepStrictEqual(holder?.user.extra?.["authentication.kubernetes.io/pod-name"], ["bound"])
        const stale = yield* createToken("web", { boundObjectRef: { ...ref, uid: "other" } })
        assert.strictEqual(stale.status, 409)
        assert.strictEqual((yield* createToken("web", { boundObjectRef: { ...ref, name: "nope" } })).json.message, "pods \"nope\" not found")
        yield* createAccount("else")
        assert.strictEqual((yield* createToken("else", { boundObjectRef: ref })).status, 400)
        yield* call("DELETE", `${pods}/bound?gracePeriodSeconds=0`)
        assert.isUndefined(yield* holderOf(json.status.token))
      }))

    it.effect("are given to a node only for the pods that it runs", () =>
      Effect.gen(function*() {
        yield* createAccount("agent")
        const made = (yield* call("POST", pods, { body: pod("mine", { serviceAccountName: "agent", nodeName: "n1" }) })).json
        const boundObjectRef = { kind: "Pod", apiVersion: "v1", name: "mine", uid: made.metadata.uid }
        const ask = (node: string, spec: object) =>
          call("POST", `${accounts}/agent/token`, {
            body: tokenRequest(spec),
            user: UserInfo.authenticated(`system:node:${node}`, ["system:nodes"])
          })
        assert.strictEqual((yield* ask("n1", { boundObjectRef })).status, 201)
        assert.include((yield* ask("n1", {})).json.message, "node requested token not bound to a pod")
        const { uid: _, ...nameless } = boundObjectRef
        assert.include((yield* ask("n1", { boundObjectRef: nameless })).json.message, "node requested token with a pod binding without a uid")
        assert.include((yield* ask("n2", { boundObjectRef })).json.message, "no relationship found between node 'n2' and this object")
        yield* call("POST", pods, { body: pod("theirs", { serviceAccountName: "agent", nodeName: "n2" }) })
        assert.include((yield* ask("n2", { boundObjectRef })).json.message, "node requested token bound to a pod scheduled on a different node")
      }))

    it.effect("are not given for less than ten minutes, to accounts that do not exist, or in a dry run", () =>
      Effect.gen(function*() {
        yield* createAccount("quick")
        const short = yield* createToken("quick", { expirationSeconds: 10 })
        assert.strictEqual(
          short.json.message,
          "TokenRequest.authentication.k8s.io \"\" is invalid: spec.expirationSeconds: Invalid value: 10: may not specify a duration less than 10 minutes"
        )
        assert.strictEqual((yield* createToken("nobody")).json.message, "serviceaccounts \"nobody\" not found")
        assert.strictEqual((yield* createToken("quick", {}, "?dryRun=All")).json.status.token, "")
      }))
  })
})

describe("StaticTokens", () => {
  it("reads users, quoted groups, comments and blank lines", () => {
    const tokens = Either.getOrThrow(StaticTokens.parse("# people\n\nabc,dev,7,\"devs,\"\"ops\"\"\"\nxyz,ci,\n"))
    assert.deepStrictEqual(tokens.userOf("abc"), { ...UserInfo.authenticated("dev", ["devs", "\"ops\""]), uid: "7" })
    assert.deepStrictEqual(tokens.userOf("xyz"), UserInfo.authenticated("ci", []))
    assert.isUndefined(tokens.userOf("ab"))
  })

  it("says which line is wrong", () => {
    assert.deepStrictEqual(StaticTokens.parse("a,b,c\nonly"), Either.left("line 2: a line needs token, user and uid, joined by commas"))
    assert.deepStrictEqual(StaticTokens.parse("a,b,c,d,e"), Either.left("line 1: several groups need quotes around them: \"group1,group2\""))
    assert.deepStrictEqual(StaticTokens.parse("a,b,\na,c,"), Either.left("line 2: the token of this line is that of another line, too"))
    assert.deepStrictEqual(StaticTokens.parse("a,b,\"c"), Either.left("line 1: a quoted value does not end"))
  })
})

describe("impersonation", () => {
  const dev = UserInfo.authenticated("dev", ["devs"])

  it.layer(layerApi)((it) => {
    it.effect("needs to be allowed for each part, and then counts", () =>
      Effect.gen(function*() {
        const as = (headers: Record<string, string>, user?: UserInfo.UserInfo) =>
          call("GET", pods, { headers, ...(user === undefined ? {} : { user }) })
        const refused = yield* as({ "impersonate-user": "bob" }, dev)
        assert.strictEqual(
          refused.json.message,
          "users \"bob\" is forbidden: User \"dev\" cannot impersonate resource \"users\" in API group \"\" at the cluster scope"
        )
        const account = yield* as({ "impersonate-user": "system:serviceaccount:ns1:sa1" }, dev)
        assert.strictEqual(
          account.json.message,
          "serviceaccounts \"sa1\" is forbidden: User \"dev\" cannot impersonate resource \"serviceaccounts\" in API group \"\" in the namespace \"ns1\""
        )
        const taken = yield* as({ "impersonate-user": "bob", "impersonate-group": "devs" })
        assert.strictEqual(taken.status, 403)
        assert.include(taken.json.message, "User \"bob\" cannot list resource \"pods\"")
        assert.strictEqual((yield* as({ "impersonate-user": "bob", "impersonate-group": "system:masters" })).status, 200)
        assert.strictEqual((yield* as({ "impersonate-group": "system:masters" })).status, 400)
      }))
  })
})

describe("credentials over HTTPS", () => {
  const withFile = Effect.gen(function*() {
    const path = join(yield* TempDirectory, "tokens.csv")
    yield* Effect.sync(() => writeFileSync(path, "s3cret,ops,1,system:masters\n"))
    return path
  })

  layer(layerServer(), { excludeTestServices: true })((it) => {
    it.effect("a token is its holder, a wrong one 401, none at all anonymous", () =>
      Effect.gen(function*() {
        const { url } = yield* HttpsEdge.HttpsEdge
        const credentials = yield* adminCredentials
        const { ca } = credentials
        const send = (path: string, authorization?: string) =>
          http1(`${url}${path}`, { credentials: { ca }, ...(authorization === undefined ? {} : { headers: { authorization } }) })
        const made = yield* http1(`${url}${accounts}`, {
          method: "POST",
          credentials,
          body: JSON.stringify({ apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "robot" } })
        })
        assert.strictEqual(made.status, 201)
        const answer = yield* http1(`${url}${accounts}/robot/token`, {
          method: "POST",
          credentials,
          body: JSON.stringify(tokenRequest())
        })
        const { token } = JSON.parse(answer.body.toString()).status
        const asRobot = yield* send(pods, `Bearer ${token}`)
        assert.strictEqual(asRobot.status, 403)
        assert.include(JSON.parse(asRobot.body.toString()).message, "User \"system:serviceaccount:default:robot\" cannot list")
        assert.strictEqual((yield* send(pods, `Bearer ${token}x`)).status, 401)
        assert.strictEqual((yield* send(pods, "Bearer unknown")).status, 401)
        const anonymous = yield* send(pods)
        assert.strictEqual(anonymous.status, 403)
        assert.include(JSON.parse(anonymous.body.toString()).message, "User \"system:anonymous\" cannot list resource \"pods\"")
        assert.strictEqual((yield* send("/healthz")).status, 200)
        const pki = join(yield* TempDirectory, "pki")
        assert.strictEqual(statSync(join(pki, "sa.key")).mode & 0o777, 0o600)
        const certificates = yield* Certificates.Certificates
        assert.include(yield* certificates.signingKey, "BEGIN PRIVATE KEY")
      }))
  })

  it.scopedLive("a token of the file is its user", () =>
    Effect.gen(function*() {
      const path = yield* withFile
      yield* Effect.gen(function*() {
        const { url } = yield* HttpsEdge.HttpsEdge
        const { ca } = yield* adminCredentials
        const answer = yield* http1(`${url}${pods}`, { credentials: { ca }, headers: { authorization: "Bearer s3cret" } })
        assert.strictEqual(answer.status, 200)
      }).pipe(Effect.provide(layerServer({}, { tokenFile: path, anonymous: false })))
    }).pipe(Effect.provide(layerTemp)))
})
