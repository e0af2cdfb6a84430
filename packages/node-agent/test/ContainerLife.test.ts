import { assert, describe, it } from "@effect/vitest"
import { type CoreV1, Kinds } from "@reddwarf/api-types"
import { ApiClient, FakeApi } from "@reddwarf/client"
import { ContainerLife } from "@reddwarf/node-agent"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import type * as Scope from "effect/Scope"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import * as restartDecision from "../src/internal/restartDecision.js"
import * as h from "./support/harness.js"

const withNode = <E>(body: (folders: h.Directories) => Effect.Effect<void, E, h.World | Scope.Scope>) =>
  Effect.gen(function*() {
    const folders = yield* h.directories
    yield* Effect.zipRight(h.emptyAtEnd, body(folders)).pipe(Effect.scoped, Effect.provide(h.hostLayer(folders)))
  }).pipe(Effect.provide(FakeApi.layer()), Effect.scoped, Logger.withMinimumLogLevel(LogLevel.Error))

const remove = (name: string, gracePeriodSeconds?: number) =>
  Effect.flatMap(ApiClient.ApiClient, (client) =>
    client.delete(Kinds.pod, { namespace: "default", name }, gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds }))

const events = (reason: string) =>
  Effect.map(FakeApi.FakeApi, (api) => api.list<CoreV1.Event>(Kinds.event, "default").filter((event) => event.reason === reason))

/** What a pod wrote into its volume, read by a last look at the log of another container would be too late: so the log itself is the witness. */
const untilLog = (folders: h.Directories, pod: CoreV1.Pod, name: string, text: string, attempt = 0) =>
  h.until(`"${text}" in the log of ${name}`, Effect.sync(() => h.logText(folders, pod, name, attempt).includes(text) ? true : undefined))

/** Shows every line that somebody adds to a file of the zone, until it is told to end by the signal. */
const witness = (signal: string) =>
  h.sh(`: >> life; trap 'echo ended by ${signal}; exit 0' ${signal}; n=0; while :; do tail -n +$((n+1)) life > new; cat new; n=$((n + $(wc -l < new))); sleep 0.05; done`)

/** The exit code that the agent has shown for a pod. Its records go with the pod, so nobody can be sure to see them in time. */
const shownExit = (name: string) =>
  Effect.map(FakeApi.FakeApi, (api) =>
    api.requests().filter(({ method, path }) => method === "PATCH" && path.includes(`/pods/${name}/status`)).flatMap(({ body }) => {
      const text = typeof body === "string" ? body : Buffer.from(body ?? []).toString()
      const code = /"terminated":\{[^}]*?"exitCode":(\d+)/.exec(text)?.[1]
      return code === undefined ? [] : [Number(code)]
    })[0])

