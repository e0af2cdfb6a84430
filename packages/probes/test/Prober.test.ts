import { assert, describe, it } from "@effect/vitest"
import { ExecRunner, HttpProbe, ProbeAction, ProbeOutcome, Prober } from "@reddwarf/probes"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { createServer, type IncomingMessage, type RequestListener } from "node:http"
import * as Http2 from "node:http2"
import * as Https from "node:https"
import { createServer as createTcpServer, type Server, type Socket } from "node:net"
import * as certificates from "test-certificates"

const { failure, success } = ProbeOutcome
const Action = ProbeAction.ProbeAction

/** Listens on a free port of loopback until the test ends. */
const listening = (server: Server, host = "127.0.0.1"): Effect.Effect<number, never, Scope.Scope> =>
  Effect.gen(function*() {
    const sockets = new Set<Socket>()
    server.on("connection", (socket: Socket) => {
      sockets.add(socket)
      socket.on("error", () => undefined)
      socket.once("close", () => sockets.delete(socket))
    })
    yield* Effect.acquireRelease(
      Effect.async<void>((resume) => void server.listen(0, host, () => resume(Effect.void))),
      () =>
        Effect.async<void>((resume) => {
          server.close(() => resume(Effect.void))
          for (const socket of sockets) socket.destroy()
        })
    )
    const address = server.address()
    return typeof address === "object" && address !== null ? address.port : 0
  })

const web = (listener: RequestListener, host?: string) => Effect.suspend(() => listening(createServer(listener), host))

/** A port that nobody listens on. */
const closedPort = Effect.scoped(listening(createTcpServer()))

const execs = (run: ExecRunner.ExecRunner["Type"]["run"]) => Prober.layer.pipe(Layer.provide(Layer.succeed(ExecRunner.ExecRunner, { run })))
const noExec = execs(() => Effect.dieMessage("no commands here"))

const probe = (action: ProbeAction.ProbeAction, timeoutMillis = 10_000) => Prober.once("pod/web", { action, timeoutMillis }).pipe(Effect.provide(noExec))

const get = (port: number, changes: Partial<Parameters<typeof Action.HttpGet>[0]> = {}) =>
  Action.HttpGet({ scheme: "http", host: "127.0.0.1", port, path: "/", headers: [], ...changes })

