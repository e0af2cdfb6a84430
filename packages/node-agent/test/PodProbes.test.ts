import { assert, describe, it } from "@effect/vitest"
import { type CoreV1, Kinds } from "@reddwarf/api-types"
import { ApiClient, FakeApi } from "@reddwarf/client"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import type * as Scope from "effect/Scope"
import { existsSync, readFileSync } from "node:fs"
import { createServer } from "node:http"
import { join } from "node:path"
import { SupervisorPaths } from "@reddwarf/node-agent"
import * as h from "./support/harness.js"

const withNode = <E>(body: (folders: h.Directories) => Effect.Effect<void, E, h.World | Scope.Scope>) =>
  Effect.gen(function*() {
    const folders = yield* h.directories
    yield* Effect.zipRight(h.emptyAtEnd, body(folders)).pipe(Effect.scoped, Effect.provide(h.hostLayer(folders)))
  }).pipe(Effect.provide(FakeApi.layer()), Effect.scoped, Logger.withMinimumLogLevel(LogLevel.Error))

const eventsOf = (reason: string) =>
  Effect.map(FakeApi.FakeApi, (api) =>
    api.list<CoreV1.Event>(Kinds.event, "default").filter((event) => event.reason === reason).map(({ message }) => message ?? ""))

const untilEvent = (reason: string, message: RegExp) =>
  h.until(`event ${reason} ${message.source}`, Effect.map(eventsOf(reason), (all) => all.some((one) => message.test(one)) ? true : undefined))

/** An HTTP server on loopback that the probes of a pod are sent to; it answers with `status`. */
const backend = Effect.gen(function*() {
  const answer = { status: 200, asked: 0 }
  const server = createServer((_, response) => {
    answer.asked += 1
    response.statusCode = answer.status
    response.end()
  })
  yield* Effect.acquireRelease(
    Effect.async<void>((resume) => void server.listen(0, "127.0.0.1", () => resume(Effect.void))),
    () => Effect.async<void>((resume) => void server.close(() => resume(Effect.void)))
  )
  const address = server.address()
  return { answer, port: typeof address === "object" && address !== null ? address.port : 0 }
})

const forever = h.sh("trap 'exit 0' TERM; while :; do sleep 0.05; done")

/** What another agent would read. */
const record = (folders: h.Directories, pod: CoreV1.Pod): string | undefined => {
  const path = join(SupervisorPaths.pod(folders.dataDir, pod.metadata.uid ?? ""), "probes.json")
  return existsSync(path) ? readFileSync(path, "utf8") : undefined
}

const status = (pod: CoreV1.Pod) => h.container(pod, "c")

