/**
 * An HTTP/1.1 client that does as little as possible, so that the server and not the load generator is measured: one TLS socket to a
 * connection, requests written as one buffer, responses read just far enough to know where they end.
 */
import { isIP } from "node:net"
import { connect, type ConnectionOptions, type TLSSocket } from "node:tls"

/** A server and who we are to it. */
export interface Target {
  readonly host: string
  readonly port: number
  /** Host and port as the Host header names them. */
  readonly authority: string
  /** What stands before every path, without a slash at the end. */
  readonly path: string
  /** Whether the server's certificate must be good. */
  readonly verify: boolean
  /** The name that the server's certificate must have, if not `host`. */
  readonly serverName?: string
  readonly ca?: string
  readonly cert?: string
  readonly key?: string
  /** Bearer token. */
  readonly token?: string
}

/** A complete answer. */
export interface Answer {
  readonly status: number
  readonly body: Buffer
}

interface Pending {
  readonly resolve: (answer: Answer) => void
  readonly reject: (error: Error) => void
}

const HEADER_END = Buffer.from("\r\n\r\n")

/**
 * Reads one response, fed piece by piece. Every byte is looked at once: a large list arrives in hundreds of pieces, and joining them each
 * time would cost more than the server takes to send it.
 */
class ResponseReader {
  status = 0
  #head: Buffer = Buffer.alloc(0)
  #inBody = false
  #chunked = false
  /** Bytes of the body, or of the current chunk with its line end, that are still to come. */
  #left = 0
  readonly #parts: Array<Buffer> = []

  /** Takes the next piece; gives the whole body when it is complete. */
  feed(data: Buffer): Buffer | undefined {
    let rest = data
    if (!this.#inBody) {
      this.#head = this.#head.length === 0 ? data : Buffer.concat([this.#head, data])
      const end = this.#head.indexOf(HEADER_END)
      if (end < 0) return undefined
      // The line end after the last chunk of the response before may arrive with this one.
      const head = this.#head.toString("latin1", 0, end).trimStart().toLowerCase()
      this.status = Number(head.slice(9, 12))
      const length = /\r\ncontent-length: *(\d+)/.exec(head)?.[1]
      this.#chunked = length === undefined
      this.#left = Number(length ?? 0)
      this.#inBody = true
      rest = this.#head.subarray(end + HEADER_END.length)
      this.#head = Buffer.alloc(0)
    }
    return this.#chunked ? this.#feedChunks(rest) : this.#feedLength(rest)
  }

  #feedLength(data: Buffer): Buffer | undefined {
    this.#left -= data.length
    if (this.#left <= 0 && this.#parts.length === 0) return data
    this.#parts.push(data)
    return this.#left > 0 ? undefined : Buffer.concat(this.#parts)
  }

  #feedChunks(data: Buffer): Buffer | undefined {
    let rest = this.#head.length === 0 ? data : Buffer.concat([this.#head, data])
    this.#head = Buffer.alloc(0)
    while (rest.length > 0) {
      if (this.#left > 0) {
        const taken = Math.min(this.#left, rest.length)
        // The last two bytes of a chunk are its line end.
        const text = Math.min(taken, Math.max(0, this.#left - 2))
        if (text > 0) this.#parts.push(rest.subarray(0, text))
        this.#left -= taken
        rest = rest.subarray(taken)
        continue
      }
      const line = rest.indexOf("\r\n")
      if (line < 0) break
      const size = Number.parseInt(rest.toString("latin1", 0, line), 16)
      if (size === 0) return Buffer.concat(this.#parts)
      this.#left = size + 2
      rest = rest.subarray(line + 2)
    }
    this.#head = rest
    return undefined
  }
}

const tlsOptions = ({ ca, cert, host, key, port, serverName, verify }: Target): ConnectionOptions => ({
  host,
  port,
  rejectUnauthorized: verify,
  ALPNProtocols: ["http/1.1"],
  ...(isIP(host) === 0 || serverName !== undefined ? { servername: serverName ?? host } : {}),
  ...(ca === undefined ? {} : { ca }),
  ...(cert === undefined ? {} : { cert }),
  ...(key === undefined ? {} : { key })
})

/** A TLS connection, for whoever speaks something else than this client. */
export const openSocket = (target: Target): Promise<TLSSocket> =>
  new Promise((resolve, reject) => {
    const socket = connect(tlsOptions(target))
    const fail = (cause: Error) => reject(new Error(`cannot connect to https://${target.authority}: ${cause.message}`, { cause }))
    socket.once("error", fail)
    socket.once("secureConnect", () => {
      socket.removeListener("error", fail)
      resolve(socket)
    })
  })

/** What a streaming answer does. */
export interface Streaming {
  /** A piece of the answer as it came, head and chunk sizes included. */
  readonly onData: (data: Buffer) => void
  /** The server closed the connection. */
  readonly onEnd: () => void
}

/** One connection; at most one request at a time. */
export class RawConnection {
  readonly #socket: TLSSocket
  /** Of every request, from the path's prefix on. */
  readonly #prefix: string
  readonly #headers: string
  #reader = new ResponseReader()
  #pending: Pending | undefined
  #streaming: Streaming | undefined

  private constructor(socket: TLSSocket, target: Target) {
    this.#socket = socket
    this.#prefix = target.path
    const authorization = target.token === undefined ? "" : `Authorization: Bearer ${target.token}\r\n`
    this.#headers = ` HTTP/1.1\r\nHost: ${target.authority}\r\nAccept: application/json\r\n${authorization}`
    socket.setNoDelay(true)
    socket.on("data", (data: Buffer) => this.#read(data))
    const fail = (error: Error) => {
      this.#pending?.reject(error)
      this.#pending = undefined
      this.#streaming?.onEnd()
      this.#streaming = undefined
    }
    socket.on("error", fail)
    socket.on("close", () => fail(new Error("the server closed the connection")))
  }

  static async open(target: Target): Promise<RawConnection> {
    return new RawConnection(await openSocket(target), target)
  }

  /** Sends a request whose body, if any, is ASCII. */
  request(method: string, path: string, body?: string, type = "application/json"): Promise<Answer> {
    return new Promise((resolve, reject) => {
      // The server closes connections that nobody uses for a while. What is written to one that is closed is neither answered nor refused.
      if (this.#socket.destroyed) {
        reject(new Error("the server has closed the connection, on which nothing was asked for a while"))
        return
      }
      this.#pending = { resolve, reject }
      const head = `${method} ${this.#prefix}${path}${this.#headers}`
      this.#socket.write(
        body === undefined ? `${head}\r\n` : `${head}Content-Type: ${type}\r\nContent-Length: ${String(body.length)}\r\n\r\n${body}`,
        "latin1"
      )
    })
  }

  /** Starts a streaming answer on this connection, which is then good for nothing else. */
  stream(path: string, streaming: Streaming): void {
    this.#streaming = streaming
    this.#socket.write(`GET ${this.#prefix}${path}${this.#headers}\r\n`, "latin1")
  }

  close(): void {
    this.#streaming = undefined
    this.#socket.removeAllListeners("close")
    this.#socket.destroy()
  }

  #read(data: Buffer): void {
    if (this.#streaming !== undefined) return this.#streaming.onData(data)
    const body = this.#reader.feed(data)
    if (body === undefined) return
    const { status } = this.#reader
    const pending = this.#pending
    this.#pending = undefined
    this.#reader = new ResponseReader()
    pending?.resolve({ status, body })
  }
}