describe("HttpProbe", () => {
  it.scopedLive("asks as a kubelet does, and takes 200 to 399 for success", () =>
    Effect.gen(function*() {
      const requests: Array<IncomingMessage> = []
      const port = yield* web((request, response) => {
        requests.push(request)
        response.end("fine")
      })
      assert.deepStrictEqual(yield* probe(get(port, { path: "ok?x=1&y=a b#part" })), success)
      const [seen] = requests
      assert.deepStrictEqual([seen?.method, seen?.url], ["GET", "/ok?x=1&y=a%20b"])
      const { host, "user-agent": agent, accept, connection, ...rest } = seen?.headers ?? {}
      assert.deepStrictEqual({ host, agent, accept, connection }, { host: `127.0.0.1:${port}`, agent: HttpProbe.userAgent, accept: "*/*", connection: "close" })
      assert.deepStrictEqual(rest, {})
    }))

  it.scopedLive("sends the headers it is given, Host among them, and leaves out what is emptied", () =>
    Effect.gen(function*() {
      let raw: ReadonlyArray<string> = []
      const port = yield* web((request, response) => {
        raw = request.rawHeaders
        response.end()
      })
      yield* probe(get(port, { headers: [["Host", "shop.example"], ["X-Twice", "a"], ["X-Twice", "b"], ["User-Agent", ""], ["Accept", "text/plain"]] }))
      const pairs = raw.flatMap((name, at) => at % 2 === 0 ? [`${name}: ${raw[at + 1] ?? ""}`] : [])
      assert.sameMembers(pairs, ["Host: shop.example", "X-Twice: a", "X-Twice: b", "Accept: text/plain", "Connection: close"])
    }))

  it.scopedLive("fails by the status code", () =>
    Effect.gen(function*() {
      const port = yield* web((request, response) => {
        response.statusCode = Number(request.url?.slice(1))
        response.end("no")
      })
      for (const status of [400, 404, 500, 503]) {
        assert.deepStrictEqual(yield* probe(get(port, { path: `/${status}` })), failure(`HTTP probe failed with statuscode: ${status}`))
      }
      assert.deepStrictEqual(yield* probe(get(port, { path: "/204" })), success)
      assert.deepStrictEqual(yield* probe(get(port, { path: "/304" })), ProbeOutcome.ProbeOutcome.Success({ warning: "Probe terminated redirects, Response body: " }))
    }))

  it.scopedLive("follows redirects within the host, and warns of those that lead out of it", () =>
    Effect.gen(function*() {
      const hosts: Array<string | undefined> = []
      const port = yield* web((request, response) => {
        hosts.push(request.headers.host)
        const to = { "/inside": "/end", "/absolute": `http://127.0.0.1:${port}/end`, "/out": "http://198.51.100.1/end", "/loop": "/loop" }[request.url ?? ""]
        if (to !== undefined) response.writeHead(302, { location: to })
        response.end(request.url === "/out" ? "over there" : "")
      })
      assert.deepStrictEqual(yield* probe(get(port, { path: "/inside", headers: [["Host", "a.example"]] })), success)
      assert.deepStrictEqual(hosts.splice(0), ["a.example", "a.example"])
      assert.deepStrictEqual(yield* probe(get(port, { path: "/absolute", headers: [["Host", "a.example"]] })), success)
      assert.deepStrictEqual(hosts.splice(0), ["a.example", `127.0.0.1:${port}`])
      assert.deepStrictEqual(yield* probe(get(port, { path: "/out" })), ProbeOutcome.ProbeOutcome.Success({ warning: "Probe terminated redirects, Response body: over there" }))
      assert.deepStrictEqual(yield* probe(get(port, { path: "/loop" })), failure(`Get "http://127.0.0.1:${port}/loop": stopped after 10 redirects`))
    }))

  it.scopedLive("does not verify certificates", () =>
    Effect.gen(function*() {
      const { server } = yield* certificates.make("somebody")
      const secure = yield* listening(Https.createServer(server, (_, response) => response.end()))
      assert.deepStrictEqual(yield* probe(get(secure, { scheme: "https" })), success)
      const plain = yield* web((_, response) => response.end())
      assert.deepStrictEqual(
        yield* probe(get(plain, { scheme: "https" })),
        failure(`Get "https://127.0.0.1:${plain}/": http: server gave HTTP response to HTTPS client`)
      )
    }))

  it.scopedLive("reads no more than 10 KiB, and gives the connection up", () =>
    Effect.gen(function*() {
      const closed = yield* Deferred.make<void>()
      const port = yield* web((_, response) => {
        response.once("close", () => Deferred.unsafeDone(closed, Effect.void))
        const more = () => {
          while (response.write("x".repeat(4096)));
          response.once("drain", more)
        }
        more()
      })
      assert.deepStrictEqual(yield* probe(get(port)), success)
      yield* Deferred.await(closed)
    }))

  it.scopedLive("says in Go's words why there is no answer", () =>
    Effect.gen(function*() {
      const port = yield* closedPort
      assert.deepStrictEqual(yield* probe(get(port)), failure(`Get "http://127.0.0.1:${port}/": dial tcp 127.0.0.1:${port}: connect: connection refused`))
      const hangsUp = yield* listening(createTcpServer((socket) => void socket.once("data", () => socket.end())))
      assert.deepStrictEqual(yield* probe(get(hangsUp)), failure(`Get "http://127.0.0.1:${hangsUp}/": EOF`))
      const babbles = yield* listening(createTcpServer((socket) => void socket.once("data", () => socket.end("220 mail ready\r\n"))))
      const outcome = yield* probe(get(babbles))
      assert.match(outcome._tag === "Failure" ? outcome.message : "", /malformed HTTP response/)
      assert.strictEqual((yield* probe(get(port, { headers: [["X-Bad", "a\r\nb"]] })))._tag, "Failure")
    }))

  it.scopedLive("is cut off when its time is up, before and after the headers, and leaves no connection behind", () =>
    Effect.gen(function*() {
      let open = 0
      const silent = createTcpServer((socket) => {
        open += 1
        socket.resume().once("close", () => void (open -= 1))
      })
      const port = yield* listening(silent)
      assert.deepStrictEqual(
        yield* probe(get(port), 100),
        failure(`Get "http://127.0.0.1:${port}/": context deadline exceeded (Client.Timeout exceeded while awaiting headers)`)
      )
      const half = yield* web((_, response) => void response.write("x"))
      assert.deepStrictEqual(
        yield* probe(get(half), 500),
        failure(`Get "http://127.0.0.1:${half}/": context deadline exceeded (Client.Timeout or context cancellation while reading body)`)
      )
      yield* Effect.yieldNow().pipe(Effect.zipRight(Effect.async<void>((resume) => void setImmediate(() => resume(Effect.void)))), Effect.repeat({ until: () => open === 0 }), Effect.timeoutFail({ duration: "10 seconds", onTimeout: () => "a connection is left" }))
    }))

  it.scopedLive("reaches IPv6 addresses", () =>
    Effect.gen(function*() {
      let host: string | undefined
      const port = yield* web((request, response) => {
        host = request.headers.host
        response.end()
      }, "::1")
      assert.deepStrictEqual(yield* probe(get(port, { host: "::1" })), success)
      assert.strictEqual(host, `[::1]:${port}`)
    }))
})

