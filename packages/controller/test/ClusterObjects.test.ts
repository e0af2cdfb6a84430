/** Controllers of cluster-wide objects, and of quotas and volumes, against the API server itself. */
import { execFileSync, spawnSync } from "node:child_process"
import { X509Certificate } from "node:crypto"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Certificates, InProcessTransport, KubeletClient, Server, UserInfo } from "@reddwarf/apiserver"
import { Kinds } from "@reddwarf/api-types"
import { ApiClient, EventRecorder } from "@reddwarf/client"
import {
  CertificateController,
  ClusterRoleAggregationController,
  ResourceQuotaController,
  VolumeBinderController,
  VolumeProtectionController
} from "@reddwarf/controller"
import { ObjectStore } from "@reddwarf/store"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Schedule } from "effect"

const server = Server.layerApi().pipe(Layer.provide(ObjectStore.layerMemory), Layer.provide(KubeletClient.layerUnavailable))

const as = (name: string, groups: ReadonlyArray<string>) => Layer.fresh(ApiClient.layer).pipe(Layer.provide(InProcessTransport.layer(UserInfo.authenticated(name, groups))))

/** The client of the controllers, and what else the test looks with. */
const world = () =>
  EventRecorder.layerMemory([]).pipe(
    Layer.merge(ApiClient.layer),
    Layer.provideMerge(InProcessTransport.layer(UserInfo.authenticated("system:kube-controller-manager", ["system:masters"]))),
    Layer.provideMerge(server)
  )

const eventually = <A, E, R>(look: Effect.Effect<A, E, R>, isRight: (seen: A) => boolean): Effect.Effect<A, E, R> =>
  Effect.repeat(Effect.zipLeft(look, Effect.sleep("20 millis")), { until: isRight, times: 750 })

const template = { metadata: { labels: { app: "web" } }, spec: { containers: [{ name: "main", image: "registry.test/app:1", resources: { requests: { cpu: "250m" } } }] } }

describe("resource quotas", () => {
  it.scopedLive("say what is used", () =>
    Effect.gen(function*() {
      const client = yield* ApiClient.ApiClient
      yield* ResourceQuotaController.run()
      const ref = { namespace: "default", name: "q" }
      const hard = { pods: "5", "requests.cpu": "4", "count/configmaps": "9", "count/deployments.apps": "3", services: "2" }
      yield* client.create(Kinds.resourceQuota, { metadata: ref, spec: { hard } })
      const used = Effect.map(client.get(Kinds.resourceQuota, ref), ({ status }) => status?.used)
      const first = yield* eventually(used, (found) => found !== undefined)
      assert.deepStrictEqual(first, { pods: "0", "requests.cpu": "0", "count/configmaps": "0", "count/deployments.apps": "0", services: "0" })
      for (const name of ["a", "b"]) yield* client.create(Kinds.pod, { metadata: { name, namespace: "default" }, spec: template.spec })
      yield* client.create(Kinds.configMap, { metadata: { name: "c", namespace: "default" }, data: {} })
      yield* client.create(Kinds.deployment, { metadata: { name: "d", namespace: "default" }, spec: { selector: { matchLabels: { app: "web" } }, template } })
      const full = { pods: "2", "requests.cpu": "500m", "count/configmaps": "1", "count/deployments.apps": "1", services: "0" }
      assert.deepStrictEqual(yield* eventually(used, (found) => JSON.stringify(found) === JSON.stringify(full)), full)
      yield* client.delete(Kinds.pod, { namespace: "default", name: "a" })
      yield* client.delete(Kinds.deployment, { namespace: "default", name: "d" })
      const less = { ...full, pods: "1", "requests.cpu": "250m", "count/deployments.apps": "0" }
      assert.deepStrictEqual(yield* eventually(used, (found) => JSON.stringify(found) === JSON.stringify(less)), less)
    }).pipe(Effect.provide(world())))
})

