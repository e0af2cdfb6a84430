/** Sessions that outlive the agent: real agents and session hosts, a simulated host. */
import { assert, describe, it } from "@effect/vitest"
import { type CoreV1, Kinds } from "@reddwarf/api-types"
import { ApiClient, FakeApi } from "@reddwarf/client"
import { SessionHost, SessionHosts, SupervisorClient } from "@reddwarf/node-agent"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as FiberSet from "effect/FiberSet"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import type * as Scope from "effect/Scope"
import { chmodSync, existsSync, lstatSync, mkdirSync, readdirSync } from "node:fs"
import { createServer, type Server } from "node:net"
import { join } from "node:path"
import * as certificates from "test-certificates"
import * as h from "./support/harness.js"
import * as spdyClient from "./support/spdyClient.js"
import * as streamClient from "./support/streamClient.js"

/** As a fiber of the test, which no agent ends. */
const program = ({ dataDir }: h.Directories, identity: string) =>
  Effect.gen(function*() {
    const run = yield* FiberSet.makeRuntime<h.World | SupervisorClient.SupervisorClient>().pipe(Effect.provide(SupervisorClient.layer({ dataDir })))
    return { start: (socket: string) => Effect.sync(() => Effect.asVoid(Fiber.await(run(SessionHost.run({ dataDir, socket, identity }))))), identity } satisfies SessionHosts.Program
  })

const webSocket = ["v5.channel.k8s.io"]
const cat = "/exec/default/p/c?input=1&output=1&error=1&command=sh&command=-c&command=cat;%20exit%203"

const withFolders = <E>(body: (folders: h.Directories, issued: Effect.Effect.Success<ReturnType<typeof certificates.make>>) => Effect.Effect<void, E, h.World | Scope.Scope>) =>
  Effect.gen(function*() {
    const folders = yield* h.directories
    yield* Effect.gen(function*() {
      const issued = yield* certificates.make("kube-apiserver-kubelet-client")
      yield* h.emptyAtEnd
      yield* Effect.addFinalizer(() => SessionHosts.endAll(folders.dataDir))
      yield* h.supervisorFiber(folders)
      yield* body(folders, issued)
    }).pipe(Effect.scoped, Effect.provide(h.hostLayer(folders, "127.87.0.0/24")))
  }).pipe(Effect.provide(FakeApi.layer()), Effect.scoped, Logger.withMinimumLogLevel(LogLevel.Error))

/** Starts one agent after the other, with the address of its kubelet API. */
const starter = (folders: h.Directories, issued: Effect.Effect.Success<ReturnType<typeof certificates.make>>) => (identity = "one", changes: { readonly maxSessions?: number } = {}) =>
  Effect.gen(function*() {
    const sessionHost = yield* program(folders, identity)
    const agent = yield* h.agent(folders, { tls: { ...issued.server, ca: issued.ca }, kubeletPort: 0, sessionHost, ...changes })
    return { agent, server: { port: agent.value.kubeletPort ?? 0, ca: issued.ca, client: issued.client } satisfies streamClient.Server }
  })

const startPod = (container: Partial<CoreV1.Container> = {}) =>
  Effect.gen(function*() {
    yield* h.createPod(h.draft("p", [{ name: "c", command: h.sh("exec sleep 1000"), ...container }], { restartPolicy: "Never", terminationGracePeriodSeconds: 1 }))
    return yield* h.untilPod("p", "running", (pod) => h.container(pod, "c")?.state?.running !== undefined)
  })

const deletePod = Effect.flatMap(ApiClient.ApiClient, (client) => client.delete(Kinds.pod, { namespace: "default", name: "p" }))

const open = (server: streamClient.Server, path: string) =>
  Effect.flatMap(streamClient.handedOver(server, path, webSocket), (place) => streamClient.command(place.server, place.path))

/** An agent, a pod, and a session in it whose command has answered. */
const answering = (...place: Parameters<typeof starter>) =>
  Effect.gen(function*() {
    const { server } = yield* starter(...place)()
    yield* startPod()
    const session = yield* open(server, cat)
    session.send("x")
    yield* session.until("the command", (now) => now.out() === "x")
    return session
  })

const sockets = ({ dataDir }: h.Directories): ReadonlyArray<string> => {
  const folder = join(dataDir, "sessions")
  return existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith(".sock")) : []
}

