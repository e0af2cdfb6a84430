/** For every type of plan what brings it about, and how often it may boot zones and start containers. */
import { type CoreV1, Kinds } from "@reddwarf/api-types"
import { ApiClient, FakeApi } from "@reddwarf/client"
import { SimulatedHost } from "@reddwarf/illumos-sim"
import { type Companion, PodSandbox, SmfCompanions, ZoneInstanceKind } from "@reddwarf/node-agent"
import { type Plan, PlanMetrics } from "@reddwarf/plans"
import { CommandLine, CommandRunner, ZoneName, ZoneRuntime } from "@reddwarf/runtime-illumos"
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import { rmSync } from "node:fs"
import { join } from "node:path"
import * as h from "./harness.js"

const kind = ZoneInstanceKind.zoneInstance
const forever = h.sh("while :; do sleep 1; done")
const ref = ({ metadata: { name = "" } }: CoreV1.Pod) => ({ namespace: "default", name })
const zoneOf = (pod: CoreV1.Pod) => ZoneName.make(PodSandbox.namesOf(PodSandbox.identityOf(pod)).zone)

type Pods = ReadonlyArray<CoreV1.Pod>
type Failure = Effect.Effect.Error<ReturnType<typeof h.createPod>> | Effect.Effect.Error<ReturnType<ZoneRuntime.ZoneRuntime["Type"]["halt"]>> | Effect.Effect.Error<SimulatedHost.SimulatedHost["Type"]["state"]> | h.WaitedInVain

/** Images that a scenario finds in the registry. */
export interface Images {
  readonly first: string
  readonly second: string
  /** One whose process ends at once. */
  readonly bad: string
}

export interface Scenario {
  readonly says: string
  /** Whether it needs images of a registry. */
  readonly needsImages?: boolean
  readonly container: (images: Images) => Partial<CoreV1.Container>
  readonly annotations?: Readonly<Record<string, string>>
  /** What there is before its pods. */
  readonly before?: Effect.Effect<unknown, Failure, h.World>
  /** Whether its pods have services of the host. */
  readonly companions?: boolean
  /** Waits until its pods, which run, are as it needs them. */
  readonly settled?: (pods: Pods) => Effect.Effect<void, Failure, h.World>
  /** What makes it of pods that run; absent for the plan that brings them up. */
  readonly trigger?: (pods: Pods, images: Images) => Effect.Effect<void, Failure, h.World>
  /** To how many pods its places are dealt in the short run; default as many as go at once. Those that wait for something need fewer. */
  readonly dealtTo?: number
  /** How often each zone is booted by it. */
  readonly boots: number
  /** How often each container was started anew when the pod is ready again; absent where it is not, or where that follows from the moment. */
  readonly restarts?: number
  /** Whether the pods are gone at the end. */
  readonly ends?: boolean
  readonly check?: (folders: h.Directories, before: Pods, images: Images) => Effect.Effect<void, Failure, h.World>
}

const patchInstance = (pods: Pods, spec: object) =>
  Effect.flatMap(ApiClient.ApiClient, (client) => Effect.forEach(pods, (pod) => client.patch(kind, ref(pod), { spec }, { type: "merge" }), { discard: true }))

/** What an update keeps of roots while it is at work. */
const noRootSnapshots = Effect.flatMap(CommandRunner.CommandRunner, (runner) =>
  Effect.map(Effect.orDie(runner.run(CommandLine.make("/usr/sbin/zfs", "list", "-H", "-o", "name", "-t", "snapshot", "-r", "rpool/reddwarf/zones"))), ({ stdout }) =>
    assert.deepStrictEqual(stdout.split("\n").filter((name) => name.includes("@change-")), [])))

const untilPaused = (pods: Pods) =>
  h.until("the pods to be paused", Effect.map(FakeApi.FakeApi, (api) =>
    pods.every((pod) => api.get(kind, ref(pod))?.status?.conditions?.some(({ reason, status, type }) => type === "PlanBlocked" && status === "True" && reason === "Paused") === true)
      ? true
      : undefined))

const amounts = (cpu: string) => ({ requests: { cpu, memory: "16Mi" }, limits: { cpu, memory: "16Mi" } })

const setImage = (pods: Pods, image: string, updatePolicy: object) =>
  Effect.flatMap(ApiClient.ApiClient, (client) =>
    Effect.forEach(pods, (pod) =>
      Effect.zipRight(
        client.patch(kind, ref(pod), { spec: { updatePolicy } }, { type: "merge" }),
        client.patch(Kinds.pod, ref(pod), { spec: { containers: [{ name: "c", image }] } }, { type: "merge" })
      ), { discard: true }))

const untilRunsImage = (before: Pods, image: string) =>
  Effect.forEach(before, (pod) =>
    h.untilPod(pod.metadata.name ?? "", `ready with ${image}`, (now) =>
      h.isReady(now) && h.container(now, "c")?.image === image && now.status?.podIP === pod.status?.podIP, 30), { discard: true })

/** Name of a service of the host that belongs to a pod. */
const companionOf = (uid: string): string => `proxy-${uid.slice(0, 8)}`

