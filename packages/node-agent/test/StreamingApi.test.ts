import { assert, describe, it } from "@effect/vitest"
import type { CoreV1 } from "@reddwarf/api-types"
import { type ClientError, FakeApi } from "@reddwarf/client"
import type { StateFile } from "@reddwarf/illumos-sim"
import type { StorageError } from "@reddwarf/storage-zfs"
import { HostProcess, ZoneRuntime } from "@reddwarf/runtime-illumos"
import { ContainerExec, type NodeAgent, PodSandbox } from "@reddwarf/node-agent"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import { readFileSync } from "node:fs"
import { createServer, type Server } from "node:net"
import { request } from "node:https"
import * as certificates from "test-certificates"
import * as h from "./support/harness.js"
import * as spdyClient from "./support/spdyClient.js"
import * as streamClient from "./support/streamClient.js"

interface World {
  readonly server: streamClient.Server
  readonly folders: h.Directories
  /** Starts a pod with one container `c`, and waits until it runs. */
  readonly start: (name: string, container: Partial<CoreV1.Container>, spec?: Partial<CoreV1.PodSpec>) => Effect.Effect<CoreV1.Pod, ClientError.ClientError | h.WaitedInVain, h.World>
  readonly exec: (pod: string, argv: ReadonlyArray<string>, flags?: string) => ReturnType<typeof streamClient.command>
  readonly attach: (pod: string, flags?: string) => ReturnType<typeof streamClient.command>
  /** Processes of all zones of this host. */
  readonly processes: Effect.Effect<ReadonlyArray<string>, StateFile.StateUnavailable | StorageError.StorageError, h.World>
}

/** A running agent with its kubelet API, and clients for it. */
const withAgent = <E>(body: (world: World) => Effect.Effect<void, E, h.World | Scope.Scope>, changes: Partial<NodeAgent.Options> = {}) =>
  Effect.gen(function*() {
    const folders = yield* h.directories
    // A simulated host's pods are processes of this machine, so only loopback addresses can be reached.
    yield* Effect.gen(function*() {
      const issued = yield* certificates.make("kube-apiserver-kubelet-client")
      yield* h.emptyAtEnd
      yield* h.supervisorFiber(folders)
      const agent = yield* h.agent(folders, { tls: { ...issued.server, ca: issued.ca }, kubeletPort: 0, ...changes })
      const server = { port: agent.value.kubeletPort ?? 0, ca: issued.ca, client: issued.client }
      yield* body({
        server,
        folders,
        start: (name, container, spec = {}) =>
          Effect.gen(function*() {
            yield* h.createPod(h.draft(name, [{ name: "c", ...container }], { restartPolicy: "Never", ...spec }))
            return yield* h.untilPod(name, "running", (pod) => h.container(pod, "c")?.state?.running !== undefined)
          }),
        exec: (pod, argv, flags = "input=1&output=1&error=1") =>
          streamClient.command(server, `/exec/default/${pod}/c?${flags}&${argv.map((word) => `command=${encodeURIComponent(word)}`).join("&")}`),
        attach: (pod, flags = "input=1&output=1&error=1") => streamClient.command(server, `/attach/default/${pod}/c?${flags}`),
        processes: Effect.map(h.leftovers(folders), (left) => left.processes)
      })
    }).pipe(Effect.scoped, Effect.provide(h.hostLayer(folders, "127.89.0.0/24")))
  }).pipe(Effect.provide(FakeApi.layer()), Effect.scoped, Logger.withMinimumLogLevel(LogLevel.Error))

const sleeper = { command: h.sh("exec sleep 1000") }

/** How many processes the pod of a sleeper has. A container runs as soon as it has a process, which has yet to become the one it is to be. */
const asleep = (processes: World["processes"]) =>
  h.until("the sleeper to sleep", Effect.map(processes, (pids) => pids.some((pid) => commandOf(pid) === "sleep 1000") ? pids.length : undefined))

const commandOf = (pid: string): string => {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0").join(" ").trim()
  } catch {
    return ""
  }
}

const sessionsEnd = (processes: World["processes"], before: number) =>
  h.until("its processes to end", Effect.map(processes, ({ length }) => length === before ? true as const : undefined))

