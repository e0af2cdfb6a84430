/** What a node agent may do to a connection between two requests must not reach whoever sends the second one. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { createServer } from "node:https"
import type { AddressInfo, Socket } from "node:net"
import * as Certificates from "../src/Certificates.js"
import * as KubeletClient from "../src/KubeletClient.js"
import { layerCertificates } from "./support/http.js"

/** An agent that closes a connection just when a second request comes on it, as one does whose time to keep it is over in that moment. */
const impatient = Effect.gen(function*() {
  const certificates = yield* Certificates.Certificates
  const identity = yield* certificates.node("n1")
  const connections = new Set<Socket>()
  const server = yield* Effect.acquireRelease(
    Effect.async<ReturnType<typeof createServer>>((resume) => {
      const used = new WeakSet<object>()
      const isFirst = (socket: object): boolean => {
        const first = !used.has(socket)
        used.add(socket)
        return first
      }
      const created = createServer({ ...identity, ca: certificates.authority, requestCert: true }, (request, response) => {
        if (isFirst(request.socket)) response.end("ok\n")
        else request.socket.destroy()
      })
      created.on("connection", (socket: Socket) => connections.add(socket))
      created.on("upgrade", (request, socket) => {
        const answer = `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${String(request.headers.upgrade)}\r\n\r\n`
        // The first bytes of the session in the same packet as the answer, and then the end.
        if (isFirst(socket)) socket.end(`${answer}bye`)
        else socket.destroy()
      })
      created.listen(0, "127.0.0.1", () => resume(Effect.succeed(created)))
    }),
    (created) => Effect.sync(() => {
      for (const socket of connections) socket.destroy()
      created.close()
    })
  )
  return { node: "n1", address: "127.0.0.1", port: (server.address() as AddressInfo).port }
})

const layerClient = Layer.unwrapScoped(Effect.gen(function*() {
  const certificates = yield* Certificates.Certificates
  const credentials = yield* certificates.client("agents", "kube-apiserver-kubelet-client", [])
  return KubeletClient.layer({ authority: certificates.authority, credentials })
})).pipe(Layer.provideMerge(layerCertificates))

const readAll = (response: KubeletClient.KubeletResponse): Effect.Effect<string, KubeletClient.KubeletUnreachable> =>
  Effect.flatMap(response.next, (chunk) =>
    chunk === undefined ? Effect.succeed("") : Effect.map(readAll(response), (rest) => Buffer.from(chunk).toString() + rest))

describe("a session on a node", () => {
  it.scopedLive("is opened on a connection of its own, whatever was asked before", () =>
    Effect.gen(function*() {
      const kubelet = yield* KubeletClient.KubeletClient
      const address = yield* impatient
      for (let turn = 0; turn < 5; turn++) {
        assert.strictEqual(yield* Effect.scoped(Effect.flatMap(kubelet.get(address, "/healthz"), readAll)), "ok\n")
        const plain = yield* Effect.scoped(kubelet.open(address, { method: "GET", path: "/pods", headers: {} }))
        assert.strictEqual(plain._tag, "Response")
        const headers = { connection: "Upgrade", upgrade: "SPDY/3.1" }
        const session = yield* Effect.scoped(Effect.gen(function*() {
          const answer = yield* kubelet.open(address, { method: "POST", path: "/attach/default/p/c?output=1", headers })
          if (answer._tag !== "Upgraded") return answer._tag
          // Whoever joins it does so a little later: what came with the answer and after it is still there, and then its end.
          yield* Effect.sleep("20 millis")
          return yield* Effect.promise(() => answer.socket.setEncoding("latin1").toArray())
        }))
        assert.deepStrictEqual(typeof session === "string" ? session : session.join(""), "bye")
      }
    }).pipe(Effect.provide(layerClient)), 30_000)
})
