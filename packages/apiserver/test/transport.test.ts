import { assert, describe, it } from "@effect/vitest"
import { Transport } from "@reddwarf/client"
import { Chunk, Effect, Layer, Stream } from "effect"
import * as InProcessTransport from "../src/InProcessTransport.js"
import * as UserInfo from "../src/UserInfo.js"
import { configMap, configMaps, layerApi } from "./support/api.js"

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes)
const live = (user: UserInfo.UserInfo) => InProcessTransport.layer(user).pipe(Layer.provide(layerApi))

describe("the transport inside the process", () => {
  it.scopedLive("answers requests and streams watches", () =>
    Effect.gen(function*() {
      const transport = yield* Transport.Transport
      const created = yield* transport.request({ method: "POST", path: configMaps, body: JSON.stringify(configMap("a")) })
      assert.strictEqual(created.status, 201)
      const watched = yield* transport.open({ method: "GET", path: `${configMaps}?watch=1` })
      assert.strictEqual(watched.status, 200)
      yield* transport.request({ method: "DELETE", path: `${configMaps}/a` })
      const chunks = yield* watched.body.pipe(
        Stream.map(text),
        Stream.splitLines,
        Stream.take(2),
        Stream.runCollect
      )
      assert.deepStrictEqual(Chunk.toReadonlyArray(chunks).map((line) => JSON.parse(line).type), ["ADDED", "DELETED"])
    }).pipe(Effect.provide(live(UserInfo.loopback))))

  it.scopedLive("a reader that stops makes the producer wait, and loses nothing", () =>
    Effect.gen(function*() {
      const transport = yield* Transport.Transport
      const data = { text: "x".repeat(60_000) }
      for (let i = 0; i < 40; i++) {
        yield* transport.request({ method: "POST", path: configMaps, body: JSON.stringify(configMap(`c${i}`, data)) })
      }
      const list = yield* transport.open({ method: "GET", path: configMaps })
      let size = 0
      yield* Stream.runForEach(list.body, (chunk) =>
        Effect.delay(Effect.sync(() => {
          size += chunk.length
        }), "1 millis"))
      assert.isAbove(size, 40 * 60_000)
    }).pipe(Effect.provide(live(UserInfo.loopback))))

  it.scopedLive("acts as its user", () =>
    Effect.gen(function*() {
      const transport = yield* Transport.Transport
      const refused = yield* transport.request({ method: "GET", path: "/api/v1/secrets" })
      assert.strictEqual(refused.status, 403)
      const body = new Uint8Array(3 * 1024 * 1024 + 1)
      const large = yield* transport.request({ method: "POST", path: "/api/v1/nodes", body })
      assert.strictEqual(large.status, 403)
    }).pipe(Effect.provide(live(UserInfo.authenticated("system:kube-scheduler", [])))))
})
