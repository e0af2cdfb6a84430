import { assert, describe, it } from "@effect/vitest"
import { type CoreV1, Kinds } from "@reddwarf/api-types"
import { ApiClient, FakeApi } from "@reddwarf/client"
import { EphemeralContainers, LogTarget, PodEvents, PodSandbox, PodSources, PodStatus, type SupervisorFiles } from "@reddwarf/node-agent"
import { HostProcess } from "@reddwarf/runtime-illumos"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import * as certificates from "test-certificates"
import * as h from "./support/harness.js"
import * as streamClient from "./support/streamClient.js"

const withNode = <E>(body: (folders: h.Directories) => Effect.Effect<void, E, h.World | Scope.Scope>) =>
  Effect.gen(function*() {
    const folders = yield* h.directories
    yield* Effect.zipRight(h.emptyAtEnd, body(folders)).pipe(Effect.scoped, Effect.provide(h.hostLayer(folders)))
  }).pipe(Effect.provide(FakeApi.layer()), Effect.scoped, Logger.withMinimumLogLevel(LogLevel.Error))

const forever = h.sh("while :; do sleep 1; done")

/** What `kubectl debug` does: one container more. */
const debug = (name: string, container: Partial<CoreV1.EphemeralContainer> & { readonly name: string }) =>
  Effect.gen(function*() {
    const client = yield* ApiClient.ApiClient
    const before = (yield* h.getPod(name))?.spec?.ephemeralContainers ?? []
    const ephemeralContainers = [...before, { image: "busybox:1", ...container }]
    return yield* client.patch(Kinds.pod, { namespace: "default", name }, { spec: { ephemeralContainers } }, {
      type: "merge",
      subresource: "ephemeralcontainers"
    })
  })

const status = (pod: CoreV1.Pod, name: string): CoreV1.ContainerStatus | undefined =>
  pod.status?.ephemeralContainerStatuses?.find((each) => each.name === name)

const untilDebug = (pod: string, name: string, what: string, test: (status: CoreV1.ContainerStatus) => boolean) =>
  h.untilPod(pod, `one whose ${name} is ${what}`, (pod) => {
    const found = status(pod, name)
    return found !== undefined && test(found)
  })

const isRunning = ({ state }: CoreV1.ContainerStatus): boolean => state?.running !== undefined
const isTerminated = ({ state }: CoreV1.ContainerStatus): boolean => state?.terminated !== undefined

const remove = (name: string) =>
  Effect.gen(function*() {
    yield* Effect.flatMap(ApiClient.ApiClient, (client) => client.delete(Kinds.pod, { namespace: "default", name }))
    yield* h.until(`pod ${name} to go`, Effect.map(h.getPod(name), (pod) => pod === undefined ? true : undefined))
  })

const isClean = (folders: h.Directories) =>
  Effect.flatMap(
    Effect.ignore(h.until("a clean host", Effect.map(h.leftovers(folders), (left) => Object.values(left).every((list) => list.length === 0) ? true : undefined))),
    () => Effect.map(h.leftovers(folders), (left) => assert.deepStrictEqual(left, h.nothing))
  )

