import { PortForward, RemoteCommand } from "@reddwarf/streaming"
import { Effect, Either, FiberSet } from "effect"
import { createServer } from "node:https"
import { type AddressInfo, connect, createServer as createTcpServer, type Socket } from "node:net"
import type { Duplex } from "node:stream"
import { pipeline } from "node:stream/promises"
import type { TLSSocket } from "node:tls"
import * as Certificates from "../../src/Certificates.js"

/** A node agent with commands of its own: `echo`, `fail`, `sleep`. */
export interface TestAgent {
  readonly port: number
  /** Path and query of every upgrade, in order. */
  readonly asked: ReadonlyArray<string>
  /** What the upgrades were to. */
  readonly protocols: ReadonlyArray<string>
  /** Names of the clients' certificates. */
  readonly callers: ReadonlyArray<string>
  /** Sessions that have not ended. */
  readonly active: () => number
  /** Bytes that commands have read. */
  readonly taken: () => number
}

const exited = (exitCode: number): RemoteCommand.Outcome => ({ _tag: "Exited", exitCode })

const write = (stream: NodeJS.WritableStream, text: string) => Effect.async<void>((resume) => void stream.write(text, () => resume(Effect.void)))

const command = (words: ReadonlyArray<string>, count: (bytes: number) => void) =>
({ stderr, stdin, stdout }: RemoteCommand.Channels): Effect.Effect<RemoteCommand.Outcome> => {
  stdin.on("data", (chunk: Buffer) => count(chunk.length))
  const [program = ""] = words
  switch (program) {
    case "cat":
      return Effect.as(Effect.promise(() => pipeline(stdin, stdout)), exited(0))
    case "echo":
      return Effect.as(write(stdout, `${words.slice(1).join(" ")}\n`), exited(0))
    case "fail":
      return Effect.as(write(stderr, "no luck\n"), exited(3))
    case "sleep":
      return Effect.zipRight(write(stdout, "asleep\n"), Effect.never)
    default:
      return Effect.succeed({ _tag: "Failed", message: `no command ${program}` })
  }
}

/** A TCP server that answers each line with its upper case. */
export const layerUpper = Effect.acquireRelease(
  Effect.async<{ readonly port: number; readonly close: () => void }>((resume) => {
    const sockets = new Set<Socket>()
    const server = createTcpServer({ allowHalfOpen: true }, (socket) => {
      sockets.add(socket)
      socket.on("error", () => {})
      socket.on("data", (chunk: Buffer) => void socket.write(chunk.toString().toUpperCase()))
      socket.once("end", () => socket.end("bye"))
    })
    server.listen(0, "127.0.0.1", () =>
      resume(Effect.succeed({
        port: (server.address() as AddressInfo).port,
        close: () => {
          for (const socket of sockets) socket.destroy()
          server.close()
        }
      })))
  }),
  ({ close }) => Effect.sync(close)
)

const dial = (port: number): Effect.Effect<Duplex, { readonly message: string }> =>
  Effect.async((resume) => {
    const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true })
    socket.once("connect", () => resume(Effect.succeed(socket)))
    socket.once("error", () => resume(Effect.fail({ message: `nothing listens on ${port}` })))
  })

/** An agent for the node `n1`, for as long as the scope lives. */
export const make = Effect.gen(function*() {
  const certificates = yield* Certificates.Certificates
  const identity = yield* certificates.node("n1")
  const run = yield* FiberSet.makeRuntime()
  const asked: Array<string> = []
  const protocols: Array<string> = []
  const callers: Array<string> = []
  let active = 0
  let taken = 0
  const sockets = new Set<Socket>()
  const server = yield* Effect.acquireRelease(
    Effect.async<ReturnType<typeof createServer>>((resume) => {
      const options = { ...identity, ca: certificates.authority, requestCert: true, rejectUnauthorized: true }
      const created = createServer(options, (request, response) => {
        asked.push(request.url ?? "")
        response.writeHead(request.url === "/healthz" ? 200 : 404, { "content-type": "text/plain" })
        response.end(request.url === "/healthz" ? `ok ${request.headers.authorization ?? "nobody"}` : "404 page not found\n")
      })
      created.on("connection", (socket: Socket) => sockets.add(socket))
      created.on("upgrade", (request, socket, head) => {
        const url = new URL(request.url ?? "/", "http://agent")
        asked.push(request.url ?? "")
        protocols.push((request.headers.upgrade ?? "").toLowerCase())
        callers.push(String((request.socket as TLSSocket).getPeerCertificate().subject.CN))
        const upgrade = { request, socket, head }
        const words = url.searchParams.getAll("command")
        const options = Either.getOrElse(RemoteCommand.parseOptions(url.searchParams), () => ({ stdin: false, stdout: true, stderr: true, tty: false }))
        const session = url.pathname.startsWith("/portForward/")
          ? PortForward.serve(upgrade, { ports: url.searchParams.getAll("port").map(Number) }, dial)
          : url.pathname.startsWith("/attach/")
          ? RemoteCommand.serve(upgrade, options, command(["cat"], (bytes) => taken += bytes))
          : RemoteCommand.serve(upgrade, options, command(words, (bytes) => taken += bytes))
        active++
        run(Effect.ensuring(session, Effect.sync(() => active--)))
      })
      created.listen(0, "127.0.0.1", () => resume(Effect.succeed(created)))
    }),
    (created) => Effect.sync(() => {
      for (const socket of sockets) socket.destroy()
      created.close()
    })
  )
  const port = (server.address() as AddressInfo).port
  return { port, asked, protocols, callers, active: () => active, taken: () => taken } satisfies TestAgent
})