/** Tells of itself only when the terminal is its own: an interrupt that finds the shell on its way to that would be nobody's. */
const foreground = "sh -c 'echo sleeping; exec sleep 500'\n"

describe("exec", () => {
  it.live("gives a command the container's directory and variables, streams, half-close and exit code", () =>
    withAgent(({ exec, start }) =>
      Effect.gen(function*() {
        yield* start("p", { ...sleeper, workingDir: "/srv", env: [{ name: "A", value: "it's $B" }, { name: "odd.name", value: "1" }] })
        const session = yield* exec("p", ["sh", "-c", "basename \"$PWD\"; echo \"$A\"; cat; echo err >&2; exit 3"])
        session.send("one ")
        yield* session.until("the input to come back", (now) => now.out().includes("one "))
        session.send("two")
        session.endInput()
        yield* session.closed
        assert.strictEqual(session.out(), "srv\nit's $B\none two")
        assert.strictEqual(session.err(), "err\n")
        assert.deepInclude(session.status(), { status: "Failure", reason: "NonZeroExitCode", message: "command terminated with non-zero exit code: exit status 3" })
        const variables = yield* exec("p", ["env"], "output=1")
        yield* variables.closed
        assert.include(variables.out(), "odd.name=1\n")
        assert.deepInclude(variables.status(), { status: "Success" })
      })), 30_000)

  it.live("says in the words of a container runtime why a command cannot be started", () =>
    withAgent(({ exec, server, start }) =>
      Effect.gen(function*() {
        yield* start("p", sleeper)
        const missing = yield* exec("p", ["no-such-program"], "output=1&error=1")
        yield* missing.closed
        assert.strictEqual(missing.err().trim(), "OCI runtime exec failed: exec failed: unable to start container process: exec: \"no-such-program\": executable file not found in $PATH: unknown")
        assert.include(missing.status()?.message, "exit status 127")
        const refused = (path: string) => Effect.flip(streamClient.command(server, path))
        assert.deepInclude(yield* refused("/exec/default/nobody/c?output=1&command=true"), { status: 404 })
        const other = yield* refused("/exec/default/p/x?output=1&command=true")
        assert.strictEqual(other._tag === "Refused" ? JSON.parse(other.body).message : "", "container not found (\"x\")")
        assert.deepInclude(yield* refused("/exec/default/p/c?command=true"), { status: 400 })
        assert.deepInclude(yield* refused("/exec/default/p/c?output=1"), { status: 400 })
        assert.deepInclude(yield* refused("/healthz"), { status: 404 })
        assert.deepInclude(yield* Effect.flip(streamClient.command({ ...server, client: { cert: "", key: "" } }, "/exec/default/p/c?output=1&command=true")), { status: 401 })
      })), 30_000)

  it.live("leaves no process behind when its client goes away", () =>
    withAgent(({ exec, processes, start }) =>
      Effect.gen(function*() {
        yield* start("p", sleeper)
        const before = yield* asleep(processes)
        const session = yield* exec("p", ["sh", "-c", "sleep 500 & echo up; sleep 501"])
        yield* session.until("the command", (now) => now.out() === "up\n")
        assert.isAbove((yield* processes).length, before)
        session.leave()
        yield* sessionsEnd(processes, before)
      })), 30_000)

  it.live.skipIf(!HostProcess.hasTerminals())("has a terminal with the size of the client's", () =>
    withAgent(({ exec, processes, start }) =>
      Effect.gen(function*() {
        yield* start("p", { ...sleeper, env: [{ name: "PS1", value: "ready> " }] })
        const before = yield* asleep(processes)
        const session = yield* exec("p", ["sh", "-i"], "input=1&output=1&tty=1")
        session.resize(101, 37)
        const size = h.until("the size", Effect.suspend(() => {
          session.send("stty size; echo $TERM\n")
          return Effect.as(Effect.sleep("100 millis"), session.out().includes("37 101\r\nxterm") ? true as const : undefined)
        }))
        yield* size
        session.send(foreground)
        yield* session.until("the command", (now) => now.out().includes("\nsleeping\r\n"))
        // An interrupt discards what was typed and not read yet.
        session.send("\u0003")
        yield* session.until("the interrupt", (now) => /\^C\r?\n.*ready> $/s.test(now.out()))
        session.send("exit 7\n")
        yield* session.closed
        assert.include(session.status()?.message, "exit status 7")
        yield* sessionsEnd(processes, before)
      })), 30_000)

  it("knows why", () => {
    assert.include(ContainerExec.notStarted("/x", "/", "missing").message, "exec: \"/x\": stat /x: no such file or directory: unknown")
    assert.strictEqual(ContainerExec.notStarted("x", "/", "denied").exitCode, 126)
  })
})

