import { assert, describe, it } from "@effect/vitest"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Stream from "effect/Stream"
import { Socket } from "node:net"
import { type Duplex, PassThrough } from "node:stream"
import { pipeline } from "node:stream/promises"
import { WebSocket } from "ws"
import * as RemoteCommand from "../src/RemoteCommand.js"
import * as server from "./support/server.js"
import * as spdyClient from "./support/spdyClient.js"

const exited = (exitCode: number): RemoteCommand.Outcome => ({ _tag: "Exited", exitCode })

type Command = (channels: RemoteCommand.Channels) => Effect.Effect<RemoteCommand.Outcome>

const serve = (command: Command, more: Partial<RemoteCommand.ServeOptions> = {}) =>
  server.make((upgrade, query) =>
    RemoteCommand.serve(upgrade, { ...Either.getOrThrow(RemoteCommand.parseOptions(query)), ...more }, command))

/** Copies stdin to stdout, says goodbye on stderr. */
const echo: Command = ({ stderr, stdin, stdout }) =>
  Effect.promise(() => pipeline(stdin, stdout)).pipe(
    Effect.zipRight(Effect.sync(() => stderr.write("bye"))),
    Effect.as(exited(3))
  )

interface Heard {
  readonly socket: WebSocket
  readonly channels: Array<string>
  readonly protocol: () => string
  readonly code: () => number | undefined
}

const webSocket = (port: number, query: string, protocols: ReadonlyArray<string>) =>
  Effect.acquireRelease(
    Effect.async<Heard, Error>((resume) => {
      const socket = new WebSocket(`ws://127.0.0.1:${port}/exec?${query}`, [...protocols])
      const channels = ["", "", "", "", ""]
      let code: number | undefined
      socket.on("message", (data: Buffer, binary) => {
        const channel = binary ? data[0] ?? 9 : Number(data.toString()[0])
        const text = binary ? data.subarray(1).toString("latin1") : Buffer.from(data.toString().slice(1), "base64").toString("latin1")
        channels[channel] = (channels[channel] ?? "") + text
      })
      socket.once("close", (closed: number) => {
        code = closed
      })
      socket.once("error", (error) => resume(Effect.fail(error)))
      socket.once("open", () => resume(Effect.succeed({ socket, channels, protocol: () => socket.protocol, code: () => code })))
    }),
    ({ socket }) => Effect.sync(() => socket.terminate())
  )

const streams = "stdin=true&stdout=true&stderr=true"
const failure =
  "{\"metadata\":{},\"status\":\"Failure\",\"message\":\"command terminated with non-zero exit code: exit status 3\",\"reason\":\"NonZeroExitCode\",\"details\":{\"causes\":[{\"reason\":\"ExitCode\",\"message\":\"3\"}]}}"

describe("options", () => {
  it("are read in both spellings", () => {
    const read = (query: string) => RemoteCommand.parseOptions(new URLSearchParams(query))
    const all = { stdin: true, stdout: true, stderr: true, tty: false }
    assert.deepStrictEqual(read("stdin=true&stdout=true&stderr=true&tty=false"), Either.right(all))
    assert.deepStrictEqual(read("input=1&output=1&error=1"), Either.right(all))
    assert.deepStrictEqual(read("input=1&output=1&error=1&tty=1"), Either.right({ ...all, stderr: false, tty: true }))
    assert.isTrue(Either.isLeft(read("tty=1")))
  })
})