describe("probes of a pod", () => {
  it.live("decide whether it is ready, within a period each way", () =>
    withNode((folders) =>
      Effect.gen(function*() {
        const { answer, port } = yield* backend
        answer.status = 503
        yield* h.supervisorFiber(folders)
        yield* h.agent(folders)
        const readinessProbe = { httpGet: { host: "127.0.0.1", port, path: "/ready" }, periodSeconds: 1, failureThreshold: 1 }
        yield* h.createPod(h.draft("web", [{ name: "c", command: forever, readinessProbe }]))
        yield* untilEvent("Unhealthy", /^Readiness probe failed: HTTP probe failed with statuscode: 503$/)
        const waiting = yield* h.untilPod("web", "running and not ready", (pod) => pod.status?.phase === "Running" && status(pod)?.started === true)
        assert.isFalse(h.isReady(waiting))
        assert.isFalse(status(waiting)?.ready)
        answer.status = 200
        yield* h.untilPod("web", "ready", h.isReady)
        answer.status = 500
        const unready = yield* h.untilPod("web", "unready", (pod) => !h.isReady(pod))
        assert.strictEqual(unready.status?.conditions?.find(({ type }) => type === "ContainersReady")?.message, "containers with unready status: [c]")
        assert.strictEqual(status(unready)?.restartCount, 0)
      })), 40_000)

  it.live("restart a container that is not alive, with the grace of the probe, and tell why", () =>
    withNode((folders) =>
      Effect.gen(function*() {
        yield* h.supervisorFiber(folders)
        yield* h.agent(folders)
        const livenessProbe = { exec: { command: ["sh", "-c", "echo feeling unwell; test ! -e sick"] }, periodSeconds: 1, failureThreshold: 2, terminationGracePeriodSeconds: 1 }
        // It never obeys, so it is the probe's one second that ends it and not the pod's five hundred.
        const script = h.sh("rm -f sick; trap '' TERM; echo up; while :; do sleep 0.05; done")
        yield* h.createPod(h.draft("web", [{ name: "c", command: script, livenessProbe }], { terminationGracePeriodSeconds: 500 }))
        const pod = yield* h.untilPod("web", "ready", h.isReady)
        yield* h.until("the container to have cleaned up", Effect.sync(() => h.logText(folders, pod, "c", 0) === "up\n" ? true : undefined))
        yield* h.touchInZone(pod, "sick")
        const again = yield* h.untilPod("web", "restarted", (pod) => status(pod)?.restartCount === 1 && status(pod)?.state?.running !== undefined)
        assert.strictEqual(status(again)?.lastState?.terminated?.exitCode, 137)
        yield* untilEvent("Unhealthy", /^Liveness probe failed: feeling unwell\n$/)
        yield* untilEvent("Killing", /^Container c failed liveness probe, will be restarted$/)
        assert.strictEqual((yield* eventsOf("Killing")).length, 1)
        // With a force that nothing withstands: the grace of this pod is not for the test to wait for.
        yield* Effect.flatMap(ApiClient.ApiClient, (client) => client.delete(Kinds.pod, { namespace: "default", name: "web" }, { gracePeriodSeconds: 1 }))
        yield* h.until("the pod to go", Effect.map(h.getPod("web"), (pod) => pod === undefined ? true : undefined))
      })), 60_000)

  it.live("wait for the startup probe, which restarts what never starts", () =>
    withNode((folders) =>
      Effect.gen(function*() {
        const { answer, port } = yield* backend
        yield* h.supervisorFiber(folders)
        yield* h.agent(folders)
        const probe = (command: ReadonlyArray<string>) => ({ exec: { command }, periodSeconds: 1, failureThreshold: 2 })
        yield* h.createPod(h.draft("web", [{
          name: "c",
          command: forever,
          startupProbe: probe(["sh", "-c", "test -e started"]),
          readinessProbe: { httpGet: { host: "127.0.0.1", port }, periodSeconds: 1 }
        }]))
        const first = yield* h.untilPod("web", "restarted for never starting", (pod) => status(pod)?.restartCount === 1)
        assert.isFalse(h.isReady(first))
        assert.strictEqual(answer.asked, 0, "readiness is not asked before the container has started")
        yield* untilEvent("Killing", /^Container c failed startup probe, will be restarted$/)
        yield* h.touchInZone(first, "started")
        const ready = yield* h.untilPod("web", "ready", h.isReady)
        assert.isTrue(status(ready)?.started)
        assert.isAbove(answer.asked, 0)
      })), 60_000)

  it.live("let what comes after a sidecar wait until it has started", () =>
    withNode((folders) =>
      Effect.gen(function*() {
        yield* h.supervisorFiber(folders)
        yield* h.agent(folders)
        const startupProbe = { exec: { command: ["sh", "-c", "test -e started"] }, periodSeconds: 1, failureThreshold: 100 }
        yield* h.createPod(h.draft("web", [{ name: "c", command: forever }], {
          initContainers: [{ name: "side", image: "busybox:1", restartPolicy: "Always", command: forever, startupProbe }]
        }))
        yield* untilEvent("Unhealthy", /^Startup probe failed: $/)
        const waiting = yield* h.untilPod("web", "with a sidecar that runs", (pod) => h.container(pod, "side")?.state?.running !== undefined)
        assert.strictEqual(status(waiting)?.state?.waiting?.reason, "PodInitializing")
        assert.isFalse(h.container(waiting, "side")?.started)
        yield* h.touchInZone(waiting, "started")
        yield* h.untilPod("web", "ready", h.isReady)
      })), 60_000)

  it.live("go on where they stood when the agent is killed: one failure more restarts, none restarts by itself, and ready stays ready", () =>
    withNode((folders) =>
      Effect.gen(function*() {
        const { answer, port } = yield* backend
        yield* h.supervisorFiber(folders)
        const first = yield* h.agent(folders)
        const livenessProbe = { exec: { command: ["sh", "-c", "test ! -e sick"] }, periodSeconds: 2, failureThreshold: 3 }
        const readinessProbe = { httpGet: { host: "127.0.0.1", port }, periodSeconds: 1 }
        yield* h.createPod(h.draft("web", [{ name: "c", command: forever, livenessProbe, readinessProbe }]))
        const pod = yield* h.untilPod("web", "ready", h.isReady)
        yield* h.touchInZone(pod, "sick")
        yield* h.until("two failures to be on disk", Effect.sync(() => record(folders, pod)?.includes("\"run\":2,") === true ? true : undefined))
        yield* first.stop
        const before = yield* h.getPod("web")
        assert.strictEqual(before === undefined ? undefined : status(before)?.restartCount, 0)
        const asked = answer.asked
        const transition = before?.status?.conditions?.find(({ type }) => type === "Ready")?.lastTransitionTime
        yield* h.agent(folders)
        yield* h.until("the readiness probe of the new agent", Effect.sync(() => answer.asked > asked ? true : undefined))
        const between = yield* h.getPod("web")
        const ready = between?.status?.conditions?.find(({ type }) => type === "Ready")
        // Either nothing has changed yet, or the third failure has already come: never a flap by the restart of the agent itself.
        if (between !== undefined && status(between)?.restartCount === 0 && status(between)?.state?.running !== undefined && ready?.status === "True") {
          assert.strictEqual(ready.lastTransitionTime, transition)
        }
        const again = yield* h.untilPod("web", "restarted", (pod) => status(pod)?.restartCount === 1)
        assert.strictEqual(status(again)?.lastState?.terminated?.exitCode, 0)
        assert.strictEqual((yield* eventsOf("Killing")).length, 1)
      })), 60_000)

  it.live("end with their container, and with their pod", () =>
    withNode((folders) =>
      Effect.gen(function*() {
        const { answer, port } = yield* backend
        yield* h.supervisorFiber(folders)
        yield* h.agent(folders)
        const probe = { httpGet: { host: "127.0.0.1", port }, periodSeconds: 1 }
        yield* h.createPod(h.draft("web", [{ name: "c", command: forever, livenessProbe: probe, readinessProbe: probe }]))
        yield* h.untilPod("web", "ready", h.isReady)
        yield* Effect.flatMap(ApiClient.ApiClient, (client) => client.delete(Kinds.pod, { namespace: "default", name: "web" }))
        yield* h.until("the pod to go", Effect.map(h.getPod("web"), (pod) => pod === undefined ? true : undefined))
        const { asked } = answer
        const other = yield* backend
        yield* h.createPod(h.draft("next", [{ name: "c", command: forever, readinessProbe: { httpGet: { host: "127.0.0.1", port: other.port }, periodSeconds: 1 } }]))
        yield* h.until("two probes of another pod", Effect.sync(() => other.answer.asked >= 3 ? true : undefined))
        assert.strictEqual(answer.asked, asked)
      })), 60_000)
})