describe("ephemeral containers", () => {
  it.live("start in a pod that runs, one after another, once, and count neither for its phase nor for its readiness", () =>
    withNode((folders) =>
      Effect.gen(function*() {
        yield* h.supervisorFiber(folders)
        yield* h.agent(folders)
        yield* h.createPod(h.draft("p", [{ name: "c", command: forever }]))
        yield* h.untilPod("p", "ready", h.isReady)
        yield* debug("p", { name: "one", command: h.sh("echo one; exit 3"), targetContainerName: "c" })
        const first = yield* untilDebug("p", "one", "over", isTerminated)
        const { containerID, state, ...shown } = status(first, "one") ?? {}
        assert.deepStrictEqual(shown, { name: "one", lastState: {}, ready: false, restartCount: 0, image: "busybox:1", imageID: "", user: { linux: { uid: 0, gid: 0, supplementalGroups: [0] } } })
        assert.match(containerID ?? "", /^zone:\/\/default-p-\w+\/one\/0$/)
        assert.deepInclude(state?.terminated, { exitCode: 3, reason: "Error" })
        assert.deepStrictEqual([first.status?.phase, h.isReady(first)], ["Running", true])
        assert.deepStrictEqual(first.status?.containerStatuses?.map(({ name }) => name), ["c"])
        yield* debug("p", { name: "two", command: h.sh("echo two; while :; do sleep 1; done") })
        const second = yield* untilDebug("p", "two", "running", isRunning)
        assert.isTrue(h.isReady(second))
        // The first was not started again meanwhile.
        assert.strictEqual(status(second, "one")?.containerID, containerID)
        assert.isTrue(isTerminated(status(second, "one") ?? { name: "", image: "", imageID: "", ready: false, restartCount: 0 }))
        yield* h.until("the logs", Effect.sync(() => h.logText(folders, second, "one", 0) + h.logText(folders, second, "two", 0) === "one\ntwo\n" ? true : undefined))
        const started = yield* h.until("the events", Effect.map(FakeApi.FakeApi, (api) => {
          const paths = api.list<CoreV1.Event>(Kinds.event, "default").filter(({ reason }) => reason === "Started").map(({ involvedObject }) => involvedObject.fieldPath)
          return paths.length === 3 ? paths : undefined
        }))
        assert.includeMembers(started, ["spec.ephemeralContainers{one}", "spec.ephemeralContainers{two}"])
        yield* remove("p")
        yield* isClean(folders)
      })), 60_000)

  it.live("go on when agent and supervisor are started again, and end with the last container", () =>
    withNode((folders) =>
      Effect.gen(function*() {
        const supervisor = yield* h.supervisorProcess(folders)
        const agent = yield* h.agent(folders)
        yield* h.createPod(h.draft("p", [{ name: "c", command: h.sh("while [ ! -e go ]; do sleep 0.05; done") }], { restartPolicy: "Never" }))
        yield* h.untilPod("p", "ready", h.isReady)
        yield* debug("p", { name: "d", command: forever })
        const before = yield* untilDebug("p", "d", "running", isRunning)
        const pid = Effect.map(h.podState(folders, before), (state) => state?.containers.find(({ name }) => name === "d")?.pid ?? 0)
        const process = yield* pid
        yield* agent.stop
        yield* h.killProcess(supervisor, "SIGKILL")
        // One that comes while nobody is there is started by who comes next.
        yield* debug("p", { name: "later", command: forever })
        yield* h.supervisorProcess(folders)
        yield* h.agent(folders)
        const after = yield* untilDebug("p", "later", "running", isRunning)
        assert.deepStrictEqual(status(after, "d"), status(before, "d"))
        assert.strictEqual(yield* pid, process)
        assert.isTrue(h.isProcess(process))
        yield* h.touchInZone(after, "go")
        const over = yield* h.untilPod("p", "over", ({ status }) => status?.phase === "Succeeded")
        assert.deepStrictEqual([status(over, "d")?.state?.terminated?.exitCode, status(over, "later")?.state?.terminated?.exitCode], [143, 143])
        yield* remove("p")
        yield* isClean(folders)
      })), 60_000)

  it.live("start while an init container still runs, and say what they lack without harm to the pod", () =>
    withNode((folders) =>
      Effect.gen(function*() {
        const client = yield* ApiClient.ApiClient
        yield* h.supervisorFiber(folders)
        yield* h.agent(folders)
        yield* h.createPod(h.draft("p", [{ name: "c", command: forever }], {
          volumes: [{ name: "v", emptyDir: {} }],
          initContainers: [{ name: "i", image: "i", command: h.sh("while [ ! -e go ]; do sleep 0.05; done") }]
        }))
        yield* h.untilPod("p", "initializing", (pod) => h.container(pod, "i")?.state?.running !== undefined)
        yield* debug("p", { name: "needy", command: h.sh("echo $GREETING; while :; do sleep 1; done"), envFrom: [{ configMapRef: { name: "cm" } }] })
        yield* debug("p", { name: "mounts", command: forever, volumeMounts: [{ name: "v", mountPath: "/v" }] })
        // What an image would run is not known: a shell, which has nothing to read and ends.
        yield* debug("p", { name: "shell" })
        const pod = yield* untilDebug("p", "shell", "over", isTerminated)
        assert.strictEqual(pod.status?.phase, "Pending")
        assert.strictEqual(status(pod, "shell")?.state?.terminated?.exitCode, 0)
        assert.deepStrictEqual(status(pod, "needy")?.state?.waiting, { reason: "CreateContainerConfigError", message: "configmap \"cm\" not found" })
        assert.strictEqual(status(pod, "mounts")?.state?.waiting?.reason, "CreateContainerError")
        yield* client.create(Kinds.configMap, { metadata: { name: "cm", namespace: "default" }, data: { GREETING: "hi there" } })
        const served = yield* untilDebug("p", "needy", "running", isRunning)
        yield* h.until("the log", Effect.sync(() => h.logText(folders, served, "needy", 0) === "hi there\n" ? true : undefined))
        yield* h.touchInZone(pod, "go")
        yield* h.untilPod("p", "ready", h.isReady)
        yield* remove("p")
        yield* isClean(folders)
      })), 60_000)

  it.live("can be attached to, with a terminal, and have commands beside them", () =>
    withNode((folders) =>
      Effect.gen(function*() {
        const issued = yield* certificates.make("kube-apiserver-kubelet-client")
        yield* h.supervisorFiber(folders)
        const agent = yield* h.agent(folders, { tls: { ...issued.server, ca: issued.ca }, kubeletPort: 0 })
        const server = { port: agent.value.kubeletPort ?? 0, ca: issued.ca, client: issued.client }
        yield* h.createPod(h.draft("p", [{ name: "c", command: forever }]))
        yield* h.untilPod("p", "ready", h.isReady)
        yield* debug("p", { name: "d", stdin: true, command: h.sh("read line; echo got $line; exec cat") })
        yield* untilDebug("p", "d", "running", isRunning)
        const attached = yield* streamClient.command(server, "/attach/default/p/d?input=1&output=1&error=1")
        attached.send("hello\n")
        yield* attached.until("the answer", (now) => now.out() === "got hello\n")
        attached.leave()
        const beside = yield* streamClient.command(server, `/exec/default/p/d?output=1&command=echo&command=beside`)
        yield* beside.closed
        assert.strictEqual(beside.out(), "beside\n")
        if (HostProcess.hasTerminals()) {
          yield* debug("p", { name: "t", stdin: true, tty: true, command: h.sh("while [ ! -e go ]; do sleep 0.05; done; tty >/dev/null && stty size; read line") })
          const pod = yield* untilDebug("p", "t", "running", isRunning)
          const terminal = yield* streamClient.command(server, "/attach/default/p/t?input=1&output=1&tty=1")
          terminal.resize(100, 30)
          yield* h.touchInZone(pod, "go")
          yield* terminal.until("its size", (now) => /\d+ \d+/.test(now.out()))
          terminal.send("bye\n")
          yield* untilDebug("p", "t", "over", isTerminated)
        }
        yield* remove("p")
        yield* isClean(folders)
      })), 60_000)
})