describe("hooks", () => {
  it.live("run after the start and before the stop signal, which is the container's own", () =>
    withNode((folders) =>
      Effect.gen(function*() {
        yield* h.supervisorFiber(folders)
        yield* h.agent(folders)
        yield* h.createPod(h.draft("hooked", [{
          name: "c",
          command: witness("USR1"),
          env: [{ name: "WORD", value: "it's" }],
          lifecycle: {
            stopSignal: "SIGUSR1",
            postStart: { exec: { command: h.sh("echo $WORD after >> life") } },
            preStop: { exec: { command: h.sh("echo before >> life; sleep 0.3") } }
          }
        }], { terminationGracePeriodSeconds: 10 }))
        const pod = yield* h.untilPod("hooked", "ready", h.isReady)
        assert.strictEqual(h.container(pod, "c")?.stopSignal, "SIGUSR1")
        yield* untilLog(folders, pod, "c", "it's after")
        yield* remove("hooked")
        assert.strictEqual(yield* h.until("the end", shownExit("hooked")), 0)
        yield* h.until("pod hooked to go", Effect.map(h.getPod("hooked"), (pod) => pod === undefined ? true : undefined))
        assert.deepStrictEqual(yield* events("FailedPreStopHook"), [])
      })), 40_000)

  it.live("end a container whose postStart fails, say so, and start it again", () =>
    withNode((folders) =>
      Effect.gen(function*() {
        yield* h.supervisorFiber(folders)
        yield* h.agent(folders)
        yield* h.createPod(h.draft("bad", [{
          name: "c",
          command: h.sh("while :; do sleep 0.1; done"),
          lifecycle: { postStart: { exec: { command: h.sh("echo no >&2; exit 4") } } }
        }]))
        const pod = yield* h.untilPod("bad", "restarted", (pod) => (h.container(pod, "c")?.restartCount ?? 0) >= 1)
        assert.isFalse(h.isReady(pod))
        const [failure] = yield* h.until("the event", Effect.map(events("FailedPostStartHook"), (all) => all.length > 0 ? all : undefined))
        assert.match(failure?.message ?? "", /^PostStartHook failed: .*exit code 4: no$/)
        assert.strictEqual(failure?.type, "Warning")
        const state = yield* h.podState(folders, pod)
        assert.strictEqual(state?.containers[0]?.exits.at(-1)?.exitCode, 143)
        yield* remove("bad", 0)
      })), 40_000)

  it.live("run without an agent, within the grace, and are not repeated by the next supervisor", () =>
    withNode((folders) =>
      Effect.gen(function*() {
        const first = yield* h.supervisorFiber(folders)
        const agent = yield* h.agent(folders)
        yield* h.createPod(h.draft("alone", [{
          name: "c",
          command: witness("TERM"),
          lifecycle: { preStop: { exec: { command: h.sh("echo before >> life; while [ ! -e go ]; do sleep 0.05; done") } } }
        }], { terminationGracePeriodSeconds: 30 }))
        const pod = yield* h.untilPod("alone", "ready", h.isReady)
        yield* remove("alone")
        yield* untilLog(folders, pod, "c", "before\n")
        yield* agent.stop
        yield* h.touchInZone(pod, "go")
        yield* h.until("the hook to be over", Effect.map(h.podState(folders, pod), (state) => state?.containers[0]?.hooks?.preStop ?? state?.containers[0]?.exits[0]))
        yield* first.stop
        yield* h.supervisorFiber(folders)
        const exit = yield* h.until("the end", Effect.map(h.podState(folders, pod), (state) => state?.containers[0]?.exits[0]), 30)
        assert.strictEqual(exit.exitCode, 0)
        // What the shell says about its own sleep is no part of it.
        assert.strictEqual(h.logText(folders, pod, "c", 0).replace("Terminated\n", ""), "before\nended by TERM\n")
        yield* h.agent(folders)
        yield* h.until("pod alone to go", Effect.map(h.getPod("alone"), (pod) => pod === undefined ? true : undefined))
      })), 60_000)

  it.live("get no more than the grace, then the signal comes, then the end by force", () =>
    withNode((folders) =>
      Effect.gen(function*() {
        yield* h.supervisorFiber(folders)
        yield* h.agent(folders)
        yield* h.createPod(h.draft("slow", [{
          name: "c",
          command: h.sh("trap 'echo asked' TERM; while :; do sleep 0.1; done"),
          lifecycle: { preStop: { sleep: { seconds: 60 } } }
        }], { terminationGracePeriodSeconds: 90 }))
        yield* h.untilPod("slow", "ready", h.isReady)
        yield* remove("slow", 1)
        assert.strictEqual(yield* h.until("the end", shownExit("slow")), 137)
        yield* h.until("pod slow to go", Effect.map(h.getPod("slow"), (pod) => pod === undefined ? true : undefined))
      })), 40_000)

  it.live("reach a server by HTTP, and complain about one that is not there", () =>
    withNode((folders) =>
      Effect.gen(function*() {
        const seen: Array<string> = []
        const server = yield* Effect.acquireRelease(
          Effect.async<ReturnType<typeof createServer>>((resume) => {
            const made = createServer((request, response) => {
              seen.push(`${request.method} ${request.url} ${request.headers["user-agent"]} ${String(request.headers["x-who"])}`)
              response.writeHead(500).end()
            })
            made.listen(0, "127.0.0.1", () => resume(Effect.succeed(made)))
          }),
          (made) => Effect.sync(() => made.close())
        )
        const { port } = server.address() as AddressInfo
        const handler: CoreV1.LifecycleHandler = {
          httpGet: { host: "127.0.0.1", port: "web", path: "/bye?x=1", httpHeaders: [{ name: "X-Who", value: "me" }] }
        }
        yield* h.supervisorFiber(folders)
        yield* h.agent(folders)
        yield* h.createPod(h.draft("web", [{
          name: "c",
          command: h.sh("while :; do sleep 0.1; done"),
          ports: [{ name: "web", containerPort: port }],
          lifecycle: { postStart: handler, preStop: { httpGet: { host: "127.0.0.1", port: 1 } } }
        }]))
        yield* h.untilPod("web", "ready", h.isReady)
        assert.deepStrictEqual(seen, ["GET /bye?x=1 kube-lifecycle/1.36 me"])
        yield* remove("web")
        const [failure] = yield* h.until("the event", Effect.map(events("FailedPreStopHook"), (all) => all.length > 0 ? all : undefined))
        assert.match(failure?.message ?? "", /^PreStopHook failed: httpGet lifecycle hook to 127\.0\.0\.1:1\/ failed: /)
      })), 40_000)
})