describe("aggregated roles", () => {
  it.scopedLive("have the rules of the roles that they select", () =>
    Effect.gen(function*() {
      const client = yield* ApiClient.ApiClient
      yield* ClusterRoleAggregationController.run()
      const rule = (resource: string) => ({ apiGroups: [""], resources: [resource], verbs: ["get"] })
      const part = (name: string, resource: string) =>
        client.create(Kinds.clusterRole, { metadata: { name, labels: { part: "yes" } }, rules: [rule(resource)] })
      yield* client.create(Kinds.clusterRole, { metadata: { name: "whole" }, aggregationRule: { clusterRoleSelectors: [{ matchLabels: { part: "yes" } }] }, rules: [] })
      yield* part("b", "pods")
      yield* part("a", "secrets")
      const rules = Effect.map(client.get(Kinds.clusterRole, { name: "whole" }), (role) => role.rules ?? [])
      assert.deepStrictEqual(yield* eventually(rules, (found) => found.length === 2), [rule("secrets"), rule("pods")])
      yield* client.delete(Kinds.clusterRole, { name: "a" })
      assert.deepStrictEqual(yield* eventually(rules, (found) => found.length === 1), [rule("pods")])
    }).pipe(Effect.provide(world())))
})

describe("volumes", () => {
  const volume = (name: string, storage: string, more: object = {}) => ({
    metadata: { name },
    spec: { capacity: { storage }, accessModes: ["ReadWriteOnce"], storageClassName: "std", hostPath: { path: "/data" }, ...more }
  })
  const claim = (name: string, storage: string, more: object = {}) => ({
    metadata: { name, namespace: "default" },
    spec: { storageClassName: "std", accessModes: ["ReadWriteOnce"], resources: { requests: { storage } }, ...more }
  })

  it.scopedLive("are bound to the claims that they fit best, released after them, and held while in use", () =>
    Effect.gen(function*() {
      const client = yield* ApiClient.ApiClient
      yield* VolumeBinderController.run()
      yield* VolumeProtectionController.run()
      yield* client.create(Kinds.persistentVolume, volume("large", "10Gi"))
      yield* client.create(Kinds.persistentVolume, volume("small", "2Gi"))
      yield* client.create(Kinds.persistentVolume, volume("other", "2Gi", { storageClassName: "fast" }))
      yield* client.create(Kinds.persistentVolumeClaim, claim("one", "1Gi"))
      const phase = (name: string) => Effect.map(client.get(Kinds.persistentVolume, { name }), ({ spec, status }) => `${status?.phase ?? ""} ${spec?.claimRef?.name ?? ""}`)
      const bound = Effect.map(client.get(Kinds.persistentVolumeClaim, { namespace: "default", name: "one" }), ({ spec, status }) => `${status?.phase ?? ""} ${spec?.volumeName ?? ""}`)
      assert.strictEqual(yield* eventually(bound, (found) => found.startsWith("Bound")), "Bound small")
      assert.strictEqual(yield* phase("small"), "Bound one")
      assert.strictEqual(yield* eventually(phase("large"), (found) => found.startsWith("Available")), "Available ")
      const { metadata: { finalizers }, status } = yield* eventually(
        client.get(Kinds.persistentVolumeClaim, { namespace: "default", name: "one" }),
        ({ metadata }) => metadata.finalizers !== undefined
      )
      assert.deepStrictEqual([finalizers, status?.capacity?.["storage"]], [["kubernetes.io/pvc-protection"], "2Gi"])
      // A pod uses the claim: it stays until the pod has gone.
      yield* client.create(Kinds.pod, { metadata: { name: "user", namespace: "default" }, spec: { ...template.spec, volumes: [{ name: "v", persistentVolumeClaim: { claimName: "one" } }] } })
      yield* client.bind({ namespace: "default", name: "user" }, "n1")
      yield* client.delete(Kinds.persistentVolumeClaim, { namespace: "default", name: "one" })
      const claims = Effect.map(client.list(Kinds.persistentVolumeClaim), ({ items }) => items.map(({ metadata }) => metadata.name))
      assert.deepStrictEqual(yield* claims, ["one"])
      yield* client.delete(Kinds.pod, { namespace: "default", name: "user" }, { gracePeriodSeconds: 0 })
      assert.deepStrictEqual(yield* eventually(claims, (left) => left.length === 0), [])
      assert.strictEqual(yield* eventually(phase("small"), (found) => found.startsWith("Released")), "Released one")
      yield* client.create(Kinds.persistentVolumeClaim, claim("two", "1Gi"))
      assert.strictEqual(yield* eventually(phase("large"), (found) => found.startsWith("Bound")), "Bound two")
    }).pipe(Effect.provide(world())))

  it.scopedLive("bind to the volume that a claim names, if that offers what is asked for", () =>
    Effect.gen(function*() {
      const client = yield* ApiClient.ApiClient
      yield* VolumeBinderController.run()
      yield* client.create(Kinds.persistentVolume, volume("small", "1Gi"))
      yield* client.create(Kinds.persistentVolume, volume("large", "8Gi"))
      yield* client.create(Kinds.persistentVolumeClaim, claim("too-much", "5Gi", { volumeName: "small" }))
      yield* client.create(Kinds.persistentVolumeClaim, claim("fits", "5Gi", { volumeName: "large" }))
      const phase = (name: string) => Effect.map(client.get(Kinds.persistentVolumeClaim, { namespace: "default", name }), ({ status }) => status?.phase)
      assert.strictEqual(yield* eventually(phase("fits"), (found) => found === "Bound"), "Bound")
      assert.strictEqual(yield* phase("too-much"), "Pending")
      assert.isUndefined((yield* client.get(Kinds.persistentVolume, { name: "small" })).spec?.claimRef)
    }).pipe(Effect.provide(world())))

  it.scopedLive("wait for a consumer where their class says so", () =>
    Effect.gen(function*() {
      const client = yield* ApiClient.ApiClient
      yield* VolumeBinderController.run()
      yield* client.create(Kinds.storageClass, { metadata: { name: "late" }, provisioner: "kubernetes.io/no-provisioner", volumeBindingMode: "WaitForFirstConsumer" })
      yield* client.create(Kinds.persistentVolume, volume("v", "2Gi", { storageClassName: "late" }))
      yield* client.create(Kinds.persistentVolume, volume("mark", "2Gi"))
      yield* client.create(Kinds.persistentVolumeClaim, claim("waiting", "1Gi", { storageClassName: "late" }))
      yield* client.create(Kinds.persistentVolumeClaim, claim("bound", "1Gi"))
      const phase = (name: string) => Effect.map(client.get(Kinds.persistentVolumeClaim, { namespace: "default", name }), ({ status }) => status?.phase)
      assert.strictEqual(yield* eventually(phase("bound"), (found) => found === "Bound"), "Bound")
      assert.strictEqual(yield* phase("waiting"), "Pending")
      // The scheduler chooses the volume.
      const chosen = yield* client.get(Kinds.persistentVolume, { name: "v" })
      yield* client.update(Kinds.persistentVolume, { ...chosen, spec: { ...chosen.spec, claimRef: { kind: "PersistentVolumeClaim", namespace: "default", name: "waiting" } } })
      assert.strictEqual(yield* eventually(phase("waiting"), (found) => found === "Bound"), "Bound")
    }).pipe(Effect.provide(world())))
})