describe("attach", () => {
  it.live("answers everybody who comes while the container ends", () =>
    withAgent(({ attach, start }) =>
      Effect.gen(function*() {
        const answer = (name: string) =>
          attach(name).pipe(
            Effect.flatMap((session) => Effect.map(session.closed, () => `served: ${session.status()?.status ?? "no status"}`)),
            Effect.catchTag("Refused", ({ body, status }) => Effect.succeed(`refused: ${status} ${body.startsWith("{") ? JSON.parse(body).message : body}`))
          )
        for (const name of ["one", "two", "three"]) {
          yield* start(name, { command: h.sh("read -r line; echo \"$line\"; exit 3"), stdin: true })
          const first = yield* attach(name)
          first.send("bye\n")
          // Some find it running, some on its way out, some gone.
          const answers = yield* Effect.forEach(Array.from({ length: 24 }, (_, index) => index), (index) =>
            Effect.delay(answer(name), index * 15), { concurrency: "unbounded" })
          yield* first.closed
          assert.deepStrictEqual([first.out(), first.status()?.status], ["bye\n", "Success"])
          const gone = `refused: 500 container c not found in pod ${name}_default`
          assert.deepStrictEqual(answers.filter((answer) => answer !== "served: Success" && answer !== gone), [])
          yield* h.until("the container to be gone", Effect.map(answer(name), (now) => now === gone ? true as const : undefined))
        }
      })), 60_000)

  it.live("passes input to a container that reads it, and its end", () =>
    withAgent(({ attach, start }) =>
      Effect.gen(function*() {
        yield* start("p", { command: h.sh("while read -r line; do echo \"got $line\"; done; echo over >&2"), stdin: true, stdinOnce: true })
        const session = yield* attach("p")
        session.send("a\nb\n")
        yield* session.until("the first lines", (now) => now.out() === "got a\ngot b\n")
        session.send("c\n")
        session.endInput()
        yield* session.closed
        assert.strictEqual(session.out(), "got a\ngot b\ngot c\n")
        assert.strictEqual(session.err(), "over\n")
        assert.deepInclude(session.status(), { status: "Success" })
        yield* h.untilPod("p", "over", (pod) => pod.status?.phase === "Succeeded")
      })), 30_000)

  it.live("may leave and come again when the input stays open, and shows output from then on", () =>
    withAgent(({ attach, start }) =>
      Effect.gen(function*() {
        yield* start("p", { command: h.sh("echo early; while read -r line; do echo \"got $line\"; done"), stdin: true })
        const first = yield* attach("p")
        first.send("a\n")
        yield* first.until("the answer", (now) => now.out().includes("got a\n"))
        first.leave()
        const second = yield* attach("p")
        second.send("b\n")
        yield* second.until("the answer", (now) => now.out().includes("got b\n"))
        assert.strictEqual(second.out(), "got b\n")
        assert.strictEqual((yield* h.getPod("p"))?.status?.phase, "Running")
      })), 30_000)

  it.live.skipIf(!HostProcess.hasTerminals())("gives a container with tty a terminal: echo, size, interrupts", () =>
    withAgent(({ attach, start }) =>
      Effect.gen(function*() {
        yield* start("p", { command: ["sh", "-i"], stdin: true, stdinOnce: true, tty: true, env: [{ name: "PS1", value: "$ " }] })
        const session = yield* attach("p", "input=1&output=1&tty=1")
        session.resize(90, 33)
        session.send("echo $((6*7)) $TERM\n")
        yield* session.until("the answer", (now) => now.out().includes("42 xterm\r\n"))
        yield* h.until("the size", Effect.suspend(() => {
          session.send("stty size\n")
          return Effect.as(Effect.sleep("100 millis"), session.out().includes("33 90\r\n") ? true as const : undefined)
        }))
        session.send(foreground)
        yield* session.until("the command", (now) => now.out().includes("\nsleeping\r\n"))
        session.send("\u0003")
        yield* session.until("the interrupt", (now) => /\^C\r?\n.*\$ $/s.test(now.out()))
        session.send("echo status $?\n")
        yield* session.until("the interrupt", (now) => now.out().includes("status 130\r\n"))
        session.send("exit 4\n")
        yield* session.closed
        const pod = yield* h.untilPod("p", "over", ({ status }) => status?.phase === "Failed")
        assert.strictEqual(h.container(pod, "c")?.state?.terminated?.exitCode, 4)
      })), 30_000)
})

