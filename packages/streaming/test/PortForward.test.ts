import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { Duplex } from "node:stream"
import { WebSocket } from "ws"
import * as PortForward from "../src/PortForward.js"
import * as server from "./support/server.js"
import * as spdyClient from "./support/spdyClient.js"
import * as tunnel from "./support/tunnel.js"

/** A pod whose port 80 answers in upper case and says goodbye, whose port 81 never answers, and that has no other ports. */
const makePod = () => {
  const state = { open: 0 }
  const connect = (port: number): Effect.Effect<Duplex, { readonly message: string }> =>
    Effect.suspend(() => {
      if (port !== 80 && port !== 81) return Effect.fail({ message: `connection refused: ${port}` })
      state.open++
      const socket = new Duplex({
        allowHalfOpen: true,
        read: () => {},
        write: (chunk: Buffer, _encoding, done) => {
          if (port === 80) socket.push(chunk.toString().toUpperCase())
          done()
        },
        final: (done) => {
          if (port === 80) {
            socket.push("bye")
            socket.push(null)
          }
          done()
        }
      })
      socket.once("close", () => state.open--)
      return Effect.succeed(socket)
    })
  return { connect, open: () => state.open }
}

const serve = (pod: ReturnType<typeof makePod>, more: Partial<PortForward.Options> = {}) =>
  server.make((upgrade, query) => PortForward.serve(upgrade, { ports: query.getAll("ports").map(Number), ...more }, pod.connect))

const openPair = (client: spdyClient.SpdyClient, port: string, requestid: string) =>
  Effect.gen(function*() {
    const error = yield* client.open({ streamtype: "error", port, requestid })
    client.send(error, "", true)
    const data = yield* client.open({ streamtype: "data", port, requestid })
    return { error, data }
  })

/** What every carrier of SPDY must do. */
const exchange = (client: spdyClient.SpdyClient, pod: ReturnType<typeof makePod>) =>
  Effect.gen(function*() {
    const first = yield* openPair(client, "80", "0")
    const second = yield* openPair(client, "80", "1")
    client.send(second.data, "two")
    client.send(first.data, "one")
    yield* server.until("both answers", () => first.data.text === "ONE" && second.data.text === "TWO")
    client.send(first.data, " more", true)
    yield* server.until("the first one's end", () => first.data.ended && first.error.ended)
    assert.deepStrictEqual([first.data.text, first.error.text], ["ONE MOREbye", ""])
    assert.isFalse(second.data.ended)
    const refused = yield* openPair(client, "9", "2")
    yield* server.until("the failure", () => refused.error.ended && refused.data.ended)
    assert.strictEqual(refused.error.text, "connection refused: 9")
    yield* server.until("one connection is left", () => pod.open() === 1)
  })

describe("port forwarding", () => {
  it.scopedLive("over SPDY", () =>
    Effect.gen(function*() {
      const pod = makePod()
      const { active, port } = yield* serve(pod)
      const client = yield* spdyClient.make(port, "/portForward", ["portforward.k8s.io"])
      yield* exchange(client, pod)
      client.transport.destroy()
      yield* server.until("nothing is left", () => active() === 0 && pod.open() === 0)
    }))

  it.scopedLive("over SPDY in a WebSocket, in pieces of any size", () =>
    Effect.gen(function*() {
      const pod = makePod()
      const { active, port } = yield* serve(pod)
      const { head, socket } = yield* spdyClient.upgrade(port, "/portForward", "GET", [
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Protocol: SPDY/3.1+portforward.k8s.io"
      ])
      assert.include(head, "Sec-WebSocket-Protocol: SPDY/3.1+portforward.k8s.io")
      let turn = 0
      const client = spdyClient.onTransport(tunnel.make(socket, () => turn++ % 5), head)
      yield* exchange(client, pod)
      client.transport.destroy()
      yield* server.until("nothing is left", () => active() === 0 && pod.open() === 0)
    }))

  it.scopedLive("over WebSocket channels", () =>
    Effect.gen(function*() {
      const pod = makePod()
      const { active, port } = yield* serve(pod)
      const socket = new WebSocket(`ws://127.0.0.1:${port}/portForward?ports=80&ports=9`, ["v4.channel.k8s.io"])
      const channels = [Buffer.alloc(0), Buffer.alloc(0), Buffer.alloc(0), Buffer.alloc(0)]
      socket.on("message", (data: Buffer) => {
        const number = data[0] ?? 0
        channels[number] = Buffer.concat([channels[number] ?? Buffer.alloc(0), data.subarray(1)])
      })
      yield* server.until("every channel has its port", () => channels.every(({ length }) => length >= 2))
      assert.deepStrictEqual(channels.map((bytes) => bytes.readUInt16LE(0)), [80, 80, 9, 9])
      socket.send(Buffer.from("\0hello"))
      yield* server.until("the answer", () => channels[0]?.subarray(2).toString() === "HELLO")
      yield* server.until("the failure", () => channels[3]?.subarray(2).toString() === "connection refused: 9")
      socket.terminate()
      yield* server.until("nothing is left", () => active() === 0 && pod.open() === 0)
    }))

  it.scopedLive("ends the connection to the pod that a client resets", () =>
    Effect.gen(function*() {
      const pod = makePod()
      const { port } = yield* serve(pod)
      const client = yield* spdyClient.make(port, "/portForward", ["portforward.k8s.io"])
      const { data } = yield* openPair(client, "81", "0")
      yield* server.until("the connection", () => pod.open() === 1)
      const reset = Buffer.from("80030003000000080000000000000005", "hex")
      reset.writeUInt32BE(data.id, 8)
      client.raw(reset)
      yield* server.until("no connection", () => pod.open() === 0)
    }))

  it.scopedLive("refuses streams that make no sense or come alone", () =>
    Effect.gen(function*() {
      const { port } = yield* serve(makePod(), { streamCreationTimeout: "50 millis" })
      const client = yield* spdyClient.make(port, "/portForward", ["portforward.k8s.io"])
      assert.strictEqual((yield* client.open({ streamtype: "other", port: "80", requestid: "0" })).reset, 3)
      assert.strictEqual((yield* client.open({ streamtype: "data", port: "0", requestid: "0" })).reset, 3)
      const alone = yield* client.open({ streamtype: "data", port: "80", requestid: "0" })
      assert.isTrue(alone.replied)
      yield* server.until("it is given up", () => alone.reset === 3)
    }))

  it.scopedLive("refuses more streams than it may have", () =>
    Effect.gen(function*() {
      const { port } = yield* serve(makePod(), { maxStreams: 3 })
      const client = yield* spdyClient.make(port, "/portForward", ["portforward.k8s.io"])
      yield* openPair(client, "81", "1")
      const { data } = yield* openPair(client, "81", "2")
      assert.strictEqual(data.reset, 3)
    }))

  it.scopedLive("refuses clients that name no port where they should", () =>
    Effect.gen(function*() {
      const { port } = yield* serve(makePod())
      const { head } = yield* spdyClient.upgrade(port, "/portForward", "GET", [
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Protocol: v4.channel.k8s.io"
      ])
      assert.include(head, "400 Bad Request")
    }))
})