describe("WebSocket", () => {
  it.scopedLive("carries the streams, half-closes stdin, and tells the exit code", () =>
    Effect.gen(function*() {
      const { active, port } = yield* serve(echo)
      const client = yield* webSocket(port, streams, ["v5.channel.k8s.io", "v4.channel.k8s.io"])
      assert.strictEqual(client.protocol(), "v5.channel.k8s.io")
      client.socket.send(Buffer.from("\0hello"))
      client.socket.send(Buffer.from("\0"))
      client.socket.send(Buffer.from("\0 there"))
      client.socket.send(Buffer.from([255, 0]))
      yield* server.until("the end", () => client.code() !== undefined)
      assert.deepStrictEqual(client.channels, ["", "hello there", "bye", failure, ""])
      assert.strictEqual(client.code(), 1000)
      yield* server.until("no session", () => active() === 0)
    }))

  it.scopedLive("speaks base64", () =>
    Effect.gen(function*() {
      const { port } = yield* serve(({ stdin, stdout }) =>
        Effect.async((resume) => {
          stdin.once("data", (chunk: Buffer) => {
            stdout.write(chunk)
            resume(Effect.succeed(exited(0)))
          })
        })
      )
      const client = yield* webSocket(port, streams, ["base64.channel.k8s.io", "v4.base64.channel.k8s.io"])
      assert.strictEqual(client.protocol(), "base64.channel.k8s.io")
      client.socket.send(`0${Buffer.from("ping").toString("base64")}`)
      yield* server.until("the end", () => client.code() !== undefined)
      // Before version 4 success has no words.
      assert.deepStrictEqual(client.channels, ["", "ping", "", "", ""])
    }))

  it.scopedLive("refuses unknown protocols with a Status", () =>
    Effect.gen(function*() {
      const { port } = yield* serve(echo)
      const error = yield* Effect.flip(webSocket(port, streams, ["v9.channel.k8s.io"]))
      assert.include(error.message, "403")
    }))

  it.scopedLive("hands the latest terminal size on", () =>
    Effect.gen(function*() {
      const { port } = yield* serve(({ resize, stdout }) =>
        Stream.runCollect(Stream.take(resize, 1)).pipe(
          Effect.tap((sizes) => Effect.sync(() => stdout.write(JSON.stringify(Chunk.toReadonlyArray(sizes))))),
          Effect.as(exited(0))
        )
      )
      const client = yield* webSocket(port, "stdin=true&stdout=true&tty=true", ["v4.channel.k8s.io"])
      client.socket.send(Buffer.from("\x04{\"Width\":80,\"Height\":24}"))
      yield* server.until("the end", () => client.code() !== undefined)
      assert.strictEqual(client.channels[1], "[{\"width\":80,\"height\":24}]")
      assert.strictEqual(client.channels[3], "{\"metadata\":{},\"status\":\"Success\"}")
    }))

  it.scopedLive("interrupts the command when the client goes away", () =>
    Effect.gen(function*() {
      let interrupted = false
      const { active, port } = yield* serve(() =>
        Effect.onInterrupt(Effect.never, () => Effect.sync(() => {
          interrupted = true
        }))
      )
      const client = yield* webSocket(port, streams, ["v5.channel.k8s.io"])
      client.socket.terminate()
      yield* server.until("the interruption", () => interrupted && active() === 0)
    }))

  it.scopedLive("is ended when idle", () =>
    Effect.gen(function*() {
      const { port } = yield* serve(() => Effect.never, { idleTimeout: "50 millis" })
      const client = yield* webSocket(port, streams, ["v5.channel.k8s.io"])
      yield* server.until("the end", () => client.code() !== undefined)
    }))

  it.scopedLive("stops a client whose command does not read", () =>
    Effect.gen(function*() {
      const { port } = yield* serve(() => Effect.never)
      const client = yield* webSocket(port, streams, ["v5.channel.k8s.io"])
      const chunk = Buffer.alloc(64 * 1024)
      for (let sent = 0; sent < 64; sent++) client.socket.send(chunk)
      const total = () => client.socket.bufferedAmount
      yield* server.until("what is taken stays bounded", () => {
        const before = total()
        return before > 0 && before < 64 * chunk.length
      })
      client.socket.terminate()
    }))
})

const openAll = (client: spdyClient.SpdyClient, types: ReadonlyArray<string>) =>
  Effect.forEach(types, (streamtype) => client.open({ streamtype }))

