import { Duplex } from "node:stream"

/** Bytes in the binary messages of a WebSocket, cut at random. The mask of a client may be zero, so it changes nothing. */
const message = (payload: Buffer): Buffer => {
  const head = Buffer.alloc(8)
  head.writeUInt8(0x82, 0)
  head.writeUInt8(0xfe, 1)
  head.writeUInt16BE(payload.length, 2)
  return Buffer.concat([head, payload])
}

/** A byte stream on an upgraded connection, in messages of `size()` bytes. */
export const make = (socket: Duplex, size: () => number): Duplex => {
  let pending = Buffer.alloc(0)
  const duplex = new Duplex({
    read: () => {},
    write: (chunk: Buffer, _encoding, done) => {
      for (let at = 0; at < chunk.length;) {
        const length = size()
        socket.write(message(chunk.subarray(at, at + length)))
        at += length
      }
      done()
    },
    final: (done) => {
      socket.end(Buffer.from([0x88, 0x80, 0, 0, 0, 0]))
      done()
    },
    destroy: (_error, done) => {
      socket.destroy()
      done(null)
    }
  })
  const take = (): boolean => {
    if (pending.length < 2) return false
    const short = pending.readUInt8(1)
    const head = short === 127 ? 10 : short === 126 ? 4 : 2
    if (pending.length < head) return false
    const length = short === 127 ? Number(pending.readBigUInt64BE(2)) : short === 126 ? pending.readUInt16BE(2) : short
    if (pending.length < head + length) return false
    if ((pending.readUInt8(0) & 15) === 2) duplex.push(pending.subarray(head, head + length))
    pending = pending.subarray(head + length)
    return true
  }
  socket.on("data", (chunk: Buffer) => {
    pending = Buffer.concat([pending, chunk])
    while (take()) continue
  })
  socket.resume()
  socket.once("close", () => duplex.push(null))
  return duplex
}