const listenIn = (pod: CoreV1.Pod) =>
  Effect.acquireRelease(
    Effect.async<Server>((resume) => {
      const listener = createServer({ allowHalfOpen: true }, (socket) => {
        socket.on("data", (chunk: Buffer) => void socket.write(chunk.toString().toUpperCase()))
        socket.on("end", () => socket.end("bye"))
      })
      listener.listen(0, pod.status?.podIP ?? "", () => resume(Effect.succeed(listener)))
    }),
    (listener) => Effect.sync(() => listener.close())
  )

const done = (what: string, test: () => boolean) => h.until(what, Effect.sync(() => test() ? true as const : undefined))

describe("sessions outlive their agent", () => {
  it.live("a command: its streams, and its exit code", () =>
    withFolders((folders, issued) =>
      Effect.gen(function*() {
        const start = starter(folders, issued)
        const first = yield* start()
        yield* startPod()
        assert.deepStrictEqual(sockets(folders), [])
        const session = yield* open(first.server, cat)
        session.send("one ")
        yield* session.until("the input to come back", (now) => now.out() === "one ")
        const [socket = ""] = sockets(folders)
        assert.strictEqual(lstatSync(join(folders.dataDir, "sessions", socket)).mode & 0o777, 0o600)
        assert.strictEqual(lstatSync(join(folders.dataDir, "sessions")).mode & 0o777, 0o700)
        yield* first.agent.stop
        session.send("two ")
        yield* session.until("it without an agent", (now) => now.out() === "one two ")
        const second = yield* start()
        session.send("three")
        yield* session.until("it with the next agent", (now) => now.out() === "one two three")
        const other = yield* open(second.server, cat)
        assert.deepStrictEqual(sockets(folders), [socket])
        for (const one of [session, other]) {
          one.endInput()
          yield* one.closed
          assert.include(one.status()?.message, "exit status 3")
        }
      })), 60_000)

  it.live("an attached client, until the container ends", () =>
    withFolders((folders, issued) =>
      Effect.gen(function*() {
        const start = starter(folders, issued)
        const first = yield* start()
        yield* startPod({ command: h.sh("while read line; do echo \"got $line\"; done; echo over"), stdin: true, stdinOnce: true })
        const session = yield* open(first.server, "/attach/default/p/c?input=1&output=1&error=1")
        session.send("a\n")
        yield* session.until("the answer", (now) => now.out().includes("got a\n"))
        yield* first.agent.stop
        yield* start()
        session.send("b\n")
        yield* session.until("the next answer", (now) => now.out().includes("got b\n"))
        session.endInput()
        yield* session.closed
        assert.include(session.out(), "over\n")
        assert.deepInclude(session.status(), { status: "Success" })
      })), 60_000)

  it.live("forwarded ports: an open connection, a new one, and their end with the pod", () =>
    withFolders((folders, issued) =>
      Effect.gen(function*() {
        const start = starter(folders, issued)
        const first = yield* start()
        const pod = yield* startPod()
        const listener = yield* listenIn(pod)
        const address = listener.address()
        const port = String(typeof address === "object" ? address?.port : 0)
        const place = yield* streamClient.handedOver(first.server, "/portForward/default/p", ["v4.channel.k8s.io"])
        const client = yield* spdyClient.connect(place.server, place.path, ["portforward.k8s.io"])
        const connection = (requestid: string) =>
          Effect.map(Effect.all([
            client.open({ streamtype: "error", port, requestid }, true),
            client.open({ streamtype: "data", port, requestid })
          ]), ([, data]) => data)
        const one = yield* connection("0")
        one.send("one")
        yield* done("the answer", () => one.text() === "ONE")
        yield* first.agent.stop
        one.send(" more")
        yield* done("the answer without an agent", () => one.text() === "ONE MORE")
        const second = yield* start()
        const other = yield* connection("1")
        other.send("other", true)
        yield* done("a new connection", () => other.text() === "OTHERbye")
        yield* deletePod
        yield* done("the end of the session", client.gone)
        assert.isDefined(second)
      })), 60_000)

  it.live("end with their pod", () =>
    withFolders((folders, issued) =>
      Effect.gen(function*() {
        const session = yield* answering(folders, issued)
        yield* deletePod
        yield* session.closed
        assert.include(session.status()?.message, "exit status 137")
      })), 60_000)
})