describe("the plain part", () => {
  it.live("lists what runs, runs commands, and asks for an upgrade where one is needed", () =>
    withAgent(({ server, start }) =>
      Effect.gen(function*() {
        yield* start("p", sleeper)
        const ask = (method: string, path: string) =>
          Effect.async<{ readonly status: number; readonly body: string }>((resume) => {
            const outgoing = request({ host: "127.0.0.1", port: server.port, path, method, ca: server.ca, agent: false, ...server.client }, (response) => {
              let body = ""
              response.setEncoding("utf8")
              response.on("data", (text: string) => void (body += text))
              response.on("end", () => resume(Effect.succeed({ status: response.statusCode ?? 0, body })))
            })
            outgoing.end()
          })
        const running = JSON.parse((yield* ask("GET", "/runningpods")).body)
        assert.deepStrictEqual(running.items.map((pod: CoreV1.Pod) => [pod.metadata.name, pod.spec?.containers[0]?.name]), [["p", "c"]])
        assert.deepStrictEqual(yield* ask("POST", "/run/default/p/c?cmd=echo%20a%20b"), { status: 200, body: "a b\n" })
        assert.deepStrictEqual(yield* ask("POST", "/run/default/p/c?cmd=false"), { status: 500, body: "command 'false' exited with 1: " })
        assert.strictEqual((yield* ask("GET", "/run/default/p/c?cmd=true")).status, 405)
        assert.deepStrictEqual(yield* ask("POST", "/exec/default/p/c?output=1&command=true"), { status: 400, body: "Upgrade request required" })
      })), 30_000)
})

/** A program of a pod: says what it got once the other side has finished. */
const listenIn = (pod: CoreV1.Pod, port: number) =>
  Effect.acquireRelease(
    Effect.async<Server>((resume) => {
      const listener = createServer({ allowHalfOpen: true }, (socket) => {
        let text = ""
        socket.setEncoding("utf8")
        socket.on("data", (chunk: string) => void (text += chunk))
        socket.on("end", () => socket.end(`got ${text}`))
      })
      listener.listen(port, pod.status?.podIP ?? "", () => resume(Effect.succeed(listener)))
    }),
    (listener) => Effect.sync(() => listener.close())
  )

const done = (what: string, test: () => boolean) => h.until(what, Effect.sync(() => test() ? true as const : undefined))

