/** An agent may hand a session over to another port of its node, and nowhere else. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Logger, LogLevel } from "effect"
import type { IncomingHttpHeaders } from "node:http"
import { createServer } from "node:https"
import type { AddressInfo, Socket } from "node:net"
import * as Certificates from "../src/Certificates.js"
import { placeOf } from "../src/internal/handOver.js"
import * as KubeletClient from "../src/KubeletClient.js"
import { layerCertificates } from "./support/http.js"

interface Asked {
  readonly url: string
  readonly headers: IncomingHttpHeaders
}

/** Grants each upgrade with its name, or answers it with a redirect where it is asked to. */
const listener = (node: string, redirect: () => string | undefined = () => undefined) =>
  Effect.gen(function*() {
    const certificates = yield* Certificates.Certificates
    const identity = yield* certificates.node(node)
    const asked: Array<Asked> = []
    const sockets = new Set<Socket>()
    const server = yield* Effect.acquireRelease(
      Effect.async<ReturnType<typeof createServer>>((resume) => {
        const created = createServer({ ...identity, ca: certificates.authority, requestCert: true, rejectUnauthorized: true })
        created.on("connection", (socket: Socket) => sockets.add(socket))
        created.on("upgrade", ({ headers, url }, socket) => {
          asked.push({ url: url ?? "", headers })
          const location = headers["x-reddwarf-session-hand-over"] === undefined ? undefined : redirect()
          if (location === undefined) socket.end("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n\r\nserved")
          else socket.end(`HTTP/1.1 307 Temporary Redirect\r\nConnection: close\r\nLocation: ${location}\r\nContent-Length: 0\r\n\r\n`)
        })
        created.listen(0, "127.0.0.1", () => resume(Effect.succeed(created)))
      }),
      (created) => Effect.sync(() => {
        for (const socket of sockets) socket.destroy()
        created.close()
      })
    )
    return { asked, address: { node, address: "127.0.0.1", port: (server.address() as AddressInfo).port }, close: Effect.async<void>((resume) => void server.close(() => resume(Effect.void))) }
  })

const layerClient = Layer.unwrapScoped(Effect.gen(function*() {
  const certificates = yield* Certificates.Certificates
  const credentials = yield* certificates.client("agents", "kube-apiserver-kubelet-client", [])
  return KubeletClient.layer({ authority: certificates.authority, credentials })
})).pipe(Layer.provideMerge(layerCertificates), Layer.merge(Logger.minimumLogLevel(LogLevel.Error)))

const session = (address: KubeletClient.NodeAddress) =>
  Effect.scoped(Effect.gen(function*() {
    const kubelet = yield* KubeletClient.KubeletClient
    const headers = { "connection": "Upgrade", "upgrade": "SPDY/3.1", "x-stream-protocol-version": "v4.channel.k8s.io" }
    const answer = yield* kubelet.open(address, { method: "POST", path: "/exec/default/p/c?command=id", headers })
    return answer._tag === "Upgraded" ? yield* Effect.promise(() => answer.socket.setEncoding("latin1").toArray()).pipe(Effect.map((parts) => parts.join(""))) : answer.status
  }))

const at = (port: number, ticket = "t") => `https://127.0.0.1:${port}/session?ticket=${ticket}`

describe("a session that an agent hands over", () => {
  it.scopedLive("is followed to another port of the node, with what the client asked for", () =>
    Effect.gen(function*() {
      const host = yield* listener("n1")
      const agent = yield* listener("n1", () => at(host.address.port))
      assert.strictEqual(yield* session(agent.address), "served")
      assert.deepStrictEqual(host.asked.map(({ url }) => url), ["/session?ticket=t"])
      assert.deepInclude(host.asked[0]?.headers, { "upgrade": "SPDY/3.1", "x-stream-protocol-version": "v4.channel.k8s.io" })
      assert.isUndefined(host.asked[0]?.headers["x-reddwarf-session-hand-over"])
    }).pipe(Effect.provide(layerClient)), 30_000)

  it.scopedLive("is not followed to another host, by another protocol, or anywhere but to sessions", () =>
    Effect.gen(function*() {
      const host = yield* listener("n1")
      for (const place of [`https://127.0.0.2:${host.address.port}/session?ticket=t`, `http://127.0.0.1:${host.address.port}/session?ticket=t`, `https://127.0.0.1:${host.address.port}/run/default/p/c`]) {
        const agent = yield* listener("n1", () => place)
        const error = yield* Effect.flip(session(agent.address))
        assert.include(error.message, "the agent hands the session over to a place that is not on its node")
      }
      assert.deepStrictEqual(host.asked, [])
    }).pipe(Effect.provide(layerClient)), 30_000)

  it.scopedLive("is not followed to another node, nor a second time", () =>
    Effect.gen(function*() {
      const other = yield* listener("n2")
      const agent = yield* listener("n1", () => at(other.address.port))
      // Nothing was sent to whoever is not the node: the agent is asked to serve it itself.
      assert.strictEqual(yield* session(agent.address), "served")
      assert.deepStrictEqual(other.asked, [])
      const loop: { readonly address: KubeletClient.NodeAddress } = yield* listener("n3", () => at(loop.address.port))
      assert.strictEqual(yield* session(loop.address), "served")
    }).pipe(Effect.provide(layerClient)), 30_000)

  it.scopedLive("is served by the agent where nothing can be reached, for some time without being asked again", () =>
    Effect.gen(function*() {
      const host = yield* listener("n1")
      const agent = yield* listener("n1", () => at(host.address.port))
      yield* host.close
      for (let turn = 0; turn < 2; turn++) assert.strictEqual(yield* session(agent.address), "served")
      assert.deepStrictEqual(agent.asked.map(({ headers }) => headers["x-reddwarf-session-hand-over"]), ["1", undefined, undefined])
    }).pipe(Effect.provide(layerClient)), 30_000)
})

describe("a place at the same node", () => {
  it("is one address however it is written, and no other", () => {
    assert.deepStrictEqual(placeOf("10.0.0.1", "https://10.0.0.1:4711/session?ticket=a"), { port: 4711, path: "/session?ticket=a" })
    assert.deepStrictEqual(placeOf("fd00::1", "https://[fd00:0:0::1]:4711/session?ticket=a"), { port: 4711, path: "/session?ticket=a" })
    for (const location of [
      undefined,
      "",
      "/session?ticket=a",
      "//10.0.0.1:4711/session",
      "https://10.0.0.2:4711/session",
      "https://10.0.0.1.example:4711/session",
      "https://10.0.0.1@evil.example:4711/session",
      "https://user:word@10.0.0.1:4711/session",
      "https://10.0.0.1/session",
      "https://10.0.0.1:4711/session/../exec/default/p/c",
      "https://10.0.0.1:4711/session#x",
      "ftp://10.0.0.1:4711/session"
    ]) assert.isUndefined(placeOf("10.0.0.1", location))
    assert.isUndefined(placeOf("not an address", "https://x:1/session"))
  })
})
