import { assert, describe, it } from "@effect/vitest"
import { type CoreV1, Kinds } from "@reddwarf/api-types"
import { ApiClient, FakeApi } from "@reddwarf/client"
import { Faults, HostState, SimulatedHost } from "@reddwarf/illumos-sim"
import * as Effect from "effect/Effect"
import { Ipam } from "@reddwarf/ipam"
import { NodeAgentMetrics, NodeAgentOptions, PodSandbox } from "@reddwarf/node-agent"
import { LinkName, NetworkRuntime, ZoneName, ZoneRuntime } from "@reddwarf/runtime-illumos"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as Metric from "effect/Metric"
import type * as Scope from "effect/Scope"
import * as h from "./support/harness.js"

const withNode = <E>(body: (folders: h.Directories) => Effect.Effect<void, E, h.World | Scope.Scope>) =>
  Effect.gen(function*() {
    const folders = yield* h.directories
    yield* Effect.zipRight(h.emptyAtEnd, body(folders)).pipe(Effect.scoped, Effect.provide(h.hostLayer(folders)))
  }).pipe(Effect.provide(FakeApi.layer()), Effect.scoped, Logger.withMinimumLogLevel(LogLevel.Error))

const forever = h.sh("echo hello; while :; do sleep 1; done")

const remove = (name: string) =>
  Effect.gen(function*() {
    const client = yield* ApiClient.ApiClient
    yield* client.delete(Kinds.pod, { namespace: "default", name })
    yield* h.until(`pod ${name} to go`, Effect.map(h.getPod(name), (pod) => pod === undefined ? true : undefined))
  })

const isClean = (folders: h.Directories) =>
  h.until(
    "a clean host",
    Effect.map(h.leftovers(folders), (left) => Object.values(left).every((list) => list.length === 0) ? true : undefined)
  ).pipe(Effect.catchAll(() => Effect.map(h.leftovers(folders), (left) => assert.deepStrictEqual(left, h.nothing))))

const events = (reason: string) =>
  Effect.map(FakeApi.FakeApi, (api) => api.list<CoreV1.Event>(Kinds.event, "default").filter((event) => event.reason === reason))

/** How often the agents of this process have looked at a pod. */
const passCount = Effect.map(Metric.value(NodeAgentMetrics.podPasses), ({ count }) => count)

const pidOf = (folders: h.Directories, pod: CoreV1.Pod, name: string) =>
  Effect.map(h.podState(folders, pod), (state) => state?.containers.find((container) => container.name === name)?.pid ?? 0)

