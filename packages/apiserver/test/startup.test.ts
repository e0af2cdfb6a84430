import { ObjectStore } from "@reddwarf/store"
import { assert, describe, it } from "@effect/vitest"
import { Context, Deferred, Effect, Exit, Layer, Scope } from "effect"
import { connect as connectTls } from "node:tls"
import * as ApiServer from "../src/ApiServer.js"
import * as HttpsEdge from "../src/HttpsEdge.js"
import * as Server from "../src/Server.js"
import { adminCredentials, http1, http2, layerCertificates, session } from "./support/http.js"

const options: Server.Options = { edge: { port: 0 } }

/** What a peer is told that wants to speak another protocol. */
const upgraded = (port: number): Effect.Effect<string> =>
  Effect.async((resume) => {
    let text = ""
    const socket = connectTls({ host: "127.0.0.1", port, rejectUnauthorized: false, ALPNProtocols: ["http/1.1"] }, () => {
      socket.write("GET /api/v1/pods?watch=1 HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n")
    })
    socket.on("data", (data: Buffer) => {
      text += data.toString("latin1")
    })
    socket.on("error", () => {})
    socket.on("close", () => resume(Effect.succeed(text)))
  })

describe("a server that starts", () => {
  it.scopedLive("answers before its store is there, and says that it is not ready", () =>
    Effect.gen(function*() {
      const opened = yield* Deferred.make<void>()
      const store = Layer.unwrapEffect(Effect.as(Deferred.await(opened), ObjectStore.layerMemory))
      const scope = yield* Scope.make()
      const edge = yield* Layer.buildWithScope(Server.layerEdge(options), scope)
      const { port, url } = Context.get(edge, HttpsEdge.HttpsEdge)
      const behind = Server.layerBehind(options).pipe(Layer.provide(store), Layer.provide(Layer.succeedContext(edge)))
      const building = yield* Effect.forkScoped(Layer.buildWithScope(behind, scope))
      const credentials = yield* adminCredentials
      const get = (path: string) => http1(`${url}${path}`, { credentials })

      assert.strictEqual((yield* get("/livez")).status, 200)
      const ready = yield* get("/readyz")
      assert.strictEqual(ready.status, 503)
      assert.strictEqual(ready.headers["retry-after"], "1")
      assert.strictEqual(
        ready.body.toString(),
        "[+]ping ok\n[-]store failed: reason withheld\n[-]watch-cache failed: reason withheld\n[-]api failed: reason withheld\n" +
          "[+]shutdown ok\nreadyz check failed\n"
      )
      assert.strictEqual((yield* get("/readyz/ping")).status, 200)
      assert.strictEqual((yield* get("/readyz/store")).status, 503)
      assert.strictEqual((yield* get("/healthz")).status, 503)
      assert.strictEqual((yield* get("/livez?verbose")).body.toString(), "[+]ping ok\nlivez check passed\n")

      const refused = yield* get("/api/v1/pods")
      assert.strictEqual(refused.status, 503)
      assert.strictEqual(refused.headers["retry-after"], "1")
      assert.deepInclude(JSON.parse(refused.body.toString()), { kind: "Status", apiVersion: "v1", reason: "ServiceUnavailable", code: 503 })
      const written = yield* http1(`${url}/api/v1/namespaces/default/configmaps`, { credentials, method: "POST", body: "{}" })
      assert.strictEqual(written.status, 503)
      const connection = yield* session(url, credentials)
      assert.strictEqual((yield* http2(connection, "/api/v1/pods")).status, 503)
      assert.match(yield* upgraded(port), /^HTTP\/1.1 503 [^]*"reason":"ServiceUnavailable"/)

      yield* Deferred.succeed(opened, undefined)
      yield* Effect.fromFiber(building)
      // Also on a connection from before.
      assert.strictEqual((yield* http2(connection, "/readyz")).body.toString(), "ok")
      assert.strictEqual((yield* get("/api/v1/pods")).status, 200)
      yield* Scope.close(scope, Exit.void)
    }).pipe(Effect.provide(layerCertificates)))
})

describe("a server that stops", () => {
  it.scopedLive("goes on saying that it lives, but not that it is ready, until the store is closed", () =>
    Effect.gen(function*() {
      const closing = yield* Deferred.make<void>()
      const closed = yield* Deferred.make<void>()
      const slowly = Layer.scopedDiscard(
        Effect.addFinalizer(() => Effect.zipRight(Deferred.succeed(closing, undefined), Deferred.await(closed)))
      )
      const store = Layer.provideMerge(ObjectStore.layerMemory, slowly)
      const scope = yield* Scope.make()
      const live = Server.layerBehind(options).pipe(Layer.provide(store), Layer.provideMerge(Server.layerEdge(options)))
      const context = yield* Layer.buildWithScope(live, scope)
      const { url } = Context.get(context, HttpsEdge.HttpsEdge)
      const credentials = yield* adminCredentials
      const get = (path: string) => http1(`${url}${path}`, { credentials })
      assert.strictEqual((yield* get("/readyz")).status, 200)

      yield* Context.get(context, ApiServer.ApiServer).drain
      assert.strictEqual((yield* get("/livez")).status, 200)
      assert.include((yield* get("/readyz")).body.toString(), "[-]shutdown failed: reason withheld\n")

      const ending = yield* Effect.forkScoped(Scope.close(scope, Exit.void))
      yield* Deferred.await(closing)
      assert.strictEqual((yield* get("/livez")).status, 200)
      const ready = yield* get("/readyz")
      assert.strictEqual(ready.status, 503)
      assert.strictEqual(
        ready.body.toString(),
        "[+]ping ok\n[+]store ok\n[+]watch-cache ok\n[+]api ok\n[-]shutdown failed: reason withheld\nreadyz check failed\n"
      )
      const refused = yield* get("/api/v1/pods")
      assert.strictEqual(refused.status, 503)
      assert.deepInclude(JSON.parse(refused.body.toString()), { reason: "ServiceUnavailable", message: "the server is shutting down" })

      yield* Deferred.succeed(closed, undefined)
      yield* Effect.fromFiber(ending)
      yield* Effect.flip(get("/livez"))
    }).pipe(Effect.provide(layerCertificates)))
})
