/** A connection to the server of a simulated host: any number of commands over one socket, each answered when it is done. */
import { type CommandLine, CommandRunner } from "@reddwarf/runtime-illumos"
import * as Data from "effect/Data"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FiberId from "effect/FiberId"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import { connect as connectTo, type Socket } from "node:net"
import * as frames from "./frames.js"
import * as messages from "./hostMessages.js"
import { identify, isAlive } from "./processTable.js"
import * as serverPlace from "./serverPlace.js"

/** Nobody serves the host, or not as this program understands it. */
export class NotConnected extends Data.TaggedError("NotConnected")<{
  readonly message: string
  /** There is no server. */
  readonly absent: boolean
}> {}

/** The server ends: the command was not begun. */
export class NotTaken extends Data.TaggedError("NotTaken") {}

/** A server to give commands to. */
export interface HostConnection {
  /** Of the program that serves. */
  readonly identity: string
  /** Whether it takes commands. */
  readonly isUsable: () => boolean
  /** As `CommandRunner.run`; an interruption kills the command and waits for that. */
  readonly run: (line: CommandLine.CommandLine) => Effect.Effect<CommandRunner.CommandResult, CommandRunner.CommandUnavailable | NotTaken>
  /** Resolves when there is no connection any more. */
  readonly closed: Effect.Effect<void>
  /** Ends the server when it has done what it does, and waits until it is gone. */
  readonly end: Effect.Effect<void>
}

const notConnected = (cause: unknown): NotConnected => {
  const code: unknown = cause instanceof Error ? Reflect.get(cause, "code") : undefined
  return new NotConnected({ message: cause instanceof Error ? cause.message : String(cause), absent: code === "ECONNREFUSED" || code === "ENOENT" })
}

const unavailable = ({ args, program }: CommandLine.CommandLine, reason: CommandRunner.CommandUnavailable["reason"], detail: string) =>
  new CommandRunner.CommandUnavailable({ program, args: [...args], reason, detail })

/** What a command may take that names no limit, as on a real host. */
const usualLimit = Duration.seconds(60)

/** A server keeps the limits of commands itself; one that is so far behind them does nothing any more. */
const patience = Duration.seconds(30)

/** How long a command may take to die. */
const dying = Duration.seconds(5)

const open = (place: serverPlace.ServerPlace): Effect.Effect<Socket, NotConnected, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.async<Socket, NotConnected>((resume) => {
      try {
        if (!serverPlace.isThere(place)) return resume(new NotConnected({ message: `${place.socket} is not there`, absent: true }))
        const socket = connectTo(place.socket)
        const refused = (cause: unknown) => resume(Effect.fail(notConnected(cause)))
        socket.on("error", () => undefined)
        socket.once("error", refused)
        socket.once("connect", () => {
          socket.off("error", refused)
          resume(Effect.succeed(socket))
        })
        return Effect.sync(() => void socket.destroy())
      } catch (cause) {
        return resume(Effect.fail(notConnected(cause)))
      }
    }).pipe(Effect.interruptible),
    (socket) => Effect.sync(() => void socket.destroy())
  )

/** Whether the server is still a process beside this one. Its number cannot have gone to another one in the moment since it was connected. */
const isRunning = (pid: number): boolean => pid !== process.pid && isAlive(identify(pid))

interface Waiting {
  readonly line: CommandLine.CommandLine
  /** In milliseconds of the machine's clock. */
  readonly until: number
  readonly resume: (outcome: Effect.Effect<CommandRunner.CommandResult, CommandRunner.CommandUnavailable | NotTaken>) => void
}