const fmriOf = (pod: CoreV1.Pod): string => SmfCompanions.fmriOf(companionOf(pod.metadata.uid ?? ""))

const serviceState = (fmri: string) =>
  Effect.flatMap(CommandRunner.CommandRunner, (runner) =>
    Effect.map(Effect.orDie(runner.run(CommandLine.make("/usr/bin/svcs", "-H", "-o", "state", fmri))), ({ stdout }) => stdout.trim()))

/** Services of the host for the pods of the scenario about them. */
export const podCompanions = (uid: string): ReadonlyArray<Companion.Companion> => [{
  name: companionOf(uid),
  scope: "pod",
  ownerUid: uid,
  template: { description: "proxy of a pod", command: ["/usr/bin/sleep", "1000"] },
  restartOnChange: true,
  critical: false
}]

/** What an administrator does to the stored configuration of a zone by hand. */
const zonecfg = (pod: CoreV1.Pod, ...commands: ReadonlyArray<string>) =>
  Effect.flatMap(CommandRunner.CommandRunner, (runner) => Effect.orDie(runner.run(CommandLine.make("/usr/sbin/zonecfg", "-z", zoneOf(pod), [...commands, "commit"].join("; ")))))

const colour = (value: string): CoreV1.ConfigMap => ({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "look", namespace: "default" }, data: { colour: value } })

