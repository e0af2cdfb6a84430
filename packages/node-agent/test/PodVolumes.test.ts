import { assert, describe, it } from "@effect/vitest"
import * as NodeContext from "@effect/platform-node/NodeContext"
import { type CoreV1, Kinds, TrustAnchors } from "@reddwarf/api-types"
import { ApiClient, FakeApi } from "@reddwarf/client"
import { AtomicFiles, ClaimVolume, HostPathVolume, PodVolumes, SubPath, type VolumeContent } from "@reddwarf/node-agent"
import { SimulatedHost } from "@reddwarf/illumos-sim"
import { StorageEngine } from "@reddwarf/storage-zfs"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import type * as Scope from "effect/Scope"
import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync, statSync, symlinkSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import * as TestCertificates from "test-certificates"
import * as h from "./support/harness.js"

const withNode = <E>(body: (folders: h.Directories) => Effect.Effect<void, E, h.World | Scope.Scope>) =>
  Effect.gen(function*() {
    const folders = yield* h.directories
    yield* Effect.zipRight(h.emptyAtEnd, body(folders)).pipe(Effect.scoped, Effect.provide(h.hostLayer(folders)))
  }).pipe(Effect.provide(FakeApi.layer()), Effect.scoped, Logger.withMinimumLogLevel(LogLevel.Error))

const forever = h.sh("while :; do sleep 0.2; done")

const files = (entries: Readonly<Record<string, string>>, mode = 0o640): VolumeContent.Files =>
  new Map(Object.entries(entries).map(([name, text]) => [name, { content: new TextEncoder().encode(text), mode }]))

const inFolder = <A, E>(body: (folder: string) => Effect.Effect<A, E, NodeContext.NodeContext>) =>
  Effect.scoped(Effect.flatMap(h.directories, ({ root }) => body(root))).pipe(Effect.provide(NodeContext.layer))

describe("AtomicFiles", () => {
  it.live("change all at once, by one link", () =>
    inFolder((root) =>
      Effect.gen(function*() {
        const folder = join(root, "v")
        mkdirSync(folder)
        assert.isTrue(yield* AtomicFiles.write(folder, files({ a: "1", "deep/er/b": "2" })))
        const first = readlinkSync(join(folder, "..data"))
        assert.match(first, /^\.\.\d{4}_\d\d_\d\d_\d\d_\d\d_\d\d\.\d+$/)
        assert.deepStrictEqual(readdirSync(folder).sort(), ["..data", first, "a", "deep"].sort())
        assert.strictEqual(readlinkSync(join(folder, "deep")), "..data/deep")
        assert.strictEqual(statSync(join(folder, "a")).mode & 0o777, 0o640)
        assert.isFalse(yield* AtomicFiles.write(folder, files({ a: "1", "deep/er/b": "2" })))
        assert.strictEqual(readlinkSync(join(folder, "..data")), first)
        const reader = join(folder, first, "a")
        assert.isTrue(yield* AtomicFiles.write(folder, files({ a: "3", c: "4" })))
        assert.isFalse(existsSync(reader))
        assert.deepStrictEqual([readFileSync(join(folder, "a"), "utf8"), readFileSync(join(folder, "c"), "utf8")], ["3", "4"])
        assert.isUndefined(lstatSync(join(folder, "deep"), { throwIfNoEntry: false }))
        assert.strictEqual(readdirSync(folder).length, 4)
      })))

  it.live("take the place of plain files, and clean up after an end half-way", () =>
    inFolder((root) =>
      Effect.gen(function*() {
        writeFileSync(join(root, "a"), "old")
        mkdirSync(join(root, "b"))
        mkdirSync(join(root, "..2020_01_01_00_00_00.1"))
        symlinkSync("nowhere", join(root, "..data_tmp"))
        yield* AtomicFiles.write(root, files({ a: "new", "b/c": "d" }))
        assert.strictEqual(readFileSync(join(root, "a"), "utf8"), "new")
        assert.strictEqual(readFileSync(join(root, "b/c"), "utf8"), "d")
        assert.strictEqual(readdirSync(root).length, 4)
      })))

  it.live("see a changed mode, and a changed file", () =>
    inFolder((root) =>
      Effect.gen(function*() {
        yield* AtomicFiles.write(root, files({ a: "1" }))
        assert.isTrue(yield* AtomicFiles.write(root, files({ a: "1" }, 0o400)))
        assert.strictEqual(statSync(join(root, "a")).mode & 0o777, 0o400)
      })))
})

