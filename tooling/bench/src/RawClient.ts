/**
 * An HTTP/1.1 client that does as little as possible, so that the server and not the load generator is measured: one TLS socket to a
 * connection, requests written as one buffer, responses read just far enough to know where they end.
 */
import { connect, type TLSSocket } from "node:tls"

export interface Target {
  readonly host: string
  readonly port: number
  readonly ca: string
  readonly cert: string
  readonly key: string
}

export interface Answer {
  readonly status: number
  readonly body: Buffer
}

interface Pending {
  readonly resolve: (answer: Answer) => void
  readonly reject: (error: Error) => void
}

const HEADER_END = Buffer.from("\r\n\r\n")

/** Reads a chunked body from `data`; undefined when it is not complete yet. */
const readChunked = (data: Buffer, from: number): { readonly body: Buffer; readonly end: number } | undefined => {
  const parts: Array<Buffer> = []
  let at = from
  for (;;) {
    const line = data.indexOf("\r\n", at)
    if (line < 0) return undefined
    const size = Number.parseInt(data.toString("latin1", at, line), 16)
    const start = line + 2
    if (data.length < start + size + 2) return undefined
    if (size === 0) return { body: Buffer.concat(parts), end: start + 2 }
    parts.push(data.subarray(start, start + size))
    at = start + size + 2
  }
}

/** One connection; at most one request at a time. */
export class RawConnection {
  readonly #socket: TLSSocket
  readonly #host: string
  #buffer: Buffer = Buffer.alloc(0)
  #pending: Pending | undefined
  #onChunk: ((data: Buffer) => void) | undefined

  private constructor(socket: TLSSocket, host: string) {
    this.#socket = socket
    this.#host = host
    socket.setNoDelay(true)
    socket.on("data", (data: Buffer) => this.#read(data))
    const fail = (error: Error) => {
      this.#pending?.reject(error)
      this.#pending = undefined
    }
    socket.on("error", fail)
    socket.on("close", () => fail(new Error("the server closed the connection")))
  }

  static open(target: Target): Promise<RawConnection> {
    return new Promise((resolve, reject) => {
      const socket = connect({ host: target.host, port: target.port, ca: target.ca, cert: target.cert, key: target.key, ALPNProtocols: ["http/1.1"] })
      socket.once("error", reject)
      socket.once("secureConnect", () => {
        socket.removeListener("error", reject)
        resolve(new RawConnection(socket, `${target.host}:${String(target.port)}`))
      })
    })
  }

  request(method: string, path: string, body?: string, type = "application/json"): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.#pending = { resolve, reject }
      const head = `${method} ${path} HTTP/1.1\r\nHost: ${this.#host}\r\nAccept: application/json\r\n`
      this.#socket.write(
        body === undefined
          ? `${head}\r\n`
          : `${head}Content-Type: ${type}\r\nContent-Length: ${String(Buffer.byteLength(body))}\r\n\r\n${body}`
      )
    })
  }

  /** Starts a streaming response; every chunk of the raw stream (chunk sizes included) goes to `onChunk`. */
  stream(path: string, onChunk: (data: Buffer) => void): void {
    this.#onChunk = onChunk
    this.#socket.write(`GET ${path} HTTP/1.1\r\nHost: ${this.#host}\r\nAccept: application/json\r\n\r\n`)
  }

  close(): void {
    this.#socket.removeAllListeners("close")
    this.#socket.destroy()
  }

  #read(data: Buffer): void {
    if (this.#onChunk !== undefined) return this.#onChunk(data)
    this.#buffer = this.#buffer.length === 0 ? data : Buffer.concat([this.#buffer, data])
    const headers = this.#buffer.indexOf(HEADER_END)
    if (headers < 0) return
    const head = this.#buffer.toString("latin1", 0, headers).toLowerCase()
    const start = headers + HEADER_END.length
    const length = /\r\ncontent-length: *(\d+)/.exec(head)?.[1]
    const done = length === undefined
      ? readChunked(this.#buffer, start)
      : this.#buffer.length < start + Number(length)
        ? undefined
        : { body: this.#buffer.subarray(start, start + Number(length)), end: start + Number(length) }
    if (done === undefined) return
    const pending = this.#pending
    this.#pending = undefined
    this.#buffer = this.#buffer.subarray(done.end)
    pending?.resolve({ status: Number(head.slice(9, 12)), body: done.body })
  }
}