describe("the end of a pod", () => {
  it.live("comes to sidecars after all others, in reverse order", () =>
    withNode((folders) =>
      Effect.gen(function*() {
        const side = (name: string) => ({
          name,
          image: "i",
          restartPolicy: "Always",
          command: h.sh(`trap 'echo ${name} >> order; exit 0' TERM; : > ${name}.up; while :; do sleep 0.05; done`)
        })
        yield* h.supervisorFiber(folders)
        yield* h.agent(folders)
        yield* h.createPod(h.draft("team", [{
          name: "main",
          command: h.sh("trap 'sleep 0.3; echo main >> order; exit 0' TERM; : > main.up; while :; do sleep 0.05; done")
        }], {
          restartPolicy: "Never",
          terminationGracePeriodSeconds: 20,
          initContainers: [
            { ...side("one"), command: h.sh("trap 'echo one >> order; cat order; exit 0' TERM; : > one.up; while :; do sleep 0.05; done") },
            side("two")
          ]
        }))
        const pod = yield* h.untilPod("team", "ready", h.isReady)
        yield* remove("team")
        yield* untilLog(folders, pod, "one", "main\ntwo\none\n")
      })), 40_000)

  it.live("comes when it was active for long enough, also without an agent", () =>
    withNode((folders) =>
      Effect.gen(function*() {
        yield* h.supervisorFiber(folders)
        const agent = yield* h.agent(folders)
        yield* h.createPod(h.draft("brief", [{ name: "c", command: h.sh("trap 'exit 0' TERM; while :; do sleep 0.1; done") }], { activeDeadlineSeconds: 4 }))
        const pod = yield* h.untilPod("brief", "ready", h.isReady)
        yield* agent.stop
        yield* h.until("the end", Effect.map(h.podState(folders, pod), (state) => state?.containers[0]?.phase === "finished" ? true : undefined))
        yield* h.agent(folders)
        const over = yield* h.untilPod("brief", "failed", (pod) => pod.status?.phase === "Failed")
        assert.strictEqual(over.status?.reason, "DeadlineExceeded")
        assert.strictEqual(over.status?.message, "Pod was active on the node longer than the specified deadline")
        assert.strictEqual(h.container(over, "c")?.state?.terminated?.exitCode, 0)
      })), 40_000)
})