describe("SubPath", () => {
  it.live("is made where it is missing, and never through a link that leads out", () =>
    inFolder((root) =>
      Effect.gen(function*() {
        const base = join(root, "base")
        mkdirSync(base)
        mkdirSync(join(root, "outside"))
        mkdirSync(join(base, "real"))
        symlinkSync("real", join(base, "inner"))
        symlinkSync(join(root, "outside"), join(base, "evil"))
        assert.strictEqual(yield* SubPath.onHost(base, "a/b"), join(base, "a/b"))
        assert.strictEqual(yield* SubPath.onHost(base, "inner/x"), join(base, "real/x"))
        const error = yield* Effect.flip(SubPath.onHost(base, "evil/x"))
        assert.include(error.message, "leads out of the volume")
        assert.deepStrictEqual(readdirSync(join(root, "outside")), [])
        yield* Effect.flip(SubPath.onHost(base, "../outside"))
      })))
})

describe("HostPathVolume", () => {
  const prepare = (path: string, type: string) => HostPathVolume.prepare("v", { path, type })
  it.live("is checked by its type, and made where the type says so", () =>
    inFolder((root) =>
      Effect.gen(function*() {
        writeFileSync(join(root, "file"), "")
        assert.strictEqual(yield* prepare(join(root, "file"), "File"), join(root, "file"))
        for (const [path, type, word] of [["file", "Directory", "directory"], ["none", "Directory", "directory"], ["none", "File", "file"], [".", "Socket", "socket file"], ["file", "CharDevice", "character device"], ["file", "BlockDevice", "block device"]] as const) {
          const error = yield* Effect.flip(prepare(join(root, path), type))
          assert.strictEqual(error.message, `MountVolume.SetUp failed for volume "v" : hostPath type check failed: ${join(root, path)} is not a ${word}`)
        }
        yield* prepare(join(root, "made/by/it"), "DirectoryOrCreate")
        yield* prepare(join(root, "made/file"), "FileOrCreate")
        yield* prepare(join(root, "silent"), "")
        assert.isTrue(statSync(join(root, "made/by/it")).isDirectory() && statSync(join(root, "made/file")).isFile() && statSync(join(root, "silent")).isDirectory())
        yield* Effect.flip(prepare(join(root, "file"), "Nonsense"))
      })))
})

describe("ClaimVolume", () => {
  const pod = { apiVersion: "v1", kind: "Pod", metadata: { name: "p", namespace: "default", uid: "pod-1" }, spec: { nodeName: "n1", containers: [] } } satisfies CoreV1.Pod
  const claim: CoreV1.PersistentVolumeClaim = {
    apiVersion: "v1",
    kind: "PersistentVolumeClaim",
    metadata: { name: "data", namespace: "default", uid: "c1" },
    spec: { volumeName: "pv1" },
    status: { phase: "Bound" }
  }
  const volume = (spec: CoreV1.PersistentVolumeSpec): CoreV1.PersistentVolume => ({ apiVersion: "v1", kind: "PersistentVolume", metadata: { name: "pv1", uid: "v1" }, spec })
  const base = { name: "data", readOnly: false, ephemeral: false }
  const why = (given: Partial<ClaimVolume.Claim>) => Either.match(ClaimVolume.backing(pod, { ...base, ...given }), { onLeft: (text) => text, onRight: ({ type }) => type })

  it("says what is missing", () => {
    assert.strictEqual(why({}), `persistentvolumeclaim "data" not found`)
    assert.strictEqual(why({ claim: { ...claim, status: { phase: "Pending" }, spec: {} } }), `PVC default/data has non-bound phase ("Pending") or empty pvc.Spec.VolumeName ("")`)
    assert.include(why({ claim }), `persistentvolume "pv1" of PVC default/data not found`)
    assert.include(why({ claim, ephemeral: true }), "was not created for pod default/p (pod is not owner)")
    assert.include(why({ claim, volume: volume({ nfs: { server: "s", path: "/" } }) }), "does not support")
    assert.include(why({ claim, volume: volume({ csi: { driver: ClaimVolume.driver, volumeHandle: "x", volumeAttributes: { [ClaimVolume.nodeAttribute]: "n2" } } }) }), "dataset of node n2")
    assert.include(why({ claim, volume: volume({ claimRef: { uid: "other" }, local: { path: "/x" } }) }), "bound to another claim")
  })

  it("is a dataset, or a path", () => {
    assert.strictEqual(why({ claim, volume: volume({ csi: { driver: ClaimVolume.driver, volumeHandle: "x", volumeAttributes: { [ClaimVolume.nodeAttribute]: "n1" } } }) }), "dataset")
    assert.strictEqual(why({ claim, volume: volume({ local: { path: "/x" } }) }), "local")
    assert.strictEqual(why({ claim, volume: volume({ hostPath: { path: "/x" } }) }), "hostPath")
  })
})

