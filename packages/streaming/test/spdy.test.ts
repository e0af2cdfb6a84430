import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import { connect } from "node:net"
import { deflateSync } from "node:zlib"
import * as headerBlocks from "../src/internal/headerBlocks.js"
import { spdyDictionary } from "../src/internal/spdyDictionary.js"
import * as frames from "../src/internal/spdyFrames.js"
import * as PortForward from "../src/PortForward.js"
import * as RemoteCommand from "../src/RemoteCommand.js"
import * as server from "./support/server.js"

const bytes = FastCheck.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array))

const anyFrame = FastCheck.oneof(
  FastCheck.record({ type: FastCheck.integer({ min: 1, max: 9 }), flags: FastCheck.integer({ min: 0, max: 3 }), payload: bytes })
    .map((control) => ({ control })),
  FastCheck.record({ id: FastCheck.integer({ min: 1, max: 99 }), last: FastCheck.boolean(), payload: bytes }).map((data) => ({ data }))
)

const encode = (frame: typeof anyFrame extends FastCheck.Arbitrary<infer A> ? A : never): Buffer => {
  if ("control" in frame) return frames.control(frame.control.type, frame.control.flags, frame.control.payload)
  const { id, last, payload } = frame.data
  return Buffer.concat([frames.dataHead(id, last ? frames.flagFin : 0, payload.length), payload])
}

/** Frames as they are read, pieces of data put together again. */
const read = (chunks: ReadonlyArray<Buffer>): ReadonlyArray<string> => {
  const reader = frames.makeReader()
  const seen: Array<string> = []
  let payload = Buffer.alloc(0)
  let id = 0
  const endData = (last: boolean) => {
    if (payload.length > 0 || last) seen.push(`${id} ${last} ${payload.toString("hex")}`)
    payload = Buffer.alloc(0)
  }
  for (const chunk of chunks) {
    reader.feed(chunk)
    for (let frame = reader.next(); frame !== undefined; frame = reader.next()) {
      if (frame._tag === "Data") {
        if (frame.id !== id) endData(false)
        id = frame.id
        payload = Buffer.concat([payload, frame.payload])
        if (frame.last) endData(true)
      } else {
        endData(false)
        seen.push(frame._tag === "Control" ? `${frame.type} ${frame.flags} ${frame.payload.toString("hex")}` : frame.message)
      }
    }
  }
  endData(false)
  return seen
}

const cut = (whole: Buffer, sizes: ReadonlyArray<number>): ReadonlyArray<Buffer> => {
  const pieces: Array<Buffer> = []
  let at = 0
  for (let turn = 0; at < whole.length; turn++) {
    const size = sizes[turn % sizes.length] ?? 1
    pieces.push(whole.subarray(at, at + size))
    at += size
  }
  return pieces
}

const sizes = FastCheck.array(FastCheck.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 20 })

describe("frames", () => {
  it.prop("are the same in whatever pieces they come", [FastCheck.array(anyFrame, { maxLength: 20 }), sizes], ([list, pieces]) => {
    const whole = Buffer.concat(list.map(encode))
    assert.deepStrictEqual(read(cut(whole, pieces)), read([whole]))
  })

  it.prop("that make no sense are violations, not faults", [FastCheck.array(bytes), sizes], ([list, pieces]) => {
    read(cut(Buffer.concat(list), pieces))
  })

  it("of other versions, and control frames without measure, are violations", () => {
    assert.deepStrictEqual(read([Buffer.from("8002000100000000", "hex")]), ["not a frame of SPDY version 3"])
    assert.deepStrictEqual(read([Buffer.from("8003000100ffffff", "hex")]), ["a control frame of 16777215 bytes, which is more than 65536"])
  })
})

const decompress = (decompressor: headerBlocks.Decompressor, block: Buffer) =>
  Effect.async<Buffer | undefined>((resume) => decompressor.decompress(block, (found) => resume(Effect.succeed(found))))

describe("header blocks", () => {
  it("use the dictionary of SPDY/3", () => {
    // The checksum that every SPDY/3 stream begins with.
    assert.strictEqual(spdyDictionary.length, 1423)
    assert.strictEqual(deflateSync("", { dictionary: spdyDictionary }).subarray(2, 6).toString("hex"), "e3c6a7c2")
  })

  it.prop("are parsed or refused", [bytes], ([block]) => {
    headerBlocks.parse(block)
  })

  it.effect("without headers can be read by everybody", () =>
    Effect.gen(function*() {
      const next = headerBlocks.makeEmptyBlocks()
      const decompressor = headerBlocks.makeDecompressor()
      for (let turn = 0; turn < 3; turn++) {
        const block = yield* decompress(decompressor, next())
        assert.deepStrictEqual(block === undefined ? undefined : headerBlocks.parse(block), new Map())
      }
      decompressor.close()
    }))

  it.effect("that are damaged or too large end the connection's headers", () =>
    Effect.gen(function*() {
      const damaged = headerBlocks.makeDecompressor()
      assert.isUndefined(yield* decompress(damaged, Buffer.from("nonsense")))
      assert.isUndefined(yield* decompress(damaged, Buffer.from("again")))
      const bomb = headerBlocks.makeDecompressor()
      assert.isUndefined(yield* decompress(bomb, deflateSync(Buffer.alloc(50_000_000), { dictionary: spdyDictionary })))
    }), 30_000)
})

describe("hostile clients", () => {
  const upgradeHead = (protocol: string) =>
    `POST /?stdin=1&stdout=1 HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\nX-Stream-Protocol-Version: ${protocol}\r\n\r\n`

  const webSocketHead = (protocol: string) =>
    `GET /?stdin=1&stdout=1&ports=80 HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: ${protocol}\r\n\r\n`

  it.scopedLive("end their own session only", () =>
    Effect.gen(function*() {
      const { active, port } = yield* server.make((upgrade, query) =>
        query.has("stdout") && upgrade.request.headers["x-stream-protocol-version"] !== "portforward.k8s.io"
            && !String(upgrade.request.headers["sec-websocket-protocol"]).includes("portforward")
          ? RemoteCommand.serve(upgrade, { stdin: true, stdout: true, stderr: false, tty: true }, () => Effect.never)
          : PortForward.serve(upgrade, { ports: [80] }, () => Effect.fail({ message: "none" }))
      )
      const heads = [
        upgradeHead("v4.channel.k8s.io"),
        upgradeHead("portforward.k8s.io"),
        webSocketHead("v5.channel.k8s.io"),
        webSocketHead("base64.channel.k8s.io"),
        webSocketHead("SPDY/3.1+portforward.k8s.io")
      ]
      const garbage = FastCheck.sample(FastCheck.array(FastCheck.oneof(bytes, anyFrame.map(encode)), { maxLength: 30 }).map((parts) => Buffer.concat(parts)), 100)
      yield* Effect.forEach(garbage, (bytes, turn) =>
        Effect.async<void>((resume) => {
          const socket = connect({ port, host: "127.0.0.1" }, () => {
            socket.write(heads[turn % heads.length] ?? "")
            socket.write(bytes)
            // Some close in order, some do not.
            if (turn % 2 === 0) socket.end()
            else socket.once("data", () => socket.destroy())
          })
          socket.resume()
          socket.on("error", () => {})
          socket.once("close", () => resume(Effect.void))
        }), { concurrency: 10 })
      yield* server.until("no session", () => active() === 0)
    }), 30_000)
})
