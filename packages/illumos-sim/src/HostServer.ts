/**
 * Serves the commands of one simulated host to other processes of this machine, over a socket in the host's directory. On a real host each
 * command is a process of its own; so is this for those who use the host: what its commands cost is not counted as theirs, and a command
 * goes on to its end when whoever gave it dies.
 */
import { CommandRunner } from "@reddwarf/runtime-illumos"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import * as FiberSet from "effect/FiberSet"
import * as Cause from "effect/Cause"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as fs from "node:fs"
import { createServer, type Server, type Socket } from "node:net"
import * as frames from "./internal/frames.js"
import * as messages from "./internal/hostMessages.js"
import * as lockFile from "./internal/lockFile.js"
import * as serverPlace from "./internal/serverPlace.js"

/** @category models */
export interface Options {
  /** Folder of the host. */
  readonly directory: string
  /** Of the program that serves: a client that keeps the host served wants the same program, and ends another. Default empty. */
  readonly identity?: string
  /** How long the host is served while no client keeps it and no command is under way. Default 10 seconds. */
  readonly linger?: Duration.DurationInput
}

/** The host cannot be served. @category errors */
export class HostNotServed extends Schema.TaggedError<HostNotServed>()("HostNotServed", {
  directory: Schema.String,
  reason: Schema.Literal("Served", "InputOutput"),
  detail: Schema.String
}) {
  override get message(): string {
    const next = {
      Served: "nothing has to be done: its clients find the other server",
      InputOutput: "check the path, space and permissions of the directory; without a server each program runs the commands itself"
    }[this.reason]
    return `simulated host in ${this.directory}: ${this.detail}; ${next}`
  }
}

const failed = (directory: string) => (cause: unknown): HostNotServed =>
  cause instanceof HostNotServed
    ? cause
    : new HostNotServed({ directory, reason: "InputOutput", detail: cause instanceof Error ? cause.message : String(cause) })

/** Holds the lock by which there is one server for a host. That of a dead process is taken away by the first attempt. */
const lock = (directory: string, { lock: file }: serverPlace.ServerPlace) =>
  Effect.acquireRelease(
    Effect.try({
      try: () => {
        const token = lockFile.tryAcquire(file) ?? lockFile.tryAcquire(file)
        if (token === undefined) throw new HostNotServed({ directory, reason: "Served", detail: "another process serves it" })
        return token
      },
      catch: failed(directory)
    }),
    // The directory may be gone before the server is.
    (token) => Effect.ignore(Effect.try(() => lockFile.release(file, token)))
  )

const listen = (directory: string, { socket: file }: serverPlace.ServerPlace, talk: (socket: Socket) => void) =>
  Effect.acquireRelease(
    Effect.async<Server, HostNotServed>((resume) => {
      const server = createServer(talk)
      server.once("error", (cause) => resume(Effect.fail(failed(directory)(cause))))
      const unfinished = `${file}.new`
      fs.rmSync(unfinished, { force: true })
      server.listen(unfinished, () => resume(Effect.try({
        try: () => {
          fs.chmodSync(unfinished, 0o600)
          // What is there belongs to a server that is dead, as the lock says.
          fs.renameSync(unfinished, file)
          return server
        },
        catch: failed(directory)
      })))
    }),
    (server) =>
      Effect.sync(() => {
        server.close()
        fs.rmSync(file, { force: true })
      })
  )

/** Answers that a client does not fetch; more of its commands are not read before it has. */
const unfetchedBytes = 32 * 1024 * 1024

/** A client with more under way keeps to nothing. Twice what it may have, as it does not wait for ever for one that it has given up. */
const mostCommands = 2 * messages.maxCommands

/** How long clients may take to go when the server ends. Those that wait for nothing go at once. */
const farewell = Duration.seconds(2)

const answerOf = (id: number, exit: Exit.Exit<CommandRunner.CommandResult, CommandRunner.CommandUnavailable>): messages.Answer => {
  if (Exit.isSuccess(exit)) {
    const { exitCode, stderr, stdout } = exit.value
    return { kind: "result", id, result: { exitCode, stdout, stderr } }
  }
  if (Exit.isInterrupted(exit)) return { kind: "killed", id }
  const error = Option.getOrUndefined(Cause.failureOption(exit.cause))
  return { kind: "unavailable", id, reason: error?.reason ?? "Failed", detail: error?.detail ?? Cause.pretty(exit.cause) }
}

interface Client {
  readonly socket: Socket
  readonly say: (answer: messages.Answer) => void
  keeps: boolean
}

/** What is known of the clients and of their commands. */
interface Desk {
  readonly clients: Set<Client>
  /** Commands under way, also those whose client is gone. */
  readonly underWay: () => number
  readonly talk: (socket: Socket) => void
  /** From here on nothing is begun any more. */
  readonly close: Effect.Effect<void>
}

