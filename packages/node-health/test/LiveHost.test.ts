/** Real sockets and processes of this machine. */
import { assert, describe, it } from "@effect/vitest"
import { CommandRunner } from "@reddwarf/runtime-illumos"
import { NodeContext } from "@effect/platform-node"
import { Effect, Layer } from "effect"
import { spawn } from "node:child_process"
import { createSocket } from "node:dgram"
import { readFileSync } from "node:fs"
import { until } from "vitest-config/waiting"
import { HealthMetrics, HostReader, NodeWatch, Resolver } from "../src/index.js"
import * as FakeApi from "./support/api.js"
import { json, start } from "./support/health.js"

/** A name server that gives every query one response code, and counts them. */
const nameServer = Effect.gen(function*() {
  let code = 0
  let queries = 0
  const socket = yield* Effect.acquireRelease(
    Effect.async<ReturnType<typeof createSocket>>((resume) => {
      const created = createSocket("udp4")
      created.on("message", (query, peer) => {
        queries += 1
        if (code < 0) return
        const reply = Buffer.from(query)
        // A response with the code, and no records.
        reply.writeUInt16BE(0x8180 | code, 2)
        created.send(reply, peer.port, peer.address)
      })
      created.bind(0, "127.0.0.1", () => resume(Effect.succeed(created)))
    }),
    (created) => Effect.sync(() => void created.close())
  )
  return { server: `127.0.0.1:${socket.address().port}`, queries: () => queries, become: (next: number) => void (code = next) }
})

describe("name servers", () => {
  it.scopedLive("any reply about the name counts; SERVFAIL, REFUSED and silence do not; nothing is cached", () =>
    Effect.gen(function*() {
      const dns = yield* nameServer
      const ask = Effect.either(Resolver.ask(dns.server, "kubernetes.default.svc.cluster.local", 1000))
      for (const [code, tag] of [[0, "Right"], [3, "Right"], [2, "Left"], [5, "Left"], [3, "Right"]] as const) {
        dns.become(code)
        const before = dns.queries()
        assert.strictEqual((yield* ask)._tag, tag, `code ${code}`)
        assert.isAbove(dns.queries(), before)
      }
      dns.become(-1)
      const silent = yield* Effect.flip(Resolver.ask(dns.server, "x", 300))
      assert.strictEqual(silent.code, "TIMEOUT")
    }))
})

describe("a kubelet that is stopped", () => {
  it.scopedLive("fails within its time limit, while node_ready still answers", () =>
    Effect.gen(function*() {
      const api = yield* FakeApi.make
      // A process of its own, so that it can be stopped.
      const program = "const s = require('node:http').createServer((q, r) => r.end('ok')); s.listen(0, '127.0.0.1', () => console.log(s.address().port))"
      const child = yield* Effect.acquireRelease(
        Effect.sync(() => spawn(process.execPath, ["-e", program], { stdio: ["ignore", "pipe", "inherit"] })),
        (child) => Effect.sync(() => void child.kill("SIGKILL"))
      )
      const port = yield* Effect.async<string>((resume) => {
        child.stdout.setEncoding("utf8").once("data", (text: string) => resume(Effect.succeed(text.trim())))
      })
      const config = { node_name: "n1", cache_ttl: 0, checks: { kubelet: { url: `http://127.0.0.1:${port}/healthz` }, container_runtime: { kind: "none" } } }
      const live = yield* Layer.build(HostReader.layer({ metrics: HealthMetrics.make() }).pipe(Layer.provide(CommandRunner.layer), Layer.provide(NodeContext.layer)))
      const host = yield* Effect.provide(HostReader.HostReader, live)
      const { get } = yield* start({ config, api: api.url, host: { ...host, platform: "linux" } })
      yield* until("healthy", Effect.map(get("/health?check=kubelet"), ({ status }) => status === 200))
      child.kill("SIGSTOP")
      yield* until("stopped", Effect.sync(() => / T /.test(readFileSync(`/proc/${child.pid ?? 0}/stat`, "utf8"))))
      const reply = yield* get("/health?check=kubelet,node_ready")
      assert.strictEqual(reply.status, 503)
      assert.deepStrictEqual(json(reply).checks.map(({ passed, reason }) => [passed, reason]), [[false, "timeout after 1000 ms"], [true, undefined]])
      child.kill("SIGCONT")
      yield* until("healthy again", Effect.map(get("/health?check=kubelet"), ({ status }) => status === 200))
      child.kill("SIGKILL")
      yield* until("refused", Effect.map(get("/health?check=kubelet"), (reply) => json(reply).checks[0]?.["reason"] === "ECONNREFUSED"))
    }))
})

describe("a watch on the own Node", () => {
  it.scopedLive("hears of changes without asking again", () =>
    Effect.gen(function*() {
      const api = yield* FakeApi.make
      let tell: ((event: unknown) => void) | undefined
      api.become((request, response) => {
        if (!(request.url ?? "").includes("watch=true")) return FakeApi.answering(FakeApi.node("True"))(request, response)
        response.writeHead(200)
        response.flushHeaders()
        tell = (event) => void response.write(`${JSON.stringify(event)}\n`)
        return undefined
      })
      const source = yield* NodeWatch.make({ server: api.url }, "n1")
      const ready = Effect.map(source.read, (answer) => answer._tag === "Found" ? answer.node.status?.conditions?.find(({ type }) => type === "Ready")?.status : answer._tag)
      yield* until("the first read", Effect.map(ready, (status) => status === "True" && tell !== undefined))
      const requests = api.requests()
      tell?.({ type: "BOOKMARK", object: { metadata: { resourceVersion: "8" } } })
      tell?.({ type: "MODIFIED", object: FakeApi.node("False") })
      yield* until("the change", Effect.map(ready, (status) => status === "False"))
      assert.strictEqual(api.requests(), requests)
      tell?.({ type: "DELETED", object: FakeApi.node("False") })
      yield* until("the deletion", Effect.map(ready, (status) => status === "NotFound"))
    }))
})
