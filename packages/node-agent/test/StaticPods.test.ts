import { assert, describe, it } from "@effect/vitest"
import type { CoreV1 } from "@reddwarf/api-types"
import { Kinds } from "@reddwarf/api-types"
import { ApiClient, FakeApi } from "@reddwarf/client"
import { SimulatedHost } from "@reddwarf/illumos-sim"
import { ManifestFile, PodSandbox, StaticPod, ZoneInstanceKind } from "@reddwarf/node-agent"
import type { ZoneInstance } from "@reddwarf/plans"
import { ZoneName, ZoneRuntime } from "@reddwarf/runtime-illumos"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import type * as Scope from "effect/Scope"
import { mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import * as h from "./support/harness.js"

const manifest = (script: string, changes = ""): string => `apiVersion: v1
kind: Pod
metadata:
  name: web
  labels: { app: web }
spec:
  terminationGracePeriodSeconds: 2
  containers:
    - name: main
      image: busybox:1
      command: ["sh", "-c", ${JSON.stringify(script)}]
${changes}`

describe("manifests", () => {
  const read = (text: string) => ManifestFile.read(text, "n1")
  const left = (text: string) => Either.match(read(text), { onLeft: (why) => why, onRight: () => "accepted" })

  it("gives a pod the name of its node, a uid of its content, and says where it came from", () => {
    const [pod] = Either.getOrThrow(read(manifest("sleep 1")))
    assert.strictEqual(pod?.metadata.name, "web-n1")
    assert.strictEqual(pod?.spec?.nodeName, "n1")
    assert.isTrue(StaticPod.isStaticUid(pod?.metadata.uid ?? ""))
    assert.strictEqual(pod?.metadata.annotations?.["kubernetes.io/config.source"], "file")
    assert.strictEqual(pod?.metadata.annotations?.["kubernetes.io/config.hash"], pod?.metadata.uid)
  })

  it("takes the same content in another form for the same pod, and any change for another one", () => {
    const uid = (text: string) => Either.getOrThrow(read(text))[0]?.metadata.uid
    const json = JSON.stringify({
      spec: { containers: [{ command: ["sh", "-c", "sleep 1"], image: "busybox:1", name: "main" }], terminationGracePeriodSeconds: 2 },
      metadata: { labels: { app: "web" }, name: "web" },
      kind: "Pod",
      apiVersion: "v1"
    })
    assert.strictEqual(uid(json), uid(manifest("sleep 1")))
    assert.notStrictEqual(uid(manifest("sleep 2")), uid(manifest("sleep 1")))
    assert.notStrictEqual(Either.getOrThrow(ManifestFile.read(manifest("sleep 1"), "n2"))[0]?.metadata.uid, uid(manifest("sleep 1")))
  })

  it("reads lists and files of several documents", () => {
    assert.strictEqual(Either.getOrThrow(read(`${manifest("a")}---\n${manifest("b").replace("name: web", "name: other")}`)).length, 2)
    assert.strictEqual(Either.getOrThrow(read(JSON.stringify({ kind: "List", apiVersion: "v1", items: [
      { kind: "Pod", apiVersion: "v1", metadata: { name: "a" }, spec: { containers: [{ name: "c", image: "i" }] } }
    ] }))).length, 1)
  })

  it("refuses what only the API has, and says what", () => {
    const needs = (changes: string) => left(manifest("sleep 1", changes))
    assert.match(needs("  volumes: [{ name: v, configMap: { name: c } }]\n"), /needs it: volume v is of a ConfigMap/)
    assert.match(needs("  volumes: [{ name: v, secret: { secretName: s } }]\n"), /volume v is of a Secret/)
    assert.match(needs("  volumes: [{ name: v, persistentVolumeClaim: { claimName: s } }]\n"), /PersistentVolumeClaim/)
    assert.match(needs("  volumes: [{ name: v, projected: { sources: [{ serviceAccountToken: { path: t } }] } }]\n"), /ServiceAccount token/)
    assert.match(needs("  serviceAccountName: robot\n"), /names the ServiceAccount robot/)
    assert.match(needs("  imagePullSecrets: [{ name: s }]\n"), /imagePullSecret/)
    assert.match(needs("      envFrom: [{ secretRef: { name: s } }]\n"), /environment from a ConfigMap or Secret/)
    assert.strictEqual(needs("  volumes: [{ name: v, emptyDir: {} }, { name: h, hostPath: { path: /tmp } }]\n"), "accepted")
  })

  it("refuses what is no pod", () => {
    assert.match(left(""), /empty/)
    assert.match(left("kind: Service\napiVersion: v1\nmetadata: { name: a }\n"), /kind "Service"; only pods/)
    assert.match(left("kind: Pod\n  bad: [\n"), /./)
    assert.match(left(manifest("a", "  nonsense: 1\n")), /unknown field "spec.nonsense"/)
    assert.match(left(manifest("a").replace("name: web", "name: Not_A_Name")), /Not_A_Name.*lower/)
  })

  it("does not look at files of editors", () => {
    const names = ["a.yaml", "b.yml", "c.json", ".a.yaml.swp", "a.yaml~", "a.yaml.tmp", "a.yaml.bak", ".hidden.yaml", "README"]
    assert.deepStrictEqual(names.filter(ManifestFile.isManifestName), ["a.yaml", "b.yml", "c.json"])
  })

  it("lets one of two pods of one name count, always the same", () => {
    const pods = (text: string) => Either.getOrThrow(read(text))
    const merged = ManifestFile.merge(new Map([["b.yaml", pods(manifest("b"))], ["a.yaml", pods(manifest("a"))]]))
    assert.deepStrictEqual([...merged.pods.keys()], [pods(manifest("a"))[0]?.metadata.uid])
    assert.match(merged.duplicates.get("b.yaml") ?? "", /default\/web-n1 is in a.yaml already/)
  })
})

interface Node {
  readonly folders: h.Directories
  readonly manifests: string
}

const withNode = <E>(body: (node: Node) => Effect.Effect<void, E, h.World | Scope.Scope>, api = FakeApi.layer()) =>
  Effect.gen(function*() {
    const folders = yield* h.directories
    const manifests = join(folders.root, "manifests")
    mkdirSync(manifests)
    yield* Effect.gen(function*() {
      yield* h.emptyAtEnd
      yield* h.supervisorFiber(folders)
      yield* body({ folders, manifests })
    }).pipe(Effect.scoped, Effect.provide(h.hostLayer(folders)))
  }).pipe(Effect.provide(api), Effect.scoped, Logger.withMinimumLogLevel(LogLevel.Error))

/** As an operator does it: written beside, then renamed in. The time of the file is that of the writing, so it is given one in the past. */
const put = (folder: string, name: string, text: string): void => {
  const temporary = join(folder, `.${name}.new`)
  writeFileSync(temporary, text)
  renameSync(temporary, join(folder, name))
}

const zones = Effect.flatMap(ZoneRuntime.ZoneRuntime, (runtime) => runtime.list)

const runningZones = (count: number) =>
  h.until(`${count} running zones`, Effect.map(zones, (list) => {
    const running = list.filter(({ state }) => state === "running")
    return running.length === count && list.length === count ? running.map(({ name }) => String(name)).sort() : undefined
  }), 20)

const breakApi = Effect.map(FakeApi.FakeApi, (api) => api.injectFaults(() => ({ type: "fail" })))
const mendApi = Effect.map(FakeApi.FakeApi, (api) => api.injectFaults(() => undefined))

const mirror = Effect.map(FakeApi.FakeApi, (api) => api.get(Kinds.pod, { namespace: "default", name: "web-n1" }))
const untilMirror = (what: string, test: (pod: CoreV1.Pod) => boolean) =>
  h.until(`a mirror that is ${what}`, Effect.map(mirror, (pod) => pod !== undefined && test(pod) ? pod : undefined), 20)

const sleeps = "while :; do sleep 1; done"

describe("static pods", () => {
  it.live("start without any API, and are shown when it comes", () =>
    withNode(({ folders, manifests }) =>
      Effect.gen(function*() {
        yield* breakApi
        put(manifests, "web.yaml", manifest(sleeps))
        yield* h.agent(folders, { manifestDir: manifests })
        const [zone] = yield* runningZones(1)
        yield* mendApi
        const shown = yield* untilMirror("ready", h.isReady)
        assert.strictEqual(shown.metadata.ownerReferences?.[0]?.kind, "Node")
        assert.strictEqual(shown.metadata.annotations?.["kubernetes.io/config.mirror"], shown.metadata.annotations?.["kubernetes.io/config.hash"])
        assert.deepStrictEqual(yield* runningZones(1), [zone])
      })), 60_000)

  it.live("have plans without any API, which are shown with their mirror when it comes, and end with them", () =>
    withNode(({ folders, manifests }) =>
      Effect.gen(function*() {
        const kind = ZoneInstanceKind.zoneInstance
        const instances = Effect.map(FakeApi.FakeApi, (api) => api.list<ZoneInstance.ZoneInstance>(kind, "default"))
        const untilInstance = (what: string, test: (instance: ZoneInstance.ZoneInstance, mirror: CoreV1.Pod) => boolean) =>
          h.until(`an instance that is ${what}`, Effect.map(Effect.all([instances, mirror]), ([[instance], mirror]) =>
            instance !== undefined && mirror !== undefined && test(instance, mirror) ? instance : undefined), 20)
        const ledger = join(folders.dataDir, "ledger/pods")
        yield* breakApi
        put(manifests, "web.yaml", manifest(sleeps))
        yield* h.agent(folders, { manifestDir: manifests })
        const [zone] = yield* runningZones(1)
        // Halted by somebody as soon as it runs, in the middle of its first plan: brought up again by a plan that nobody but the ledger knows of.
        const runtime = yield* ZoneRuntime.ZoneRuntime
        yield* runtime.halt(ZoneName.make(zone ?? ""))
        yield* runningZones(1)
        yield* mendApi
        const isOwnedBy = ({ metadata }: ZoneInstance.ZoneInstance, mirror: CoreV1.Pod) => metadata.ownerReferences?.[0]?.uid === mirror.metadata.uid
        const shown = yield* untilInstance("owned by the mirror", (instance, mirror) =>
          isOwnedBy(instance, mirror) && instance.status?.phase === "Running" && instance.status.plan === undefined)
        assert.isTrue(StaticPod.isStaticUid(shown.spec.podUID))
        assert.includeMembers(shown.status?.planHistory?.map(({ outcome, type }) => `${type} ${outcome}`) ?? [], ["init Complete"])
        yield* Effect.flatMap(ApiClient.ApiClient, (client) => client.delete(Kinds.pod, { namespace: "default", name: "web-n1" }, { gracePeriodSeconds: 0 }))
        yield* untilInstance("owned by the next mirror", (instance, mirror) => isOwnedBy(instance, mirror) && !isOwnedBy(shown, mirror))
        assert.deepStrictEqual(yield* runningZones(1), [zone])
        rmSync(join(manifests, "web.yaml"))
        yield* runningZones(0)
        yield* h.until("no instance", Effect.map(instances, (list) => list.length === 0 ? true : undefined), 20)
        yield* h.until("no record", Effect.sync(() => readdirSync(ledger).length === 0 ? true : undefined))
      }), FakeApi.layer({ kinds: [...Kinds.all, ZoneInstanceKind.zoneInstance] })), 90_000)

  it.live("wait for room: the more important one begins, the other one when that has gone", () =>
    withNode(({ folders, manifests }) =>
      Effect.gen(function*() {
        const sized = (name: string, priority: number) =>
          manifest(sleeps, "      resources: { requests: { memory: 900Mi } }\n").replace("name: web", `name: ${name}`).replace("spec:", `spec:\n  priority: ${priority}`)
        put(manifests, "less.yaml", sized("less", 1))
        put(manifests, "more.yaml", sized("more", 2))
        const { memoryMiB } = yield* Effect.flatMap(SimulatedHost.SimulatedHost, (host) => host.state)
        yield* h.agent(folders, { manifestDir: manifests, systemReservedMemory: (memoryMiB - 1000) * 1024 ** 2 })
        const [zone = ""] = yield* runningZones(1)
        assert.include(zone, "more")
        const shown = yield* h.untilPod("less-n1", "shown as waiting", (pod) => h.container(pod, "main")?.state?.waiting?.reason === "OutOfmemory")
        assert.strictEqual(shown.status?.phase, "Pending")
        rmSync(join(manifests, "more.yaml"))
        yield* h.untilPod("less-n1", "ready", h.isReady)
      })), 60_000)

  it.live("have others give way when they are critical", () =>
    withNode(({ folders, manifests }) =>
      Effect.gen(function*() {
        const api = yield* FakeApi.FakeApi
        const { memoryMiB } = yield* Effect.flatMap(SimulatedHost.SimulatedHost, (host) => host.state)
        yield* h.agent(folders, { manifestDir: manifests, systemReservedMemory: (memoryMiB - 1000) * 1024 ** 2 })
        const sized = (name: string, memory: string) => h.createPod(h.draft(name, [{ name: "c", command: h.sh(sleeps), resources: { requests: { memory } } }], { terminationGracePeriodSeconds: 1 }))
        yield* sized("big", "500Mi")
        yield* sized("small", "300Mi")
        for (const name of ["big", "small"]) yield* h.untilPod(name, "ready", h.isReady)
        put(manifests, "web.yaml", manifest(sleeps, "      resources: { requests: { memory: 600Mi } }\n").replace("spec:", "spec:\n  priorityClassName: system-node-critical"))
        yield* h.untilPod("web-n1", "ready", h.isReady)
        const big = yield* h.untilPod("big", "over", ({ status }) => status?.phase === "Failed")
        assert.deepStrictEqual([big.status?.reason, big.status?.message], ["Preempting", "Preempted in order to admit critical pod"])
        const disruption = big.status?.conditions?.find(({ type }) => type === "DisruptionTarget")
        assert.deepStrictEqual([disruption?.reason, disruption?.message], ["TerminationByKubelet", "Pod was preempted by Kubelet to accommodate a critical pod."])
        const events = api.list<CoreV1.Event>(Kinds.event, "default").filter(({ reason }) => reason === "Preempting")
        assert.deepStrictEqual(events.map(({ involvedObject, message, type }) => [involvedObject.name, type, message]), [["big", "Warning", "Preempted in order to admit critical pod"]])
        assert.isTrue(h.isReady(yield* h.untilPod("small", "as before", () => true)))
      })), 60_000)

  it.live("outlive the deletion of what shows them, which comes again", () =>
    withNode(({ folders, manifests }) =>
      Effect.gen(function*() {
        put(manifests, "web.yaml", manifest(sleeps))
        yield* h.agent(folders, { manifestDir: manifests })
        const before = yield* untilMirror("ready", h.isReady)
        const [zone] = yield* runningZones(1)
        const id = (yield* zones)[0]?.id
        const client = yield* ApiClient.ApiClient
        yield* client.delete(Kinds.pod, { namespace: "default", name: "web-n1" })
        yield* untilMirror("made again", (pod) => pod.metadata.uid !== before.metadata.uid && h.isReady(pod))
        assert.deepStrictEqual(yield* runningZones(1), [zone])
        assert.strictEqual((yield* zones)[0]?.id, id)
      })), 60_000)

  it.live("become another pod when the manifest changes, the old one first, and end with it", () =>
    withNode(({ folders, manifests }) =>
      Effect.gen(function*() {
        put(manifests, "web.yaml", manifest(sleeps))
        yield* h.agent(folders, { manifestDir: manifests })
        const [first] = yield* runningZones(1)
        put(manifests, "web.yaml", manifest(`echo changed; ${sleeps}`))
        const [second] = yield* h.until("another zone", Effect.map(zones, (list) => {
          // Never two at once.
          assert.isAtMost(list.filter(({ state }) => state === "running").length, 1)
          return list.length === 1 && list[0]?.state === "running" && list[0].name !== first ? [list[0].name] : undefined
        }), 20)
        assert.notStrictEqual(second, first)
        rmSync(join(manifests, "web.yaml"))
        yield* runningZones(0)
        yield* h.until("no mirror", Effect.map(mirror, (pod) => pod === undefined ? true : undefined), 20)
        yield* h.until("a clean host", Effect.map(h.leftovers(folders), (left) => Object.values(left).every((list) => list.length === 0) ? true : undefined), 20)
      })), 60_000)

  it.live("go on when their manifest breaks, also over a restart of the agent, and change when it changed while none was there", () =>
    withNode(({ folders, manifests }) =>
      Effect.gen(function*() {
        put(manifests, "web.yaml", manifest(sleeps))
        const first = yield* h.agent(folders, { manifestDir: manifests })
        yield* untilMirror("ready", h.isReady)
        const before = yield* runningZones(1)
        yield* first.stop
        put(manifests, "web.yaml", "kind: Pod\nmetadata: [")
        const second = yield* h.agent(folders, { manifestDir: manifests })
        const told = Effect.map(FakeApi.FakeApi, (api) => api.list<CoreV1.Event>(Kinds.event, "default").find(({ reason }) => reason === "InvalidStaticManifest"))
        yield* h.until("an event about the manifest", told)
        assert.deepStrictEqual(yield* runningZones(1), before)
        yield* second.stop
        put(manifests, "web.yaml", manifest(`echo new; ${sleeps}`))
        yield* h.agent(folders, { manifestDir: manifests })
        yield* h.until("the new one alone", Effect.map(zones, (list) => list.length === 1 && list[0]?.state === "running" && list[0].name !== before[0] ? true : undefined), 25)
      })), 90_000)

  it.live("do not fight with a user's pod of their name", () =>
    withNode(({ folders, manifests }) =>
      Effect.gen(function*() {
        const users = yield* h.createPod({ ...h.draft("web-n1", [{ name: "c", command: h.sh(sleeps) }]), metadata: { name: "web-n1", namespace: "default" } })
        put(manifests, "web.yaml", manifest(sleeps))
        yield* h.agent(folders, { manifestDir: manifests })
        const names = yield* runningZones(2)
        const api = yield* FakeApi.FakeApi
        yield* h.until("an event about the conflict", Effect.sync(() => api.list<CoreV1.Event>(Kinds.event, "default").find(({ reason }) => reason === "StaticPodNameConflict")))
        assert.strictEqual((yield* mirror)?.metadata.uid, users.metadata.uid)
        assert.include(names, String(PodSandbox.namesOf(PodSandbox.identityOf(users)).zone))
      })), 60_000)
})