const pod: CoreV1.Pod = {
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "p", namespace: "default", uid: "u" },
  spec: {
    restartPolicy: "Never",
    containers: [{ name: "c", image: "i", command: ["true"], volumeMounts: [{ name: "v", mountPath: "/v" }] }],
    volumes: [{ name: "v", emptyDir: {} }],
    ephemeralContainers: [{ name: "d", image: "i" }]
  }
}

const inputs = { pod, facts: { podIP: "10.88.0.2", hostIP: "10.0.0.1", allocatable: { cpuMillis: 0, memoryBytes: 0, ephemeralStorageBytes: 0 } }, sources: PodSources.empty }

const handedOver: SupervisorFiles.PodSpec = {
  schema: 1,
  pod: { namespace: "default", name: "p", uid: "u" },
  zone: PodSandbox.namesOf({ namespace: "default", name: "p", uid: "u" }).zone,
  restartPolicy: "Never",
  containers: [],
  backOff: { initialMillis: 1, maxMillis: 1, resetMillis: 1 },
  logs: { directory: "/logs", maxBytes: 1, maxFiles: 1 },
  desired: { state: "run" }
}

const over = (name: string, exitCode: number): SupervisorFiles.ContainerState => ({
  name,
  phase: "finished",
  attempt: 0,
  backOffMillis: 0,
  exits: [{ schema: 1, id: `z/${name}/0`, attempt: 0, startedAt: 1_000, finishedAt: 2_000, exitCode, reason: exitCode === 0 ? "Completed" : "Error" }]
})