/** A command is the plain start of a fiber and its answer a callback: this is passed for every command of a busy host. */
const makeDesk = (identity: string, onEnd: () => void): Effect.Effect<Desk, never, CommandRunner.CommandRunner | Scope.Scope> =>
  Effect.gen(function*() {
    const runner = yield* CommandRunner.CommandRunner
    const begin = yield* FiberSet.makeRuntime<never, CommandRunner.CommandResult, CommandRunner.CommandUnavailable>()
    const clients = new Set<Client>()
    let underWay = 0
    let closed = false

    const talk = (socket: Socket): void => {
      const running = new Map<number, Fiber.RuntimeFiber<CommandRunner.CommandResult, CommandRunner.CommandUnavailable>>()
      const write = frames.writer(socket)
      const say = (answer: messages.Answer): void => {
        const frame = frames.encode(answer)
        if (frame !== undefined) write(frame)
        else if (answer.kind === "result") say({ kind: "unavailable", id: answer.id, reason: "OutputLimit", detail: `printed more than fits into ${frames.maxBytes} bytes` })
        if (socket.writableLength > unfetchedBytes) socket.pause()
      }
      const client: Client = { socket, say, keeps: false }
      const run = ({ id, line }: Extract<messages.Request, { readonly kind: "run" }>): void => {
        if (closed) return say({ kind: "refused", id })
        if (running.size >= mostCommands || running.has(id)) return void socket.destroy()
        underWay += 1
        const fiber = begin(runner.run(line))
        running.set(id, fiber)
        fiber.addObserver((exit) => {
          underWay -= 1
          running.delete(id)
          say(answerOf(id, exit))
        })
      }
      const hear = (message: unknown): void => {
        // What came with a message that was none is not listened to either.
        if (socket.destroyed) return
        const request = messages.request(message)
        switch (request?.kind) {
          case undefined:
            return void socket.destroy()
          case "run":
            return run(request)
          case "cancel":
            return running.get(request.id)?.unsafeInterruptAsFork(FiberId.none)
          case "keep":
            client.keeps = true
            return
          case "end":
            return onEnd()
        }
      }
      const read = frames.reader(hear)
      clients.add(client)
      socket.on("error", () => undefined)
      socket.once("close", () => void clients.delete(client))
      socket.on("drain", () => void socket.resume())
      socket.on("data", (chunk: Buffer) => {
        if (!read(chunk)) socket.destroy()
      })
      say({ kind: "hello", protocol: messages.protocol, identity, pid: process.pid })
      if (closed) say({ kind: "leaving" })
    }
    yield* Effect.addFinalizer(() => Effect.sync(() => {
      for (const { socket } of clients) socket.destroy()
    }))
    return {
      clients,
      underWay: () => underWay,
      talk,
      close: Effect.sync(() => {
        closed = true
        for (const { say } of clients) say({ kind: "leaving" })
      })
    }
  })

const moment = Schedule.spaced("50 millis")

/**
 * Serves the commands of the runner in the context, which is a simulated host's, until nobody needs them any more: when no client has kept the
 * host, and no command was under way, for as long as the server lingers; when a client ends it; or when the directory is gone. What was begun
 * is finished then. An interruption kills the commands that are under way.
 *
 * Fails when another process serves the host, or when the directory cannot hold a socket.
 *
 * @category constructors
 */
export const serve = (options: Options): Effect.Effect<void, HostNotServed, CommandRunner.CommandRunner> =>
  Effect.gen(function*() {
    const { directory } = options
    const place = serverPlace.of(directory)
    const linger = Duration.toMillis(options.linger ?? "10 seconds")
    const ended = yield* Deferred.make<void>()
    const desk = yield* makeDesk(options.identity ?? "", () => Deferred.unsafeDone(ended, Exit.void))
    yield* Effect.try({ try: () => serverPlace.prepare(place), catch: failed(directory) })
    // The next server may begin as soon as this one takes no more commands.
    yield* Effect.scoped(Effect.gen(function*() {
      // One that ends has taken its socket away a moment before it gives the lock back.
      yield* Effect.retry(lock(directory, place), { while: ({ reason }) => reason === "Served", schedule: Schedule.intersect(moment, Schedule.recurs(20)) })
      yield* listen(directory, place, desk.talk)
      yield* Effect.logInfo("serving the simulated host").pipe(Effect.annotateLogs({ directory, pid: process.pid }))
      let neededAt = yield* Clock.currentTimeMillis
      const isNeeded = Effect.map(Clock.currentTimeMillis, (now) => {
        const needed = desk.underWay() > 0 || [...desk.clients].some(({ keeps }) => keeps)
        if (needed) neededAt = now
        return fs.existsSync(place.socket) && now - neededAt < linger
      })
      yield* Effect.raceFirst(
        Deferred.await(ended),
        Effect.repeat(isNeeded, { while: (needed) => needed, schedule: Schedule.spaced(Math.min(500, Math.max(10, linger / 4))) })
      )
    }))
    yield* desk.close
    yield* Effect.sync(() => desk.underWay()).pipe(Effect.repeat({ until: (count) => count === 0, schedule: moment }))
    yield* Effect.sync(() => desk.clients.size).pipe(
      Effect.repeat({ until: (count) => count === 0, schedule: moment }),
      Effect.timeout(farewell),
      Effect.ignore
    )
    yield* Effect.logInfo("nobody needs the simulated host any more")
  }).pipe(Effect.scoped)
