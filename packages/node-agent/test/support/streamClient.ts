/** A client of the kubelet API that speaks the WebSocket protocols of kubectl. */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { WebSocket } from "ws"
import * as h from "./harness.js"

export interface Server {
  readonly port: number
  readonly ca: string
  readonly client: { readonly cert: string; readonly key: string }
}

/** The upgrade was answered with something else. */
export class Refused extends Data.TaggedError("Refused")<{ readonly status: number; readonly body: string; readonly location?: string | undefined }> {}

/** One remote command. */
export interface RemoteCommand {
  readonly out: () => string
  readonly err: () => string
  /** The Status at the end. */
  readonly status: () => { readonly status?: string; readonly message?: string; readonly reason?: string } | undefined
  readonly send: (text: string) => void
  /** The end of standard input. */
  readonly endInput: () => void
  readonly resize: (width: number, height: number) => void
  /** Goes away without a word. */
  readonly leave: () => void
  readonly until: (what: string, test: (command: RemoteCommand) => boolean) => Effect.Effect<true, h.WaitedInVain>
  readonly closed: Effect.Effect<true, h.WaitedInVain>
}

export const connect = (server: Server, path: string, protocols: ReadonlyArray<string>, headers: Readonly<Record<string, string>> = {}): Effect.Effect<WebSocket, Refused, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.async<WebSocket, Refused>((resume) => {
      const socket = new WebSocket(`wss://127.0.0.1:${server.port}${path}`, [...protocols], { ca: server.ca, ...server.client, headers, perMessageDeflate: false })
      // Without an answer at all: the connection was just closed.
      socket.on("error", (error) => resume(new Refused({ status: 0, body: error.message })))
      socket.once("open", () => resume(Effect.succeed(socket)))
      socket.once("unexpected-response", (_request, response) => {
        let body = ""
        response.setEncoding("utf8")
        response.on("data", (text: string) => void (body += text))
        response.on("end", () => resume(new Refused({ status: response.statusCode ?? 0, body, location: response.headers.location })))
      })
    }),
    (socket) => Effect.sync(() => socket.terminate())
  )

/** Where the agent hands a session over to, for whoever says that redirects are followed. */
export const handedOver = (server: Server, path: string, protocols: ReadonlyArray<string>): Effect.Effect<{ readonly server: Server; readonly path: string }, Refused, Scope.Scope> =>
  connect(server, path, protocols, { "x-reddwarf-session-hand-over": "1" }).pipe(
    Effect.flip,
    Effect.mapError(() => new Refused({ status: 101, body: "the agent served it itself" })),
    Effect.flatMap((answer) => {
      if (answer.status !== 307 || answer.location === undefined) return Effect.fail(answer)
      const { pathname, port, search } = new URL(answer.location)
      return Effect.succeed({ server: { ...server, port: Number(port) }, path: `${pathname}${search}` })
    })
  )

export const command = (server: Server, path: string): Effect.Effect<RemoteCommand, Refused, Scope.Scope> =>
  Effect.map(connect(server, path, ["v5.channel.k8s.io"]), (socket) => {
    const text = ["", "", "", "", ""]
    let over = false
    socket.on("message", (data: Buffer) => {
      const channel = data[0] ?? 0
      text[channel] = `${text[channel] ?? ""}${data.toString("utf8", 1)}`
    })
    socket.on("close", () => {
      over = true
    })
    const message = (channel: number, bytes: string) => Buffer.concat([Buffer.from([channel]), Buffer.from(bytes)])
    const remote: RemoteCommand = {
      out: () => text[1] ?? "",
      err: () => text[2] ?? "",
      status: () => text[3] === "" || text[3] === undefined ? undefined : JSON.parse(text[3]),
      send: (input) => socket.send(message(0, input)),
      endInput: () => socket.send(Buffer.from([255, 0])),
      resize: (Width, Height) => socket.send(message(4, JSON.stringify({ Width, Height }))),
      leave: () => socket.terminate(),
      until: (what, test) =>
        h.until(what, Effect.sync(() => test(remote) ? true as const : undefined)).pipe(
          Effect.mapError((error) => new h.WaitedInVain({ what: error.what, seconds: error.seconds, last: JSON.stringify(text) }))
        ),
      closed: Effect.suspend(() => h.until("the end of the session", Effect.sync(() => over ? true as const : undefined)))
    }
    return remote
  })