describe("port-forward", () => {
  it.live("carries connections with half-close, and says that nothing listens (SPDY)", () =>
    withAgent(({ server, start }) =>
      Effect.gen(function*() {
        const pod = yield* start("p", sleeper)
        yield* listenIn(pod, 18_080)
        const client = yield* spdyClient.connect(server, "/portForward/default/p", ["portforward.k8s.io"])
        assert.strictEqual(client.protocol, "portforward.k8s.io")
        const connection = (port: number, requestid: string) =>
          Effect.all([
            client.open({ streamtype: "error", port: String(port), requestid }, true),
            client.open({ streamtype: "data", port: String(port), requestid })
          ])
        const [error, data] = yield* connection(18_080, "0")
        data.send("hello ")
        data.send("world", true)
        yield* done("the answer", () => data.ended() && error.ended())
        assert.strictEqual(data.text(), "got hello world")
        assert.strictEqual(error.text(), "")
        const [refused] = yield* connection(18_081, "1")
        yield* done("the refusal", refused.ended)
        assert.match(refused.text(), /^error forwarding port 18081 to pod p, uid [^:]+: failed to connect to [\d.]+:18081: dial tcp [\d.]+:18081: connect: connection refused$/)
      })), 30_000)

  it.live("has two channels for each port (WebSocket)", () =>
    withAgent(({ server, start }) =>
      Effect.gen(function*() {
        yield* listenIn(yield* start("p", sleeper), 18_080)
        const socket = yield* streamClient.connect(server, "/portForward/default/p?ports=18080&ports=18081", ["v4.channel.k8s.io"])
        const text: Array<string> = []
        socket.on("message", (data: Buffer) => {
          const channel = data[0] ?? 0
          text[channel] = `${text[channel] ?? ""}${data.toString("latin1", 1)}`
        })
        yield* done("the refusal", () => (text[3] ?? "").length > 2)
        assert.include(text[3], "connect: connection refused")
        assert.strictEqual(text[0], "\u00a0F")
      })), 30_000)

  it.live("is refused for a pod that is not there and for what is no port", () =>
    withAgent(({ server, start }) =>
      Effect.gen(function*() {
        yield* start("p", sleeper)
        const refused = (path: string) => Effect.flip(streamClient.connect(server, path, ["v4.channel.k8s.io"]))
        assert.deepInclude(yield* refused("/portForward/default/nobody?ports=80"), { status: 404 })
        assert.deepInclude(yield* refused("/portForward/default/p?ports=nonsense"), { status: 400 })
      })), 30_000)
})

describe("exec over SPDY", () => {
  it.live("has a stream for each of stdin, stdout, stderr and the status, and ends with its client", () =>
    withAgent(({ processes, server, start }) =>
      Effect.gen(function*() {
        yield* start("p", sleeper)
        const before = yield* asleep(processes)
        const path = (script: string) => `/exec/default/p/c?input=1&output=1&error=1&command=sh&command=-c&command=${encodeURIComponent(script)}`
        const streams = (client: spdyClient.SpdyClient) =>
          Effect.all({
            error: client.open({ streamtype: "error" }),
            stdin: client.open({ streamtype: "stdin" }),
            stdout: client.open({ streamtype: "stdout" }),
            stderr: client.open({ streamtype: "stderr" })
          })
        const client = yield* spdyClient.connect(server, path("cat; echo err >&2; exit 3"), ["v4.channel.k8s.io", "v3.channel.k8s.io"])
        assert.strictEqual(client.protocol, "v4.channel.k8s.io")
        const { error, stderr, stdin, stdout } = yield* streams(client)
        stdin.send("in", true)
        yield* done("the end", () => error.ended() && stdout.ended() && stderr.ended())
        assert.strictEqual(stdout.text(), "in")
        assert.strictEqual(stderr.text(), "err\n")
        assert.deepInclude(JSON.parse(error.text()), { status: "Failure", reason: "NonZeroExitCode" })

        const leaving = yield* spdyClient.connect(server, path("echo up; sleep 500"), ["v4.channel.k8s.io"])
        const left = yield* streams(leaving)
        yield* done("the command", () => left.stdout.text() === "up\n")
        leaving.leave()
        yield* sessionsEnd(processes, before)
      })), 30_000)
})

describe("sessions", () => {
  it.live("are limited in number, and end with their zone", () =>
    withAgent(({ exec, server, start }) =>
      Effect.gen(function*() {
        const pod = yield* start("p", sleeper)
        const sleeping = () => exec("p", ["sh", "-c", "echo up; sleep 500"])
        const first = yield* sleeping()
        const second = yield* sleeping()
        yield* first.until("the command", (now) => now.out() === "up\n")
        assert.deepInclude(yield* Effect.flip(sleeping()), { status: 429 })
        second.leave()
        const third = yield* h.until("room for another one", Effect.option(sleeping()).pipe(Effect.map(Option.getOrUndefined)))
        yield* third.until("the command", (now) => now.out() === "up\n")
        const zones = yield* ZoneRuntime.ZoneRuntime
        yield* zones.halt(PodSandbox.namesOf(PodSandbox.identityOf(pod)).zone)
        yield* first.closed
        assert.include(first.status()?.message, "exit status 137")
        assert.isAbove(server.port, 0)
      }), { maxSessions: 2 }), 30_000)
})