describe("TcpProbe", () => {
  it.scopedLive("succeeds when the port is open", () =>
    Effect.gen(function*() {
      const port = yield* listening(createTcpServer((socket) => void socket.resume()))
      assert.deepStrictEqual(yield* probe(Action.TcpSocket({ host: "127.0.0.1", port })), success)
    }))

  it.scopedLive("fails when it is not, or when its name is not known", () =>
    Effect.gen(function*() {
      const port = yield* closedPort
      assert.deepStrictEqual(yield* probe(Action.TcpSocket({ host: "127.0.0.1", port })), failure(`dial tcp 127.0.0.1:${port}: connect: connection refused`))
      assert.deepStrictEqual(yield* probe(Action.TcpSocket({ host: "::1", port })), failure(`dial tcp [::1]:${port}: connect: connection refused`))
    }))
})

describe("an exec probe", () => {
  const action = Action.Exec({ argv: ["check", "it"] })
  const run = (runner: ExecRunner.ExecRunner["Type"]["run"], timeoutMillis = 10_000) =>
    Prober.once("pod/web", { action, timeoutMillis }).pipe(Effect.provide(execs(runner)))

  it.live("goes by the exit code, and tells the output", () =>
    Effect.gen(function*() {
      const asked: Array<unknown> = []
      const exited = (exitCode: number) => (container: string, argv: ReadonlyArray<string>) =>
        Effect.sync(() => {
          asked.push([container, argv])
          return ExecRunner.ExecOutcome.Exited({ exitCode, output: "not today" })
        })
      assert.deepStrictEqual(yield* run(exited(0)), success)
      assert.deepStrictEqual(yield* run(exited(3)), failure("not today"))
      assert.deepStrictEqual(asked, [["pod/web", ["check", "it"]], ["pod/web", ["check", "it"]]])
    }))

  it.live("tries a command that cannot be run three times, and then knows nothing", () =>
    Effect.gen(function*() {
      let tries = 0
      const outcome = yield* run(() => Effect.sync(() => {
        tries += 1
        return ExecRunner.ExecOutcome.NotRun({ message: "no zone" })
      }))
      assert.deepStrictEqual([outcome, tries], [ProbeOutcome.unknown("no zone"), 3])
    }))

  it.live("kills a command that takes too long", () =>
    Effect.gen(function*() {
      const killed = yield* Deferred.make<void>()
      const outcome = yield* run(() => Effect.onInterrupt(Effect.never, () => Deferred.succeed(killed, undefined)), 50)
      assert.deepStrictEqual(outcome, failure("command timed out: \"check it\" timed out after 50ms"))
      yield* Deferred.await(killed)
    }))
})

/** A health service that answers by the name of the service it is asked about. */
const health = (listener: (service: string, stream: Http2.ServerHttp2Stream, headers: Http2.IncomingHttpHeaders) => void) =>
  Effect.gen(function*() {
    const server = Http2.createServer()
    server.on("stream", (stream, headers) => {
      stream.on("error", () => undefined)
      const chunks: Array<Buffer> = []
      stream.on("data", (chunk: Buffer) => chunks.push(chunk))
      stream.on("end", () => {
        const body = Buffer.concat(chunks)
        listener(body.length > 5 ? body.subarray(7).toString("utf8") : "", stream, headers)
      })
    })
    return yield* listening(server)
  })

