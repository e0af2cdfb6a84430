/** Taking the node out of rotation by hand: a file that survives restarts, and a socket by which the command line asks for it. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as FiberSet from "effect/FiberSet"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync } from "node:fs"
import { connect, createServer, type Socket } from "node:net"
import { join } from "node:path"
import * as FileProbe from "./FileProbe.js"
import type { HealthMetrics } from "./HealthMetrics.js"
import * as Observation from "./Observation.js"

/** A node that is out of rotation. @category schemas */
export const Drained = Schema.Struct({ reason: Schema.String, since: Schema.Number })
/** @category models */
export type Drained = typeof Drained.Type

const DrainedJson = Schema.parseJson(Drained)
const decodeDrained = Schema.decodeUnknownOption(DrainedJson)

/** The socket or the folder cannot be used. @category errors */
export class ControlFailed extends Schema.TaggedError<ControlFailed>()("ControlFailed", { path: Schema.String, detail: Schema.String }) {
  override get message(): string {
    return `${this.path}: ${this.detail}`
  }
}

/** Where the state is kept. @category combinators */
export const stateFile = (folder: string): string => join(folder, "drain.json")
/** Where commands are heard. @category combinators */
export const socketPath = (folder: string): string => join(folder, "control.sock")

/** @category models */
export interface Drain {
  /** The present state; no effect, because every answer asks for it. */
  readonly current: () => Drained | undefined
  /** Takes the node out. It holds at once; the result says whether it will also survive a restart. */
  readonly drain: (reason: string) => Effect.Effect<Option.Option<FileProbe.ProbeError>>
  readonly undrain: Effect.Effect<Option.Option<FileProbe.ProbeError>>
}

const saveMillis = 5000

/**
 * The state of a folder, read now; a folder that is missing is created with mode 0700.
 *
 * @category constructors
 */
export const make = (folder: string, files: FileProbe.FileProbe, metrics: HealthMetrics): Effect.Effect<Drain, ControlFailed> =>
  Effect.try({
    try: () => {
      // At the start, before anybody is answered.
      mkdirSync(folder, { recursive: true, mode: 0o700 })
      const path = stateFile(folder)
      let state = existsSync(path) ? Option.getOrElse(decodeDrained(readFileSync(path, "utf8")), (): Drained => ({ reason: "the drain state cannot be read", since: 0 })) : undefined
      const show = () => metrics.set("drained", state === undefined ? 0 : 1)
      show()
      const kept = (write: Effect.Effect<void, FileProbe.ProbeError>) =>
        FileProbe.within(write, path, saveMillis).pipe(Effect.match({ onFailure: Option.some, onSuccess: () => Option.none<FileProbe.ProbeError>() }))
      return {
        current: () => state,
        drain: (reason) =>
          Effect.gen(function*() {
            const drained: Drained = { reason: Observation.clip(reason === "" ? "no reason given" : reason, 200), since: yield* Clock.currentTimeMillis }
            state = drained
            show()
            return yield* kept(files.save(path, JSON.stringify(drained)))
          }),
        undrain: Effect.suspend(() => {
          state = undefined
          show()
          return kept(files.remove(path))
        })
      } satisfies Drain
    },
    catch: (cause) => new ControlFailed({ path: folder, detail: `cannot be used for the state of node-health: ${cause instanceof Error ? cause.message : String(cause)}` })
  })

/** What the command line asks. @category schemas */
export const Command = Schema.Union(
  Schema.Struct({ command: Schema.Literal("drain"), reason: Schema.String }),
  Schema.Struct({ command: Schema.Literal("undrain", "status", "reload") })
)
/** @category models */
export type Command = typeof Command.Type

/** What it hears. @category schemas */
export const Reply = Schema.Struct({ ok: Schema.Boolean, message: Schema.String, drained: Schema.optionalWith(Drained, { exact: true }) })
/** @category models */
export type Reply = typeof Reply.Type