describe("restart rules", () => {
  it("are asked before the policy of the container, and that before the policy of the pod", () => {
    const { restartPolicy, restartRules } = ContainerLife.of({
      name: "c",
      image: "i",
      restartPolicy: "Never",
      restartPolicyRules: [{ action: "Restart", exitCodes: { operator: "In", values: [42] } }, { action: "Restart", exitCodes: { operator: "NotIn", values: [0, 1, 2, 3] } }]
    }, { podIP: "10.0.0.1" }, undefined)
    const again = (exitCode: number) => restartDecision.restarts("main", "Always", exitCode, { restartPolicy, restartRules })
    assert.deepStrictEqual([0, 1, 3, 42, 7].map(again), [false, false, false, true, true])
    assert.isTrue(restartDecision.restarts("main", "Never", 1, { restartPolicy: "OnFailure" }))
    assert.isFalse(restartDecision.restarts("ephemeral", "Always", 42, { restartRules }))
  })
})

describe("last words", () => {
  it.live("are those of the container's file, of its own attempt, else of its log after a failure", () =>
    withNode((folders) =>
      Effect.gen(function*() {
        yield* h.supervisorFiber(folders)
        yield* h.agent(folders)
        const fallback = { terminationMessagePolicy: "FallbackToLogsOnError" }
        yield* h.createPod(h.draft("words", [
          { name: "file", command: h.sh("printf 'it was me' > words/a; exit 1"), terminationMessagePath: "/words/a" },
          { name: "standard", command: h.sh("printf done > dev/termination-log") },
          { name: "long", command: h.sh("i=0; while [ $i -lt 500 ]; do printf 0123456789; i=$((i+1)); done > words/l; printf Z >> words/l"), terminationMessagePath: "/words/l" },
          { name: "log", command: h.sh("i=0; while [ $i -lt 100 ]; do echo line $i; i=$((i+1)); done; exit 3"), terminationMessagePath: "/words/none", ...fallback },
          { name: "well", command: h.sh("echo fine"), terminationMessagePath: "/words/none2", ...fallback }
        ], { restartPolicy: "Never" }))
        const pod = yield* h.untilPod("words", "over", (pod) => pod.status?.phase === "Failed")
        const message = (name: string) => h.container(pod, name)?.state?.terminated?.message
        assert.strictEqual(message("file"), "it was me")
        assert.strictEqual(message("standard"), "done")
        assert.strictEqual(message("long")?.length, 4096)
        assert.isTrue(message("long")?.endsWith("789Z"))
        assert.isTrue(message("log")?.startsWith("line 20\n"), message("log"))
        assert.isTrue(message("log")?.endsWith("line 99\n"))
        assert.isUndefined(message("well"))
      })), 40_000)
})

describe("ContainerLife", () => {
  const container = (changes: Partial<CoreV1.Container>): CoreV1.Container => ({ name: "c", image: "i", ...changes })
  const facts = { podIP: "fd00::1" }

  it.each([["SIGTERM", "TERM"], ["9", "KILL"], ["sigquit", "QUIT"], ["SIGRTMIN+3", "RTMIN+3"], ["TERM; rm -rf /", undefined], ["999", undefined]])("signal %s is %s", (text, name) => {
    assert.strictEqual(ContainerLife.signalName(text), name)
  })

  it("resolves ports, hosts and paths, and keeps what is wrong for its turn", () => {
    const ports = [{ name: "web", containerPort: 80 }]
    const http = (action: CoreV1.HTTPGetAction) => ContainerLife.hook(container({ ports }), facts, { httpGet: action })
    assert.deepStrictEqual(http({ port: "web", scheme: "HTTPS", path: "x" }), { type: "httpGet", scheme: "https", host: "fd00::1", port: 80, path: "/x", headers: [] })
    assert.strictEqual(http({ port: "nope" })?.type, "invalid")
    assert.strictEqual(http({ port: 80, httpHeaders: [{ name: "A", value: "x\r\nB: y" }] })?.type, "invalid")
    assert.strictEqual(ContainerLife.hook(container({}), facts, { tcpSocket: { port: 1 } })?.type, "invalid")
    assert.strictEqual(ContainerLife.hook(container({}), facts, { exec: {} })?.type, "invalid")
    assert.isUndefined(ContainerLife.hook(container({}), facts, undefined))
  })
})