const answer = (stream: Http2.ServerHttp2Stream, body: Buffer, trailers: Http2.OutgoingHttpHeaders) => {
  stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true })
  stream.once("wantTrailers", () => stream.sendTrailers(trailers))
  stream.end(body)
}

const statusMessage = (status: number) => Buffer.from(status === 0 ? [0, 0, 0, 0, 0] : [0, 0, 0, 0, 2, 8, status])

describe("GrpcProbe", () => {
  const ask = (port: number, service: string, timeoutMillis = 10_000) => probe(Action.Grpc({ host: "127.0.0.1", port, service }), timeoutMillis)

  it.scopedLive("asks the health service of a server", () =>
    Effect.gen(function*() {
      const seen: Array<unknown> = []
      const long = "a".repeat(200)
      const port = yield* health((service, stream, headers) => {
        seen.push([headers[":path"], headers["content-type"], headers["te"], headers["user-agent"]])
        switch (service) {
          case "":
            return answer(stream, statusMessage(1), { "grpc-status": "0" })
          case "down":
            return answer(stream, statusMessage(2), { "grpc-status": "0" })
          case "unset":
            return answer(stream, statusMessage(0), { "grpc-status": "0" })
          default:
            // Trailers only: status and message come with the headers.
            return stream.respond({ ":status": 200, "content-type": "application/grpc", "grpc-status": "5", "grpc-message": "unknown%20service" }, { endStream: true })
        }
      })
      assert.deepStrictEqual(yield* ask(port, ""), success)
      assert.deepStrictEqual(yield* ask(port, "down"), failure("service unhealthy (responded with \"NOT_SERVING\")"))
      assert.deepStrictEqual(yield* ask(port, "unset"), failure("service unhealthy (responded with \"UNKNOWN\")"))
      assert.deepStrictEqual(yield* ask(port, long), failure("error: health rpc probe failed: rpc error: code = NotFound desc = unknown service"))
      assert.deepStrictEqual(seen[0], ["/grpc.health.v1.Health/Check", "application/grpc", "trailers", "kube-probe/1.36"])
    }))

  it.scopedLive("says when a server has no health service", () =>
    Effect.gen(function*() {
      const port = yield* health((_, stream) => answer(stream, Buffer.alloc(0), { "grpc-status": "12", "grpc-message": "unknown service grpc.health.v1.Health" }))
      assert.deepStrictEqual(
        yield* ask(port, ""),
        failure("error: this server does not implement the grpc health protocol (grpc.health.v1.Health): unknown service grpc.health.v1.Health")
      )
    }))

  it.scopedLive("fails on ports that are closed, silent, or speak something else", () =>
    Effect.gen(function*() {
      const closed = yield* closedPort
      assert.deepStrictEqual(
        yield* ask(closed, ""),
        failure(`error: failed to connect service at "127.0.0.1:${closed}": dial tcp 127.0.0.1:${closed}: connect: connection refused`)
      )
      const silent = yield* listening(createTcpServer((socket) => void socket.resume()))
      assert.deepStrictEqual(
        yield* ask(silent, "", 100),
        failure(`timeout: failed to connect service "127.0.0.1:${silent}" within 100ms: context deadline exceeded`)
      )
      const slow = yield* health(() => undefined)
      assert.deepStrictEqual(yield* ask(slow, "", 500), failure("timeout: health rpc did not complete within 500ms"))
      const http1 = yield* web((_, response) => response.end())
      assert.strictEqual((yield* ask(http1, ""))._tag, "Failure")
      const garbage = yield* health((_, stream) => answer(stream, Buffer.from("garbage"), { "grpc-status": "0" }))
      assert.deepStrictEqual(yield* ask(garbage, ""), failure("error: health rpc probe failed: rpc error: code = Internal desc = the answer is no health message"))
    }))
})

describe("what cannot be done", () => {
  it.live("says nothing about the container", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* probe(Action.Impossible({ reason: "no such port" })), ProbeOutcome.unknown("no such port"))
    }))
})