const observed = (containers: ReadonlyArray<SupervisorFiles.ContainerState>, fields: Partial<PodStatus.Observation> = {}): CoreV1.PodStatus =>
  PodStatus.of(pod, { zone: "z", sandboxReady: true, hostIP: "10.0.0.1", state: { schema: 1, uid: "u", containers }, ...fields }, 3_000)

describe("an ephemeral container", () => {
  const process = (container: Partial<CoreV1.EphemeralContainer>) => Either.map(EphemeralContainers.process(inputs, handedOver, { name: "d", image: "i", ...container }), ({ process }) => process)

  it("uses a volume where the pod has it, and nowhere else", () => {
    assert.isTrue(Either.isRight(process({ volumeMounts: [{ name: "v", mountPath: "/v/" }] })))
    const refused = Either.flip(process({ volumeMounts: [{ name: "v", mountPath: "/other" }] }))
    assert.match(Either.isRight(refused) ? refused.right.message : "", /^volume "v" is not mounted at \/other by a container of the pod/)
  })

  it("is a shell when its image alone would say what it runs", () => {
    assert.deepStrictEqual(Either.map(process({}), ({ argv, kind }) => [kind, ...argv]), Either.right(["ephemeral", "/bin/sh"]))
    assert.isTrue(Either.isLeft(process({ args: ["-c", "true"] })))
  })

  it("does not decide how a pod ended, and is waited for", () => {
    const running: SupervisorFiles.ContainerState = { name: "d", phase: "running", attempt: 0, backOffMillis: 0, exits: [], startedAt: 1_000 }
    assert.strictEqual(observed([over("c", 0), running]).phase, "Running")
    assert.strictEqual(observed([over("c", 0), over("d", 7)]).phase, "Succeeded")
    assert.strictEqual(observed([over("c", 1), over("d", 0)]).phase, "Failed")
    assert.isFalse(PodStatus.isOver({ schema: 1, uid: "u", containers: [over("c", 0), running] }))
  })

  it("has a reason of its own to wait, and is found by logs and events", () => {
    const status = observed([over("c", 0)], { problems: new Map([["d", { reason: "CreateContainerError", message: "no" }]]) })
    assert.deepStrictEqual(status.ephemeralContainerStatuses?.[0]?.state, { waiting: { reason: "CreateContainerError", message: "no" } })
    assert.strictEqual(PodEvents.reference(pod, "d").fieldPath, "spec.ephemeralContainers{d}")
    const log = LogTarget.find({ ...pod, status }, "d", Option.none(), false)
    assert.strictEqual(Either.isLeft(log) ? log.left.message : "", "container \"d\" in pod \"p\" is waiting to start: CreateContainerError")
  })

  it("is not shown, as nothing is, where a pod is refused: its containers say why", () => {
    const status = observed([], { state: undefined, rejected: { reason: "HostNamespacesNotSupported", message: "no" } })
    assert.strictEqual(status.phase, "Failed")
    assert.deepStrictEqual(status.containerStatuses?.[0]?.state, { waiting: { reason: "HostNamespacesNotSupported", message: "no" } })
    assert.isUndefined(status.ephemeralContainerStatuses)
  })
})