const decodeCommand = Schema.decodeUnknownOption(Schema.parseJson(Command))
const decodeReply = Schema.decodeUnknownOption(Schema.parseJson(Reply))
const maxLine = 4096

/** Calls `heard` with the first line of a connection; ends one that sends too much or nothing. */
const firstLine = (socket: Socket, heard: (line: string) => void): void => {
  let text = ""
  socket.setTimeout(10_000, () => socket.destroy())
  socket.on("error", () => undefined)
  socket.setEncoding("utf8").on("data", (chunk: string) => {
    text += chunk
    const end = text.indexOf("\n")
    if (end >= 0) {
      socket.removeAllListeners("data")
      heard(text.slice(0, end))
    } else if (text.length > maxLine) socket.destroy()
  })
}

/** Whether somebody listens on the socket. */
const isHeard = (path: string): Effect.Effect<boolean> =>
  Effect.async<boolean>((resume) => {
    const socket = connect(path)
    socket.once("connect", () => {
      socket.destroy()
      resume(Effect.succeed(true))
    })
    socket.on("error", () => resume(Effect.succeed(false)))
  })

/**
 * Hears commands for as long as the scope lives. Only the own user and root reach the socket: mode 0600, in a folder of mode 0700.
 *
 * @category constructors
 */
export const serve = (folder: string, answer: (command: Command) => Effect.Effect<Reply>): Effect.Effect<void, ControlFailed, Scope.Scope> =>
  Effect.gen(function*() {
    const path = socketPath(folder)
    const failed = (detail: string) => new ControlFailed({ path, detail })
    if (existsSync(path)) {
      if (yield* isHeard(path)) yield* failed("another node-health runs with this folder; give each its own state_dir")
      yield* Effect.try({ try: () => rmSync(path), catch: (cause) => failed(String(cause)) })
    }
    const run = yield* FiberSet.makeRuntime()
    yield* Effect.acquireRelease(
      Effect.async<ReturnType<typeof createServer>, ControlFailed>((resume) => {
        const server = createServer((socket) =>
          firstLine(socket, (line) => {
            const command = Option.getOrUndefined(decodeCommand(line))
            run(Effect.map(
              command === undefined ? Effect.succeed<Reply>({ ok: false, message: "not a command" }) : answer(command),
              (reply) => void socket.end(`${JSON.stringify(reply)}\n`)
            ))
          }))
        server.maxConnections = 16
        server.once("error", (error) => resume(Effect.fail(failed(error.message))))
        server.listen(path, () => {
          chmodSync(path, 0o600)
          server.on("error", () => undefined)
          resume(Effect.succeed(server))
        })
      }),
      (server) => Effect.async<void>((resume) => {
        server.close(() => resume(Effect.void))
      })
    )
  })

/**
 * Sends a command to the node-health of a folder.
 *
 * @category constructors
 */
export const send = (folder: string, command: Command): Effect.Effect<Reply, ControlFailed> => {
  const path = socketPath(folder)
  const failed = (detail: string) => new ControlFailed({ path, detail })
  return Effect.async<Reply, ControlFailed>((resume) => {
    const socket = connect(path)
    socket.on("error", (error) => resume(Effect.fail(failed(`${error.message}; does node-health run with this state_dir, and may this user talk to it?`))))
    socket.once("connect", () => void socket.write(`${JSON.stringify(command)}\n`))
    firstLine(socket, (line) => {
      socket.destroy()
      const reply = Option.getOrUndefined(decodeReply(line))
      resume(reply === undefined ? Effect.fail(failed("answers something that is no reply")) : Effect.succeed(reply))
    })
    socket.once("close", () => resume(Effect.fail(failed("closed without a reply"))))
    return Effect.sync(() => void socket.destroy())
  }).pipe(Effect.timeoutFail({ duration: "15 seconds", onTimeout: () => failed("does not reply") }))
}