describe("SPDY", () => {
  it.scopedLive("carries the streams, half-closes stdin, and tells the exit code", () =>
    Effect.gen(function*() {
      const { active, port } = yield* serve(echo)
      const client = yield* spdyClient.make(port, `/exec?${streams}`, ["v5.channel.k8s.io", "v4.channel.k8s.io", "v3.channel.k8s.io"])
      assert.include(client.head, "101 Switching Protocols")
      assert.include(client.head, "X-Stream-Protocol-Version: v4.channel.k8s.io")
      const [error, stdin, stdout, stderr] = yield* openAll(client, ["error", "stdin", "stdout", "stderr"])
      if (error === undefined || stdin === undefined || stdout === undefined || stderr === undefined) throw new Error("a stream is missing")
      client.raw(Buffer.from("8003000600000004000000ff", "hex"))
      client.send(stdin, "hello")
      client.send(stdin, " there", true)
      yield* server.until("the end", client.isClosed)
      assert.deepStrictEqual([stdout.text, stderr.text, error.text], ["hello there", "bye", failure])
      assert.deepStrictEqual([stdout.ended, stderr.ended, error.ended], [true, true, true])
      assert.deepStrictEqual(client.pings(), [255])
      yield* server.until("no session", () => active() === 0)
    }))

  it.scopedLive("sends megabytes both ways", () =>
    Effect.gen(function*() {
      const { port } = yield* serve(echo)
      const client = yield* spdyClient.make(port, `/exec?${streams}`, ["v4.channel.k8s.io"])
      const [, stdin, stdout] = yield* openAll(client, ["error", "stdin", "stdout", "stderr"])
      if (stdin === undefined || stdout === undefined) throw new Error("a stream is missing")
      const total = 4 * 1024 * 1024
      // One frame, far longer than any buffer.
      client.send(stdin, Buffer.alloc(total, "x"), true)
      yield* server.until("the end", client.isClosed)
      assert.strictEqual(stdout.text.length, total)
    }))

  it.scopedLive("refuses streams that were not asked for, and gives up clients that open too few", () =>
    Effect.gen(function*() {
      const { active, port } = yield* serve(echo, { handshakeTimeout: "100 millis" })
      const client = yield* spdyClient.make(port, `/exec?${streams}`, ["v4.channel.k8s.io"])
      const other = yield* client.open({ streamtype: "resize" })
      assert.strictEqual(other.reset, 3)
      yield* server.until("the end", () => client.isClosed() && active() === 0)
    }))

  it.scopedLive("tells failures of version 1 as text", () =>
    Effect.gen(function*() {
      const { port } = yield* serve(() => Effect.succeed({ _tag: "Failed", message: "no such zone" }))
      const client = yield* spdyClient.make(port, "/exec?stdout=true", ["channel.k8s.io"])
      const [error] = yield* openAll(client, ["error", "stdout"])
      yield* server.until("the end", client.isClosed)
      assert.strictEqual(error?.text, "Internal error occurred: no such zone")
    }))

  it.scopedLive("refuses what it does not speak", () =>
    Effect.gen(function*() {
      const { port } = yield* serve(echo)
      const refused = yield* spdyClient.upgrade(port, `/exec?${streams}`, "POST", ["Upgrade: SPDY/3.1"])
      assert.include(refused.head, "400 Bad Request")
      const other = yield* spdyClient.upgrade(port, `/exec?${streams}`, "POST", ["Upgrade: h2c"])
      assert.include(other.head, "400 Bad Request")
      const body = yield* Effect.async<string>((resume) => {
        const seen = new PassThrough()
        other.socket.pipe(seen)
        seen.once("data", (chunk: Buffer) => resume(Effect.succeed(chunk.toString())))
      })
      assert.include(body, "Upgrade request required")
    }))
})

describe("pings", () => {
  it.scopedLive("are answered, but the answers are not kept for a client that does not read them", () =>
    Effect.gen(function*() {
      let transport: Duplex | undefined
      const options = Either.getOrThrow(RemoteCommand.parseOptions(new URLSearchParams(streams)))
      const { port } = yield* server.make((upgrade) => {
        transport = upgrade.socket
        return RemoteCommand.serve(upgrade, options, () => Effect.never)
      })
      const { socket } = yield* webSocket(port, streams, ["v5.channel.k8s.io"])
      const pongs: Array<string> = []
      socket.on("pong", (data: Buffer) => void pongs.push(data.toString()))
      socket.ping("hello")
      yield* server.until("the ping is answered", () => pongs.includes("hello"))
      assert.instanceOf(transport, Socket)
      const connection = transport
      const { bytesRead } = connection
      // From here on the client seems to read nothing.
      connection.cork()
      const count = 20_000
      for (let times = 0; times < count; times++) socket.ping("x".repeat(125))
      yield* server.until("the pings are read", () => connection.bytesRead >= bytesRead + count * 131)
      yield* server.until("the pings are handled", () => connection.readableLength === 0)
      assert.isBelow(connection.writableLength, 512 * 1024)
    }))
})