describe("NodeAgent", () => {
  it.live("makes a pod a zone with a running process, and deletes it within its grace", () =>
    withNode((folders) =>
      Effect.gen(function*() {
        yield* h.supervisorFiber(folders)
        yield* h.agent(folders)
        yield* h.createPod(h.draft("web", [{ name: "c", command: forever, resources: { limits: { cpu: "500m", memory: "64Mi" } } }]))
        const pod = yield* h.untilPod("web", "ready", h.isReady)
        assert.strictEqual(pod.status?.phase, "Running")
        assert.match(pod.status?.podIP ?? "", /^10\.88\.0\./)
        assert.match(h.container(pod, "c")?.containerID ?? "", /^zone:\/\/default-web-\w+\/c\/0$/)
        yield* h.until("the log", Effect.sync(() => h.logText(folders, pod, "c", 0) === "hello\n" ? true : undefined))
        const host = yield* Effect.flatMap(SimulatedHost.SimulatedHost, (sim) => sim.state)
        const [zone] = host.zones
        const kinds = zone?.configuration.resources.map((resource) => resource.kind) ?? []
        assert.includeMembers(kinds, ["net", "fs", "attr", "rctl"])
        yield* remove("web")
        yield* isClean(folders)
        assert.deepStrictEqual((yield* events("Started")).map((event) => event.involvedObject.fieldPath), ["spec.containers{c}"])
        assert.strictEqual((yield* events("Killing")).length, 1)
      })), 40_000)

  it.live("restarts a container that fails, with back-off, and counts", () =>
    withNode((folders) =>
      Effect.gen(function*() {
        yield* h.supervisorFiber(folders)
        yield* h.agent(folders)
        yield* h.createPod(h.draft("crash", [{ name: "c", command: h.sh("echo try; exit 3") }]))
        const waiting = yield* h.untilPod("crash", "in CrashLoopBackOff", (pod) =>
          h.container(pod, "c")?.state?.waiting?.reason === "CrashLoopBackOff")
        const status = h.container(waiting, "c")
        assert.strictEqual(status?.restartCount, 1)
        assert.strictEqual(status?.lastState?.terminated?.exitCode, 3)
        assert.strictEqual(status?.lastState?.terminated?.reason, "Error")
        assert.match(status?.state?.waiting?.message ?? "", /^back-off 1s restarting failed container=c pod=crash_default\(/)
        yield* h.untilPod("crash", "started again", (pod) => (h.container(pod, "c")?.restartCount ?? 0) >= 2)
        assert.strictEqual((yield* events("BackOff"))[0]?.type, "Warning")
        yield* remove("crash")
      })), 40_000)

  it.live("runs init containers in order, completes, and gives the zone back", () =>
    withNode((folders) =>
      Effect.gen(function*() {
        yield* h.supervisorFiber(folders)
        yield* h.agent(folders)
        yield* h.createPod(h.draft("job", [{ name: "main", command: h.sh("cat data/file; echo done $WHO"), env: [{ name: "WHO", value: "it's $(HOSTNAME)" }], volumeMounts: [{ name: "v", mountPath: "/data" }] }], {
          restartPolicy: "Never",
          volumes: [{ name: "v", emptyDir: {} }],
          initContainers: [
            { name: "one", image: "i", command: h.sh("echo 1 >> data/file"), volumeMounts: [{ name: "v", mountPath: "/data" }] },
            { name: "two", image: "i", command: h.sh("echo 2 >> data/file"), volumeMounts: [{ name: "v", mountPath: "/data" }] }
          ]
        }))
        const pod = yield* h.untilPod("job", "over", (pod) => pod.status?.phase === "Succeeded")
        assert.strictEqual(h.container(pod, "main")?.state?.terminated?.reason, "Completed")
        assert.strictEqual(h.logText(folders, pod, "main", 0), "1\n2\ndone it's job\n")
        yield* h.until("the zone to be given back", Effect.map(h.leftovers(folders), (left) =>
          left.zones.length === 0 && left.leases.length === 0 && left.links.length === 0 ? true : undefined))
        assert.strictEqual((yield* h.leftovers(folders)).logs.length, 1)
        yield* Effect.flatMap(ApiClient.ApiClient, (client) => client.delete(Kinds.pod, { namespace: "default", name: "job" }))
        yield* isClean(folders)
      })), 40_000)

  it.live("starts a sidecar before the others, and ends it after them", () =>
    withNode((folders) =>
      Effect.gen(function*() {
        yield* h.supervisorFiber(folders)
        yield* h.agent(folders)
        yield* h.createPod(h.draft("pair", [{ name: "main", command: h.sh("while [ ! -e up ]; do sleep 0.02; done; echo worked") }], {
          restartPolicy: "Never",
          initContainers: [{ name: "side", image: "i", restartPolicy: "Always", command: h.sh(": > up; while :; do sleep 0.1; done") }]
        }))
        const pod = yield* h.untilPod("pair", "over", (pod) => pod.status?.phase === "Succeeded")
        assert.strictEqual(h.container(pod, "side")?.state?.terminated?.exitCode, 143)
        assert.strictEqual(h.container(pod, "side")?.restartCount, 0)
        assert.strictEqual(h.logText(folders, pod, "main", 0), "worked\n")
        yield* Effect.flatMap(ApiClient.ApiClient, (client) => client.delete(Kinds.pod, { namespace: "default", name: "pair" }))
        yield* isClean(folders)
      })), 40_000)

  it.live("says what is missing, and goes on when it comes", () =>
    withNode((folders) =>
      Effect.gen(function*() {
        const client = yield* ApiClient.ApiClient
        yield* h.supervisorFiber(folders)
        yield* h.agent(folders)
        yield* h.createPod(h.draft("needy", [{
          name: "c",
          command: h.sh("echo $GREETING $SECRET; cat etc/conf/a; while :; do sleep 1; done"),
          env: [{ name: "SECRET", valueFrom: { secretKeyRef: { name: "s", key: "k", optional: true } } }],
          envFrom: [{ configMapRef: { name: "cm" } }],
          volumeMounts: [{ name: "conf", mountPath: "/etc/conf" }]
        }], { volumes: [{ name: "conf", configMap: { name: "cm", optional: true } }] }))
        const stuck = yield* h.untilPod("needy", "stuck", (pod) => h.container(pod, "c")?.state?.waiting?.reason === "CreateContainerConfigError")
        assert.strictEqual(h.container(stuck, "c")?.state?.waiting?.message, `configmap "cm" not found`)
        yield* client.create(Kinds.configMap, { metadata: { name: "cm", namespace: "default" }, data: { GREETING: "hi there", a: "file a\n" } })
        const pod = yield* h.untilPod("needy", "ready", h.isReady)
        yield* h.until("the log", Effect.sync(() => h.logText(folders, pod, "c", 0) === "hi there\nfile a\n" ? true : undefined))
        yield* remove("needy")
      })), 40_000)

  it.live("tries again when the host refuses, and shows why", () =>
    withNode((folders) =>
      Effect.gen(function*() {
        const host = yield* SimulatedHost.SimulatedHost
        yield* host.inject(Faults.failNext({ program: "dladm", match: "rd_", times: 3, stderr: "dladm: vnic creation failed: operation not supported" }))
        yield* h.supervisorFiber(folders)
        yield* h.agent(folders)
        yield* h.createPod(h.draft("late", [{ name: "c", command: forever }]))
        yield* h.untilPod("late", "ready", h.isReady)
        const [event] = yield* h.until("the event", Effect.map(events("FailedCreatePodSandBox"), (list) => list.length > 0 ? list : undefined))
        assert.include(event?.message ?? "", "operation not supported")
        yield* remove("late")
        yield* isClean(folders)
      })), 40_000)

  it.live("adopts running pods after a restart: same process, not one status write", () =>
    withNode((folders) =>
      Effect.gen(function*() {
        const api = yield* FakeApi.FakeApi
        yield* h.supervisorFiber(folders)
        const first = yield* h.agent(folders)
        yield* h.createPod(h.draft("keep", [{ name: "c", command: forever }]))
        const before = yield* h.untilPod("keep", "ready", h.isReady)
        const pid = yield* pidOf(folders, before, "c")
        yield* first.stop
        assert.isTrue(h.isProcess(pid))
        const requests = api.requests().length
        const second = yield* h.agent(folders)
        yield* second.value.hostReady
        const passes = yield* passCount
        yield* h.until("several looks at the pod", Effect.map(passCount, (count) => count >= passes + 4 ? true : undefined))
        const after = yield* h.untilPod("keep", "ready", h.isReady)
        assert.deepStrictEqual(after, before)
        assert.strictEqual(yield* pidOf(folders, after, "c"), pid)
        assert.deepStrictEqual(api.requests().slice(requests).filter(({ method, path }) => method !== "GET" && path.includes("/pods/")), [])
        yield* remove("keep")
        yield* isClean(folders)
      })), 40_000)

  it.live("ends the step it is in before it goes, and its successor goes on from there", () =>
    withNode((folders) =>
      Effect.gen(function*() {
        const host = yield* SimulatedHost.SimulatedHost
        const state = Effect.map(host.state, ({ zones: [zone] }) => zone === undefined ? undefined : HostState.zoneState(zone))
        yield* host.inject(Faults.slow({ program: "zoneadm", match: "boot", delayMillis: 1_000 }))
        yield* h.supervisorFiber(folders)
        const first = yield* h.agent(folders)
        yield* h.createPod(h.draft("slow", [{ name: "c", command: forever }]))
        yield* h.until("the zone to be installed", Effect.map(state, (state) => state === "installed" ? true : undefined))
        yield* first.stop
        assert.strictEqual(yield* state, "running")
        yield* h.agent(folders)
        const pod = yield* h.untilPod("slow", "ready", h.isReady)
        assert.strictEqual(h.container(pod, "c")?.restartCount, 0)
        yield* remove("slow")
        yield* isClean(folders)
      })), 40_000)

  it.live("finds on its return what ended, and what was deleted, while it was away", () =>
    withNode((folders) =>
      Effect.gen(function*() {
        const client = yield* ApiClient.ApiClient
        yield* h.supervisorFiber(folders)
        const first = yield* h.agent(folders)
        yield* h.createPod(h.draft("ends", [{ name: "c", command: h.sh("while [ ! -e tmp-go ]; do sleep 0.05; done; exit 7") }], { restartPolicy: "Never" }))
        yield* h.createPod(h.draft("vanishes", [{ name: "c", command: forever }]))
        const pod = yield* h.untilPod("ends", "ready", h.isReady)
        yield* h.untilPod("vanishes", "ready", h.isReady)
        yield* first.stop
        yield* h.touchInZone(pod, "tmp-go")
        yield* client.delete(Kinds.pod, { namespace: "default", name: "vanishes" }, { gracePeriodSeconds: 0 })
        yield* h.until("the end of the container", Effect.map(h.podState(folders, pod), (state) => state?.containers[0]?.phase === "finished" ? true : undefined))
        yield* h.agent(folders)
        const ended = yield* h.untilPod("ends", "failed", (pod) => pod.status?.phase === "Failed")
        assert.strictEqual(h.container(ended, "c")?.state?.terminated?.exitCode, 7)
        yield* client.delete(Kinds.pod, { namespace: "default", name: "ends" })
        yield* isClean(folders)
      })), 40_000)

  it.live("removes what no pod of the API owns any more, and never what belongs to somebody else", () =>
    withNode((folders) =>
      Effect.gen(function*() {
        const zones = yield* ZoneRuntime.ZoneRuntime
        const network = yield* NetworkRuntime.NetworkRuntime
        const ipam = yield* Ipam.Ipam
        const { attributeNames } = NodeAgentOptions
        const gone = { namespace: "default", name: "gone", uid: "gone-uid" }
        const zone = (name: ZoneName.ZoneName, attributes: ReadonlyArray<ZoneRuntime.ZoneAttribute>) =>
          zones.ensureRunning({ zoneName: name, zonepath: `/zones/${name}`, brand: "sparse", attributes, network: [], fileSystems: [] })
        const ours = PodSandbox.namesOf(gone)
        yield* zone(ours.zone, [
          { name: attributeNames.owner, value: "test" },
          { name: attributeNames.uid, value: gone.uid },
          { name: attributeNames.namespace, value: gone.namespace },
          { name: attributeNames.pod, value: gone.name }
        ])
        yield* zone(ZoneName.make("plain"), [])
        yield* zone(ZoneName.make("other"), [{ name: attributeNames.owner, value: "another-cluster" }, { name: attributeNames.uid, value: "u" }])
        yield* network.ensureEtherstub(LinkName.make("rdstub0"))
        yield* network.ensureVnic({ name: LinkName.linkNameOf({ uid: "stray" }), over: LinkName.make("rdstub0") })
        yield* ipam.allocate("stray")
        yield* h.supervisorFiber(folders)
        yield* h.agent(folders)
        yield* h.until(
          "the orphans to go",
          Effect.map(h.leftovers(folders), ({ leases, links, zones }) =>
            leases.length + links.length === 0 && !zones.includes(ours.zone) ? true : undefined)
        )
        const left = yield* zones.list
        assert.deepStrictEqual(left.map(({ name, state }) => [name, state]), [["plain", "running"], ["other", "running"]])
        yield* Effect.forEach(left, ({ name }) => zones.ensureRemoved(name), { discard: true })
      })), 40_000)

  it.live("stops a pod at once whose deletion without grace the API reported, however long orphans are confirmed", () =>
    withNode((folders) =>
      Effect.gen(function*() {
        const client = yield* ApiClient.ApiClient
        yield* h.supervisorFiber(folders)
        yield* h.agent(folders, { orphanConfirmation: "1 hour" })
        yield* h.createPod(h.draft("spin", [{ name: "c", command: h.sh("trap '' TERM; while :; do sleep 1; done") }]))
        yield* h.untilPod("spin", "ready", h.isReady)
        yield* client.delete(Kinds.pod, { namespace: "default", name: "spin" }, { gracePeriodSeconds: 0 })
        yield* isClean(folders)
      })), 40_000)

  it.live("lets ten pods come and go without leaving anything", () =>
    withNode((folders) =>
      Effect.gen(function*() {
        yield* h.supervisorFiber(folders)
        yield* h.agent(folders)
        const names = Array.from({ length: 10 }, (_, index) => `p${index}`)
        yield* Effect.forEach(names, (name) => h.createPod(h.draft(name, [{ name: "c", command: forever }])), { discard: true })
        const pods = yield* Effect.forEach(names, (name) => h.untilPod(name, "ready", h.isReady, 40))
        assert.strictEqual(new Set(pods.map((pod) => pod.status?.podIP)).size, 10)
        yield* Effect.forEach(names, remove, { concurrency: "unbounded", discard: true })
        yield* isClean(folders)
      })), 90_000)
})

describe("NodeRegistration", () => {
  it.live("registers the node, keeps its lease, becomes ready with the host, and comes back when it is deleted", () =>
    withNode((folders) =>
      Effect.gen(function*() {
        const api = yield* FakeApi.FakeApi
        const client = yield* ApiClient.ApiClient
        const host = yield* SimulatedHost.SimulatedHost
        yield* host.inject(Faults.failNext({ program: "dladm", match: "create-etherstub", times: 2, stderr: "dladm: etherstub creation failed: no" }))
        yield* h.supervisorFiber(folders)
        yield* h.agent(folders)
        const ready = () => api.get<CoreV1.Node>(Kinds.node, { name: h.nodeName })?.status?.conditions?.find(({ type }) => type === "Ready")
        const early = yield* h.until("the node", Effect.sync(ready))
        assert.strictEqual(early.reason, "BootRecovery")
        yield* h.until("the node to be ready", Effect.sync(() => ready()?.status === "True" ? true : undefined))
        const node = api.get<CoreV1.Node>(Kinds.node, { name: h.nodeName })
        assert.strictEqual(node?.metadata.labels?.["kubernetes.io/os"], "illumos")
        assert.strictEqual(node?.status?.capacity?.["pods"], "110")
        assert.deepStrictEqual(node?.status?.conditions?.map(({ type }) => type).sort(), ["DiskPressure", "MemoryPressure", "PIDPressure", "Ready"])
        const lease = () => api.get(Kinds.lease, { namespace: "kube-node-lease", name: h.nodeName })
        const writes = () => api.requests().filter(({ method, path }) => method === "PATCH" && path.endsWith(`/nodes/${h.nodeName}/status`)).length
        const written = writes()
        const renewed = lease()?.spec?.renewTime
        yield* h.until("the lease to be renewed", Effect.sync(() => lease()?.spec?.renewTime === renewed ? undefined : true))
        yield* h.until("the lease to belong to the node", Effect.sync(() =>
          lease()?.metadata.ownerReferences?.[0]?.uid === node?.metadata.uid ? true : undefined))
        assert.strictEqual(writes(), written)
        yield* client.delete(Kinds.node, { name: h.nodeName })
        yield* h.until("the node to come back", Effect.sync(() => {
          const again = api.get<CoreV1.Node>(Kinds.node, { name: h.nodeName })
          return again !== undefined && again.metadata.uid !== node?.metadata.uid && ready()?.status === "True" ? true : undefined
        }))
      })), 40_000)
})