describe("volumes of a running pod", () => {
  it.live("follow their ConfigMap, Secret and labels, but for single paths", () =>
    withNode((folders) =>
      Effect.gen(function*() {
        const client = yield* ApiClient.ApiClient
        yield* h.supervisorFiber(folders)
        yield* h.agent(folders)
        yield* client.create(Kinds.configMap, { metadata: { name: "cm", namespace: "default" }, data: { a: "one", b: "first" } })
        const [{ ca: one }, { ca: two }] = yield* Effect.all([TestCertificates.make("one"), TestCertificates.make("two")])
        const bundle = (name: string, trustBundle: string, live: string) =>
          client.create(Kinds.clusterTrustBundle, { metadata: { name: `ex.com:ca:${name}`, labels: { live } }, spec: { signerName: "ex.com/ca", trustBundle } })
        yield* bundle("one", `text\n${one}`, "yes")
        yield* bundle("old", two, "no")
        yield* client.create(Kinds.secret, { metadata: { name: "s", namespace: "default" }, data: { k: Buffer.from("x").toString("base64") } })
        yield* h.createPod({
          ...h.draft("live", [{
            name: "c",
            command: forever,
            env: [{ name: "KEY", value: "b" }],
            volumeMounts: [{ name: "all", mountPath: "/all" }, { name: "cm", mountPath: "/one", subPath: "a" }, { name: "cm", mountPath: "/two", subPathExpr: "$(KEY)" }]
          }], {
            volumes: [
              { name: "cm", configMap: { name: "cm" } },
              {
                name: "all",
                projected: {
                  defaultMode: 0o600,
                  sources: [
                    { configMap: { name: "cm", items: [{ key: "a", path: "conf/a" }] } },
                    { secret: { name: "s" } },
                    { clusterTrustBundle: { signerName: "ex.com/ca", labelSelector: { matchLabels: { live: "yes" } }, path: "ca/of.pem" } },
                    { clusterTrustBundle: { name: "nobody", optional: true, path: "none.pem" } },
                    { downwardAPI: { items: [{ path: "labels", fieldRef: { fieldPath: "metadata.labels" } }] } }
                  ]
                }
              }
            ]
          }),
          metadata: { name: "live", namespace: "default", labels: { tier: "gold" } }
        })
        const pod = yield* h.untilPod("live", "ready", h.isReady)
        const folder = PodVolumes.directory(folders.dataDir, pod.metadata.uid ?? "")
        const read = (path: string) => readFileSync(join(folder, path), "utf8")
        assert.deepStrictEqual([read("all/conf/a"), read("all/k"), read("all/labels"), read(".paths/cm/a"), read(".paths/cm/b")], ["one", "x", `tier="gold"`, "one", "first"])
        assert.strictEqual(statSync(join(folder, "all/k")).mode & 0o777, 0o600)
        assert.deepStrictEqual([read("all/ca/of.pem"), read("all/none.pem")], [TrustAnchors.join([one]), ""])
        yield* client.patch(Kinds.clusterTrustBundle, { name: "ex.com:ca:old" }, { metadata: { labels: { live: "yes" } } }, { type: "merge" })
        yield* client.patch(Kinds.pod, { namespace: "default", name: "live" }, { metadata: { labels: { tier: "iron" } } }, { type: "merge" })
        yield* h.until("the label", Effect.sync(() => read("all/labels") === `tier="iron"` ? true : undefined))
        yield* client.patch(Kinds.configMap, { namespace: "default", name: "cm" }, { data: { a: "two" } }, { type: "merge" })
        yield* h.until("the new content", Effect.sync(() => read("all/conf/a") === "two" && read("all/k") === "x" ? true : undefined), 60)
        yield* h.until("both anchors", Effect.sync(() => read("all/ca/of.pem") === TrustAnchors.join([one, two]) ? true : undefined), 60)
        assert.strictEqual(read(".paths/cm/a"), "one")
        assert.deepStrictEqual(h.container(pod, "c")?.volumeMounts?.map(({ mountPath }) => mountPath), ["/all", "/one", "/two"])
        yield* client.delete(Kinds.pod, { namespace: "default", name: "live" }, { gracePeriodSeconds: 0 })
      })), 100_000)

  it.live("have limits, live in memory, and go with the pod", () =>
    withNode((folders) =>
      Effect.gen(function*() {
        const client = yield* ApiClient.ApiClient
        const storage = yield* StorageEngine.StorageEngine
        yield* h.supervisorFiber(folders)
        yield* h.agent(folders)
        yield* h.createPod(h.draft("empty", [{
          name: "c",
          command: forever,
          volumeMounts: [{ name: "small", mountPath: "/small", subPath: "x/y" }, { name: "mem", mountPath: "/mem" }]
        }], { volumes: [{ name: "small", emptyDir: { sizeLimit: "8Mi" } }, { name: "mem", emptyDir: { medium: "Memory", sizeLimit: "1Mi" } }] }))
        const pod = yield* h.untilPod("empty", "ready", h.isReady)
        const [dataset] = yield* storage.listVolumes
        assert.deepStrictEqual([dataset?.owner, dataset?.quota], [pod.metadata.uid, 8 * 1024 * 1024])
        const host = yield* Effect.flatMap(SimulatedHost.SimulatedHost, (sim) => sim.state)
        const mounts = (host.zones[0]?.configuration.resources ?? []).filter(({ kind }) => kind === "fs").map(({ properties }) => [properties["dir"], properties["type"], properties["special"]].join(" "))
        assert.include(mounts, "/mem tmpfs swap")
        assert.include(mounts, `/small lofs ${dataset?.mountpoint}/x/y`)
        yield* client.delete(Kinds.pod, { namespace: "default", name: "empty" }, { gracePeriodSeconds: 0 })
        yield* h.until("the dataset to go", Effect.map(storage.listVolumes, (all) => all.length === 0 ? true : undefined))
      })), 60_000)

  it.live("say what is wrong with them", () =>
    withNode((folders) =>
      Effect.gen(function*() {
        const api = yield* FakeApi.FakeApi
        yield* h.supervisorFiber(folders)
        yield* h.agent(folders)
        const told = (name: string) =>
          h.until(`the trouble of ${name}`, Effect.sync(() =>
            api.list<CoreV1.Event>(Kinds.event, "default").find(({ involvedObject, reason }) => reason === "FailedMount" && involvedObject.name === name)?.message))
        const mount = (name: string, volume: CoreV1.Volume, mounts: Partial<CoreV1.VolumeMount> = {}) =>
          h.createPod(h.draft(name, [{ name: "c", command: forever, volumeMounts: [{ name: "v", mountPath: "/v", ...mounts }] }], { volumes: [volume] }))
        yield* mount("a", { name: "v", configMap: { name: "none" } })
        yield* mount("b", { name: "v", persistentVolumeClaim: { claimName: "none" } })
        yield* mount("c", { name: "v", emptyDir: {} }, { subPathExpr: "$(NOPE)" })
        yield* mount("e", { name: "v", projected: { sources: [{ clusterTrustBundle: { name: "none", path: "p" } }] } })
        yield* mount("f", { name: "v", projected: { sources: [{ clusterTrustBundle: { signerName: "ex.com/a", path: "p" } }] } })
        yield* mount("d", { name: "v", emptyDir: { medium: "Memory" } }, { subPath: "x" })
        const prefix = `MountVolume.SetUp failed for volume "v" : `
        assert.strictEqual(yield* told("a"), `${prefix}configmap "none" not found`)
        assert.strictEqual(yield* told("b"), `${prefix}persistentvolumeclaim "none" not found`)
        assert.strictEqual(yield* told("c"), `${prefix}missing value for "NOPE" in subPathExpr "$(NOPE)"`)
        assert.strictEqual(yield* told("e"), `${prefix}clustertrustbundle "none" not found`)
        assert.strictEqual(yield* told("f"), `${prefix}combination of signerName and labelSelector matched zero ClusterTrustBundles`)
        assert.include(yield* told("d"), "subPath of a volume in memory is not possible")
      })), 60_000)
})