describe.skipIf(spawnSync("openssl", ["version"]).status !== 0)("certificates", () => {
  const temporary = Effect.acquireRelease(
    Effect.sync(() => mkdtempSync(join(tmpdir(), "reddwarf-csr-"))),
    (directory) => Effect.sync(() => rmSync(directory, { recursive: true, force: true }))
  )

  const request = (directory: string, subject: string, ...more: ReadonlyArray<string>): string => {
    execFileSync("openssl", ["req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", join(directory, "key"), "-out", join(directory, "csr"), "-subj", subject, ...more], { stdio: "ignore" })
    return readFileSync(join(directory, "csr")).toString("base64")
  }

  it.scopedLive("are signed when approved, and those of node agents are approved", () =>
    Effect.gen(function*() {
      const client = yield* ApiClient.ApiClient
      const directory = yield* temporary
      const signer = yield* Effect.provide(Certificates.Certificates, Certificates.layer({ directory: join(directory, "pki") }))
      yield* CertificateController.run({ signer })
      const authority = new X509Certificate(signer.authority)
      const condition = (name: string) =>
        Effect.map(client.get(Kinds.certificateSigningRequest, { name }), ({ status }) => (status?.conditions ?? []).map(({ reason, type }) => `${type} ${reason ?? ""}`).join(","))
      const certificate = (name: string) =>
        Effect.map(client.get(Kinds.certificateSigningRequest, { name }), ({ status }) =>
          status?.certificate === undefined ? undefined : new X509Certificate(Buffer.from(status.certificate, "base64")))

      const create = (name: string, signerName: string, pem: string, usages: ReadonlyArray<string>) =>
        client.create(Kinds.certificateSigningRequest, { metadata: { name }, spec: { request: pem, signerName, usages, expirationSeconds: 7200 } })
      const approve = (name: string) =>
        Effect.flatMap(client.get(Kinds.certificateSigningRequest, { name }), (found) =>
          client.updateSubresource(Kinds.certificateSigningRequest, "approval", {
            ...found,
            status: { conditions: [{ type: "Approved", status: "True", reason: "Test", message: "by the test" }] }
          }))

      yield* create("jane", "kubernetes.io/kube-apiserver-client", request(directory, "/O=devs/CN=jane"), ["client auth", "digital signature"])
      assert.strictEqual(yield* condition("jane"), "")
      yield* approve("jane")
      const issued = yield* eventually(certificate("jane"), (found) => found !== undefined)
      assert.deepStrictEqual([issued?.subject, issued?.verify(authority.publicKey), issued?.ca], ["O=devs\nCN=jane", true, false])
      assert.deepStrictEqual(issued?.keyUsage, ["1.3.6.1.5.5.7.3.2"])
      assert.isAtMost(Date.parse(issued?.validTo ?? "") - Date.parse(issued?.validFrom ?? ""), 7_200_000 + 300_000)

      // Whoever asks is in the group of nodes here, and may ask for itself.
      yield* create("node", "kubernetes.io/kube-apiserver-client-kubelet", request(directory, "/O=system:nodes/CN=system:node:n1"), ["client auth", "digital signature"])
      assert.isDefined(yield* eventually(certificate("node"), (found) => found !== undefined))
      assert.strictEqual(yield* condition("node"), "Approved AutoApproved")

      const serving = request(directory, "/O=system:nodes/CN=system:node:n1", "-addext", "subjectAltName=DNS:n1,IP:10.0.0.1")
      yield* create("serving", "kubernetes.io/kubelet-serving", serving, ["server auth", "digital signature"])
      yield* approve("serving")
      const forServing = yield* eventually(certificate("serving"), (found) => found !== undefined)
      assert.deepStrictEqual([forServing?.checkHost("n1"), forServing?.checkIP("10.0.0.1")], ["n1", "10.0.0.1"])

      yield* create("wrong", "kubernetes.io/kubelet-serving", request(directory, "/CN=jane"), ["server auth", "digital signature"])
      yield* approve("wrong")
      assert.strictEqual(yield* eventually(condition("wrong"), (found) => found.includes("Failed")), "Approved Test,Failed SignerValidationFailure")
      assert.isUndefined(yield* certificate("wrong"))
    }).pipe(Effect.provide(world())))

  it.scopedLive("are not approved for somebody who may not ask", () =>
    Effect.gen(function*() {
      const client = yield* ApiClient.ApiClient
      const directory = yield* temporary
      const signer = yield* Effect.provide(Certificates.Certificates, Certificates.layer({ directory: join(directory, "pki") }))
      yield* CertificateController.run({ signer })
      yield* client.create(Kinds.clusterRole, { metadata: { name: "asks" }, rules: [{ apiGroups: ["certificates.k8s.io"], resources: ["certificatesigningrequests"], verbs: ["create"] }] })
      yield* client.create(Kinds.clusterRoleBinding, {
        metadata: { name: "asks" },
        roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "asks" },
        subjects: [{ apiGroup: "rbac.authorization.k8s.io", kind: "User", name: "eve" }]
      })
      const pem = request(directory, "/O=system:nodes/CN=system:node:n1")
      const draft = (name: string) => ({
        metadata: { name },
        spec: { request: pem, signerName: "kubernetes.io/kube-apiserver-client-kubelet", usages: ["client auth", "digital signature"] }
      })
      const asEve = Effect.flatMap(ApiClient.ApiClient, (eve) => eve.create(Kinds.certificateSigningRequest, draft("eve"))).pipe(
        Effect.provide(as("eve", [])),
        // The policy is read a moment after it was written.
        Effect.retry({ times: 500, schedule: Schedule.spaced("20 millis") })
      )
      yield* asEve
      yield* client.create(Kinds.certificateSigningRequest, draft("mark"))
      const conditions = (name: string) => Effect.map(client.get(Kinds.certificateSigningRequest, { name }), ({ status }) => status?.conditions ?? [])
      yield* eventually(conditions("mark"), (found) => found.length > 0)
      assert.deepStrictEqual(yield* conditions("eve"), [])
    }).pipe(Effect.provide(world())))
})
