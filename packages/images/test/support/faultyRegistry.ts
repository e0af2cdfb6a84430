/** A registry on the loopback interface that serves images from memory and misbehaves as it is told. */
import { Effect } from "effect"
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import type { Socket } from "node:net"
import type { TestImage } from "./testImages.js"

export interface Seen {
  readonly method: string
  readonly path: string
  readonly headers: IncomingMessage["headers"]
}

/** Answers a request itself and says so, or leaves it to the registry. */
export type Fault = (request: Seen, response: ServerResponse, raw: IncomingMessage) => boolean

export interface FaultyRegistry {
  /** `127.0.0.1:port`. */
  readonly host: string
  readonly seen: Array<Seen>
  /** Looked at in order, before every request. */
  readonly faults: Array<Fault>
}

/** Sends the first bytes of an answer and cuts the connection. */
export const cutAfter = (response: ServerResponse, status: number, headers: Readonly<Record<string, string>>, bytes: Uint8Array): void => {
  response.writeHead(status, headers)
  response.write(bytes, () => response.socket?.resetAndDestroy())
}

/** The range a request asks for. */
export const rangeOf = (request: Seen): number => Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? "")?.[1] ?? 0)

export const startFaultyRegistry = (images: ReadonlyArray<TestImage>, tags: Readonly<Record<string, TestImage>>) =>
  Effect.gen(function*() {
    const blobs = new Map(images.flatMap((image) => [...image.blobs]).map(([digest, bytes]) => [digest as string, bytes]))
    const documents = new Map([
      ...images.map(({ document }) => [document.digest as string, document] as const),
      ...Object.entries(tags).map(([tag, { document }]) => [tag, document] as const)
    ])
    const seen: Array<Seen> = []
    const faults: Array<Fault> = []
    const serve = (request: Seen, response: ServerResponse): void => {
      const [, kind = "", name = ""] = /^\/v2\/.+\/(manifests|blobs)\/([^/?]+)(?:\?.*)?$/.exec(request.path) ?? []
      const document = kind === "manifests" ? documents.get(name) : undefined
      const bytes = document?.bytes ?? (kind === "blobs" ? blobs.get(name) : undefined)
      if (bytes === undefined) {
        response.writeHead(404, { "content-type": "application/json" }).end(JSON.stringify({ errors: [{ code: "MANIFEST_UNKNOWN", message: "manifest unknown" }] }))
        return
      }
      const from = rangeOf(request)
      const headers = document === undefined ? { "content-type": "application/octet-stream" } : { "content-type": document.mediaType, "docker-content-digest": document.digest }
      if (from >= bytes.length && from > 0) {
        response.writeHead(416).end()
        return
      }
      const part = bytes.subarray(from)
      response.writeHead(from > 0 ? 206 : 200, {
        ...headers,
        "content-length": String(part.length),
        ...(from > 0 ? { "content-range": `bytes ${from}-${bytes.length - 1}/${bytes.length}` } : {})
      })
      response.end(request.method === "HEAD" ? undefined : part)
    }
    const server = createServer((raw, response) => {
      const request: Seen = { method: raw.method ?? "", path: raw.url ?? "", headers: raw.headers }
      seen.push(request)
      raw.resume()
      if (!faults.some((fault) => fault(request, response, raw))) serve(request, response)
    })
    const sockets = new Set<Socket>()
    server.on("connection", (socket) => {
      sockets.add(socket)
      socket.once("close", () => sockets.delete(socket))
    })
    const port = yield* Effect.acquireRelease(
      Effect.async<number>((resume) => {
        server.listen(0, "127.0.0.1", () => {
          const address = server.address()
          resume(Effect.succeed(typeof address === "object" && address !== null ? address.port : 0))
        })
      }),
      () =>
        Effect.async<void>((resume) => {
          server.close(() => resume(Effect.void))
          for (const socket of sockets) socket.destroy()
        })
    )
    return { host: `127.0.0.1:${port}`, seen, faults } satisfies FaultyRegistry
  })