describe("session hosts", () => {
  it.live("of another program serve what they have, and no more", () =>
    withFolders((folders, issued) =>
      Effect.gen(function*() {
        const start = starter(folders, issued)
        const first = yield* start("one")
        yield* startPod()
        const old = yield* open(first.server, cat)
        const [before = ""] = sockets(folders)
        yield* first.agent.stop
        const second = yield* start("two")
        const young = yield* open(second.server, cat)
        assert.strictEqual(sockets(folders).length, 2)
        old.send("still")
        yield* old.until("the old one", (now) => now.out() === "still")
        old.endInput()
        yield* old.closed
        yield* done("the old host to end", () => !sockets(folders).includes(before))
        young.send("here")
        yield* young.until("the new one", (now) => now.out() === "here")
      })), 60_000)

  it.live("end with all they serve when the host is taken out of service, and leave no socket", () =>
    withFolders((folders, issued) =>
      Effect.gen(function*() {
        const session = yield* answering(folders, issued)
        yield* SessionHosts.endAll(folders.dataDir)
        yield* session.closed
        yield* done("the socket to be gone", () => sockets(folders).length === 0)
      })), 60_000)

  it.live("are limited in their sessions together with the agent", () =>
    withFolders((folders, issued) =>
      Effect.gen(function*() {
        const { server } = yield* starter(folders, issued)("one", { maxSessions: 2 })
        yield* startPod()
        yield* open(server, cat)
        yield* h.until("a session in the agent, beside that of the host", Effect.option(streamClient.command(server, cat)).pipe(Effect.map((one) => one._tag === "Some" ? true as const : undefined)))
        assert.deepInclude(yield* Effect.flip(streamClient.handedOver(server, cat, webSocket)), { status: 429 })
        assert.deepInclude(yield* Effect.flip(streamClient.command(server, cat)), { status: 429 })
      })), 60_000)

  it.live("take a ticket once, from its holder, for what it was issued for", () =>
    withFolders((folders, issued) =>
      Effect.gen(function*() {
        const { server } = yield* starter(folders, issued)()
        yield* startPod()
        const place = yield* streamClient.handedOver(server, cat, webSocket)
        const refused = (path: string, client = place.server.client) => Effect.flip(streamClient.connect({ ...place.server, client }, path, webSocket))
        const stranger = yield* certificates.make("kube-apiserver-kubelet-client")
        const other = "command=sh&command=-c&command=touch%20/tmp/never"
        assert.deepInclude(yield* refused(`/exec/default/p/c?output=1&${other}&${place.path.split("?")[1] ?? ""}`), { status: 404 })
        assert.deepInclude(yield* refused(`${place.path}&${other}`), { status: 404 })
        assert.deepInclude(yield* refused("/session?ticket="), { status: 403 })
        assert.deepInclude(yield* refused("/session"), { status: 404 })
        assert.deepInclude(yield* refused(place.path, { cert: "", key: "" }), { status: 401 })
        assert.deepInclude(yield* refused(place.path, stranger.client), { status: 401 })
        const session = yield* streamClient.command(place.server, place.path)
        assert.deepInclude(yield* refused(place.path), { status: 403 })
        session.endInput()
        yield* session.closed
        assert.include(session.status()?.message, "exit status 3")
      })), 60_000)

  it.live("are not begun for clients that follow nothing", () =>
    withFolders((folders, issued) =>
      Effect.gen(function*() {
        const { server } = yield* starter(folders, issued)()
        yield* startPod()
        const session = yield* streamClient.command(server, cat)
        session.endInput()
        yield* session.closed
        assert.deepStrictEqual(sockets(folders), [])
      })), 60_000)

  it.live("are used only in a folder that nobody else can change", () =>
    withFolders((folders, issued) =>
      Effect.gen(function*() {
        mkdirSync(join(folders.dataDir, "sessions"), { mode: 0o777 })
        chmodSync(join(folders.dataDir, "sessions"), 0o777)
        const { server } = yield* starter(folders, issued)()
        yield* startPod()
        assert.deepInclude(yield* Effect.flip(streamClient.handedOver(server, cat, webSocket)), { status: 101 })
        assert.deepStrictEqual(sockets(folders), [])
      })), 60_000)
})
