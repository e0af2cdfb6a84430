import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { execFileSync, spawnSync } from "node:child_process"
import { X509Certificate } from "node:crypto"
import { readFileSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { parse } from "yaml"
import * as Certificates from "../src/Certificates.js"
import * as Kubeconfig from "../src/Kubeconfig.js"
import { layerCertificates, layerTemp, TempDirectory } from "./support/http.js"

const hasOpenssl = spawnSync("openssl", ["version"]).status === 0

const open = (directory: string, options: Partial<Certificates.CertificatesOptions> = {}) =>
  Effect.provide(Certificates.Certificates, Certificates.layer({ directory, ...options }))

describe("certificates", () => {
  it.scopedLive("are private files that survive a restart", () =>
    Effect.gen(function*() {
      const directory = join(yield* TempDirectory, "pki")
      const first = yield* open(directory)
      const serving = yield* first.serving
      const second = yield* open(directory)
      assert.strictEqual(second.authority, first.authority)
      assert.strictEqual((yield* second.serving).cert, serving.cert)
      assert.strictEqual(statSync(directory).mode & 0o777, 0o700)
      for (const file of ["ca.key", "ca.crt", "apiserver.key"]) assert.strictEqual(statSync(join(directory, file)).mode & 0o777, 0o600)
    }).pipe(Effect.provide(layerTemp)))

  it.scopedLive("are made anew when names are missing, the key is another's, or time runs out", () =>
    Effect.gen(function*() {
      const directory = join(yield* TempDirectory, "pki")
      const first = yield* open(directory)
      const before = yield* first.serving
      const named = yield* open(directory, { names: ["api.example", "10.1.2.3"] })
      const wider = yield* named.serving
      assert.notStrictEqual(wider.cert, before.cert)
      const certificate = new X509Certificate(wider.cert)
      for (const name of ["api.example", "localhost", "kubernetes.default.svc"]) assert.isDefined(certificate.checkHost(name), name)
      for (const address of ["10.1.2.3", "127.0.0.1", "::1"]) assert.isDefined(certificate.checkIP(address), address)
      writeFileSync(join(directory, "apiserver.key"), readFileSync(join(directory, "ca.key")))
      assert.notStrictEqual((yield* named.serving).cert, wider.cert)
      const short = yield* open(directory, { lifetime: "1 hour", renewBefore: "10 minutes" })
      const brief = yield* short.client("brief", "u", [])
      assert.strictEqual((yield* short.client("brief", "u", [])).cert, brief.cert)
      const impatient = yield* open(directory, { lifetime: "3 hours", renewBefore: "90 minutes" })
      assert.notStrictEqual((yield* impatient.client("brief", "u", [])).cert, brief.cert)
      assert.notStrictEqual((yield* short.client("brief", "u", ["g"])).cert, brief.cert)
    }).pipe(Effect.provide(layerTemp)))

  it.scopedLive("a damaged authority is refused with words", () =>
    Effect.gen(function*() {
      const directory = join(yield* TempDirectory, "pki")
      yield* open(directory)
      writeFileSync(join(directory, "ca.crt"), "nonsense")
      const failure = yield* Effect.flip(open(directory))
      assert.strictEqual(failure._tag, "CertificateFailure")
      assert.include(failure.message, "ca.crt")
    }).pipe(Effect.provide(layerTemp)))

  it.scopedLive("say who a client is", () =>
    Effect.gen(function*() {
      const certificates = yield* Certificates.Certificates
      const admin = new X509Certificate((yield* certificates.client("admin", "kubernetes-admin", ["system:masters", "ops, inc"])).cert)
      assert.strictEqual(admin.subject, "O=system:masters\nO=ops\\, inc\nCN=kubernetes-admin")
      assert.strictEqual((yield* certificates.client("admin", "kubernetes-admin", ["system:masters", "ops, inc"])).cert, admin.toString())
      const node = new X509Certificate((yield* certificates.node("n1", ["10.0.0.7"])).cert)
      assert.strictEqual(node.subject, "O=system:nodes\nCN=system:node:n1")
      for (const name of ["n1", "localhost"]) assert.isDefined(node.checkHost(name))
      assert.isDefined(node.checkIP("10.0.0.7"))
    }).pipe(Effect.provide(layerCertificates)))

  it.scopedLive.skipIf(!hasOpenssl)("pass the strict checks of openssl", () =>
    Effect.gen(function*() {
      const certificates = yield* Certificates.Certificates
      yield* certificates.serving
      yield* certificates.node("n1")
      yield* certificates.kubeletClient
      const directory = join(yield* TempDirectory, "pki")
      const verify = (purpose: string, file: string) =>
        execFileSync("openssl", ["verify", "-x509_strict", "-purpose", purpose, "-CAfile", join(directory, "ca.crt"), join(directory, file)]).toString()
      assert.include(verify("sslserver", "apiserver.crt"), "OK")
      assert.include(verify("sslclient", "apiserver-kubelet-client.crt"), "OK")
      assert.include(verify("sslclient", "node-n1.crt"), "OK")
      assert.include(verify("sslserver", "node-n1.crt"), "OK")
    }).pipe(Effect.provide(layerCertificates)))

  it.scopedLive("files made elsewhere are checked", () =>
    Effect.gen(function*() {
      const certificates = yield* Certificates.Certificates
      yield* certificates.serving
      const at = (file: string) => join(directory, file)
      const directory = join(yield* TempDirectory, "pki")
      const loaded = yield* Certificates.fromFiles({ cert: at("apiserver.crt"), key: at("apiserver.key"), ca: at("ca.crt") })
      assert.strictEqual(loaded.authority, certificates.authority)
      const mixed = yield* Effect.flip(Certificates.fromFiles({ cert: at("apiserver.crt"), key: at("ca.key"), ca: at("ca.crt") }))
      assert.include(mixed.message, "is not a PEM certificate of the key in")
      const missing = yield* Effect.flip(Certificates.fromFiles({ cert: at("nope.crt"), key: at("ca.key"), ca: at("ca.crt") }))
      assert.include(missing.message, "nope.crt")
    }).pipe(Effect.provide(layerCertificates)))

  it.scopedLive("kubeconfigs hold everything, for their owner only", () =>
    Effect.gen(function*() {
      const certificates = yield* Certificates.Certificates
      const credentials = yield* certificates.client("admin", "kubernetes-admin", ["system:masters"])
      const path = join(yield* TempDirectory, "deep", "admin.conf")
      yield* Kubeconfig.write(path, { server: "https://127.0.0.1:6443", authority: certificates.authority, user: "kubernetes-admin", credentials })
      assert.strictEqual(statSync(path).mode & 0o777, 0o600)
      const config = parse(readFileSync(path, "utf8"))
      assert.strictEqual(config["current-context"], "kubernetes-admin@reddwarf")
      assert.strictEqual(Buffer.from(config.users[0].user["client-key-data"], "base64").toString(), credentials.key)
    }).pipe(Effect.provide(layerCertificates)))

  it.effect("fail when the directory cannot be made", () =>
    Effect.gen(function*() {
      const failure = yield* Effect.flip(Effect.scoped(Layer.build(Certificates.layer({ directory: "/dev/null/pki" }))))
      assert.include(failure.message, "/dev/null/pki")
    }))
})