/** Connects for as long as the scope lives. Who `keeps` the host has it served as long as that. */
export const connect = (place: serverPlace.ServerPlace, keeps: boolean): Effect.Effect<HostConnection, NotConnected, Scope.Scope> =>
  Effect.gen(function*() {
    const socket = yield* open(place)
    const write = frames.writer(socket)
    const say = (request: { readonly kind: "cancel"; readonly id: number } | { readonly kind: "keep" | "end" }): void => {
      const frame = frames.encode(request)
      if (frame !== undefined) write(frame)
    }
    const greeted = Deferred.unsafeMake<{ readonly identity: string; readonly pid: number }, NotConnected>(FiberId.none)
    const closed = Deferred.unsafeMake<void>(FiberId.none)
    const waiting = new Map<number, Waiting>()
    let serial = 0
    let leaving = false

    const settle = (id: number, outcome: (line: CommandLine.CommandLine) => Effect.Effect<CommandRunner.CommandResult, CommandRunner.CommandUnavailable | NotTaken>): void => {
      const waited = waiting.get(id)
      waiting.delete(id)
      waited?.resume(outcome(waited.line))
      if (leaving && waiting.size === 0) socket.end()
    }
    const greet = ({ identity, pid, protocol }: Extract<messages.Answer, { readonly kind: "hello" }>): void => {
      Deferred.unsafeDone(greeted, protocol === messages.protocol
        ? Exit.succeed({ identity, pid })
        : Exit.fail(new NotConnected({ message: `the server speaks version ${protocol}, not ${messages.protocol}`, absent: false })))
    }
    const hear = (message: unknown): void => {
      const answer = messages.answer(message)
      switch (answer?.kind) {
        case undefined:
          return void socket.destroy()
        case "hello":
          return greet(answer)
        case "result":
          return settle(answer.id, () => Effect.succeed(answer.result))
        case "unavailable":
          return settle(answer.id, (line) => Effect.fail(unavailable(line, answer.reason, answer.detail)))
        case "killed":
          return settle(answer.id, (line) => Effect.fail(unavailable(line, "Failed", "the command was killed")))
        case "refused":
          return settle(answer.id, () => Effect.fail(new NotTaken()))
        case "leaving":
          leaving = true
          if (waiting.size === 0) socket.end()
      }
    }
    const read = frames.reader(hear)
    socket.on("data", (chunk: Buffer) => {
      if (!read(chunk)) socket.destroy()
    })
    // One timer for all commands: each of them has the server's own limit already. Plain, as a fiber for each would cost as much as the command.
    const watch = setInterval(() => {
      const now = performance.now()
      if ([...waiting.values()].some(({ until }) => until < now)) socket.destroy()
    }, 1000)
    const lost = (): void => {
      clearInterval(watch)
      leaving = true
      Deferred.unsafeDone(greeted, Exit.fail(new NotConnected({ message: "the server has closed the connection", absent: true })))
      Deferred.unsafeDone(closed, Exit.void)
      waiting.forEach((_, id) =>
        settle(id, (line) => Effect.fail(unavailable(line, "Failed", "the process of the simulated host went away; what the command did by then is done"))))
    }
    socket.once("close", lost)
    if (socket.destroyed) lost()
    yield* Effect.addFinalizer(() => Effect.sync(() => clearInterval(watch)))
    const { identity, pid } = yield* Deferred.await(greeted).pipe(
      Effect.timeoutFail({ duration: "5 seconds", onTimeout: () => new NotConnected({ message: "the server does not answer", absent: false }) })
    )
    if (keeps) say({ kind: "keep" })

    const isUsable = () => !leaving && !socket.destroyed
    const kill = (id: number): Effect.Effect<void> =>
      Effect.async<void>((resume) => {
        const waited = waiting.get(id)
        if (waited === undefined) return resume(Effect.void)
        waiting.set(id, { ...waited, resume: () => resume(Effect.void) })
        say({ kind: "cancel", id })
      }).pipe(Effect.timeout(dying), Effect.ignore)
    const give = (line: CommandLine.CommandLine) =>
      Effect.async<CommandRunner.CommandResult, CommandRunner.CommandUnavailable | NotTaken>((resume) => {
        if (!isUsable()) return resume(new NotTaken())
        const id = serial += 1
        const frame = frames.encode(messages.runMessage(id, line))
        if (frame === undefined) return resume(unavailable(line, "Failed", `with its input it is more than ${frames.maxBytes} bytes`))
        waiting.set(id, { line, until: performance.now() + Duration.toMillis(line.timeout ?? usualLimit) + Duration.toMillis(patience), resume })
        write(frame)
        return Effect.suspend(() => kill(id))
      })
    const places = yield* Effect.makeSemaphore(messages.maxCommands)
    return {
      identity,
      isUsable,
      closed: Deferred.await(closed),
      run: (line) => places.withPermits(1)(give(line)),
      end: Effect.sync(() => say({ kind: "end" })).pipe(
        Effect.zipRight(Deferred.await(closed)),
        Effect.zipRight(Effect.repeat(Effect.sync(() => isRunning(pid)), { while: (running) => running, schedule: Schedule.spaced("10 millis") })),
        Effect.asVoid
      )
    }
  })