/** By type of plan. */
export const scenarios: Readonly<Record<Plan.PlanType, Scenario>> = {
  "init": {
    says: "brings pods up: each zone is booted once",
    container: () => ({ command: forever }),
    boots: 1,
    restarts: 0
  },
  "restart": {
    says: "boots zones again that were halted, each of them once",
    container: () => ({ command: forever }),
    trigger: (pods) => Effect.flatMap(ZoneRuntime.ZoneRuntime, (zones) => Effect.forEach(pods, (pod) => zones.halt(zoneOf(pod)), { concurrency: 5, discard: true })),
    boots: 1,
    restarts: 1
  },
  "caps-update": {
    says: "gives running zones other bounds: nothing is booted or started anew",
    container: () => ({ command: forever, resources: amounts("20m") }),
    trigger: (pods) =>
      Effect.flatMap(ApiClient.ApiClient, (client) =>
        Effect.forEach(pods, (pod) =>
          client.patch(Kinds.pod, ref(pod), { spec: { containers: pod.spec?.containers.map((container) => ({ ...container, resources: amounts("10m") })) } }, {
            type: "merge",
            subresource: "resize"
          }), { discard: true })),
    boots: 0,
    restarts: 0,
    check: (_, before) =>
      Effect.forEach(before, ({ metadata: { name = "" } }) =>
        h.untilPod(name, "bounded anew", (pod) => h.container(pod, "c")?.resources?.limits?.["cpu"] === "10m"), { discard: true })
  },
  "image-update": {
    says: "replaces images: each zone is booted once more, each container started once more",
    needsImages: true,
    container: ({ first }) => ({ image: first }),
    trigger: (pods, { second }) => setImage(pods, second, { soakSeconds: 0, keepPrevious: 0 }),
    boots: 1,
    restarts: 1,
    check: (folders, before, { second }) =>
      Effect.zipRight(
        Effect.zipRight(untilRunsImage(before, second), noRootSnapshots),
        Effect.forEach(before, (pod) => h.until("its output", Effect.sync(() => h.logText(folders, pod, "c", 1) === "2\n" ? true : undefined)), { discard: true })
      )
  },
  "rollback": {
    says: "takes images back that do not stay up: each zone is booted for the one and for the other",
    needsImages: true,
    container: ({ first }) => ({ image: first }),
    trigger: (pods, { bad }) => setImage(pods, bad, { soakSeconds: 4, keepPrevious: 0 }),
    dealtTo: 1,
    boots: 2,
    check: (_, before) =>
      Effect.forEach(before, (pod) =>
        h.untilPod(pod.metadata.name ?? "", "ready as before", (now) =>
          h.isReady(now) && h.container(now, "c")?.imageID === h.container(pod, "c")?.imageID && now.status?.podIP === pod.status?.podIP, 30), { discard: true }).pipe(
        Effect.zipRight(noRootSnapshots)
      )
  },
  "stop": {
    says: "stops zones whose power is switched off, which begin again when it is switched on",
    container: () => ({ command: forever }),
    trigger: (pods) => patchInstance(pods, { powerState: "Stopped" }),
    boots: 0,
    check: (_, before) =>
      Effect.gen(function*() {
        const zones = yield* ZoneRuntime.ZoneRuntime
        const states = new Map((yield* zones.list).map(({ name, state }) => [name, state]))
        assert.isTrue(before.every((pod) => states.get(zoneOf(pod)) === "installed"))
        yield* patchInstance(before, { powerState: "Running" })
        yield* Effect.forEach(before, ({ metadata: { name = "" } }) => h.untilPod(name, "ready again", (pod) => h.isReady(pod) && h.container(pod, "c")?.restartCount === 1, 20))
      })
  },
  "gate-reapproval": {
    says: "approves gates that have closed: nothing is booted or started anew",
    container: () => ({ command: forever }),
    annotations: {
      "reddwarf.io/gates": JSON.stringify([{
        name: "open",
        probe: { exec: { container: "c", command: ["sh", "-c", "test -e gate-open"] } },
        approve: { exec: { container: "c", command: ["touch", "gate-open"] } },
        approval: "Always"
      }])
    },
    trigger: (pods) =>
      Effect.gen(function*() {
        const host = yield* SimulatedHost.SimulatedHost
        const { zones } = yield* host.state
        for (const pod of pods) {
          const zonepath = zones.find(({ name }) => name === zoneOf(pod))?.configuration.properties["zonepath"] ?? ""
          rmSync(join(host.realPath(zonepath), "root/gate-open"))
        }
      }),
    boots: 0,
    restarts: 0
  },
  "network-repair": {
    says: "repairs the network of running pods: nothing is booted or started anew",
    container: () => ({ command: forever }),
    trigger: (pods) =>
      Effect.flatMap(ApiClient.ApiClient, (client) =>
        Effect.forEach(pods, (pod) =>
          client.patch(Kinds.pod, ref(pod), { metadata: { annotations: { "kubernetes.io/egress-bandwidth": "20M" } } }, { type: "merge" }), { discard: true })),
    boots: 0,
    restarts: 0
  },
  "teardown": {
    says: "removes pods that are deleted: nothing of them is left anywhere",
    container: () => ({ command: forever }),
    trigger: (pods) =>
      Effect.flatMap(ApiClient.ApiClient, (client) =>
        Effect.forEach(pods, (pod) => client.delete(Kinds.pod, ref(pod), { gracePeriodSeconds: 1 }), { discard: true })),
    boots: 0,
    ends: true
  },
  "config-update": {
    says: "stores the configuration of zones again and gives containers their other environment: nothing is booted, each container started once more",
    container: () => ({
      command: h.sh("echo \"$COLOUR\"; while :; do sleep 1; done"),
      env: [{ name: "COLOUR", valueFrom: { configMapKeyRef: { name: "look", key: "colour" } } }]
    }),
    before: Effect.flatMap(ApiClient.ApiClient, (client) => client.create(Kinds.configMap, colour("red"))),
    trigger: (pods) =>
      Effect.gen(function*() {
        const client = yield* ApiClient.ApiClient
        const seen = Effect.map(Metric.value(Metric.tagged(PlanMetrics.driftDetected, "kind", "config")), ({ count }) => count)
        // One plan for both: nothing begins before both are there to be seen.
        yield* patchInstance(pods, { paused: true })
        yield* untilPaused(pods)
        const before = yield* seen
        yield* client.patch(Kinds.configMap, { namespace: "default", name: "look" }, { data: colour("blue").data ?? {} }, { type: "merge" })
        yield* Effect.forEach(pods, (pod) => zonecfg(pod, "set autoboot=true"), { concurrency: 5, discard: true })
        yield* h.until("the changed configurations to be seen", Effect.map(seen, (now) => now - before >= pods.length ? true : undefined))
        yield* patchInstance(pods, { paused: null, updatePolicy: { config: "Apply" } })
      }),
    boots: 0,
    restarts: 1,
    check: (folders, before) =>
      Effect.gen(function*() {
        const zones = yield* ZoneRuntime.ZoneRuntime
        for (const pod of before) {
          assert.isFalse((yield* zones.configuration(zoneOf(pod))).config.autoboot, pod.metadata.name ?? "")
          yield* h.until("its output", Effect.sync(() => h.logText(folders, pod, "c", 1) === "blue\n" ? true : undefined))
        }
      })
  },
  "companion-repair": {
    says: "mends services of the host that belong to pods: nothing is booted or started anew",
    container: () => ({ command: forever }),
    companions: true,
    // The first such plan of a pod makes its service.
    settled: (pods) =>
      Effect.forEach(pods, (pod) =>
        h.until(`${fmriOf(pod)} to be online`, Effect.map(
          Effect.zip(serviceState(fmriOf(pod)), Effect.map(FakeApi.FakeApi, (api) => api.get(kind, ref(pod))?.status)),
          ([state, status]) => state === "online" && status?.plan === undefined && status?.lastPlan?.type === "companion-repair" ? true : undefined
        )), { discard: true }),
    trigger: (pods) =>
      Effect.gen(function*() {
        const runner = yield* CommandRunner.CommandRunner
        for (const pod of pods) {
          yield* Effect.orDie(runner.run(CommandLine.make("/usr/sbin/svcadm", "disable", fmriOf(pod))))
        }
      }),
    boots: 0,
    restarts: 0
  }
}

/** Waits until nothing of the pods is in the API. */
export const untilGone: Effect.Effect<void, h.WaitedInVain, FakeApi.FakeApi> = h.until(
  "everything to be gone",
  Effect.map(FakeApi.FakeApi, (api) => api.list(Kinds.pod, "default").length + api.list(kind, "default").length === 0 ? true : undefined),
  30
)
