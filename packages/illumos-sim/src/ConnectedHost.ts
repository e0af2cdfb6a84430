/**
 * A simulated host whose commands run in a process of their own, as those of a real host do, when that process is there. Everything else (programs
 * to talk to, temporary files) is done by the process that asks; both work on the host's directory.
 */
import { type CommandLine, CommandRunner } from "@reddwarf/runtime-illumos"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as ExecutionStrategy from "effect/ExecutionStrategy"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import * as Scope from "effect/Scope"
import type { HostNotServed } from "./HostServer.js"
import * as hostConnection from "./internal/hostConnection.js"
import * as hostFiles from "./internal/hostFiles.js"
import * as serverPlace from "./internal/serverPlace.js"
import * as temporaryFile from "./internal/temporaryFile.js"
import type * as SimulatedHost from "./SimulatedHost.js"
import { StateUnavailable } from "./StateUnavailable.js"

/** @category models */
export interface Options extends SimulatedHost.Options {
  /** Keeps the host served. Who leaves it out uses the server that is there, and runs the commands itself when there is none. */
  readonly server?: ServerOptions
}

/** How a host is kept served. @category models */
export interface ServerOptions {
  /** Of the program that serves: a server of another program is ended first. */
  readonly identity: string
  /** As `HostServerProcess.start`. */
  readonly start: Effect.Effect<Effect.Effect<string>, HostNotServed>
}

type Runner = Context.Tag.Service<CommandRunner.CommandRunner>
type Connection = hostConnection.HostConnection

/** How long a server may take to come up, or to go. */
const patience = "30 seconds"

/** For so many milliseconds it is not tried again to start a server that does not come up. */
const pause = 10_000

const soon = Schedule.spaced("10 millis")

const notConnected = (message: string) => new hostConnection.NotConnected({ message, absent: false })

/** Starts a server and connects to it, or to one that was started by somebody else at the same time. */
const launched = <A>({ start }: ServerOptions, connect: Effect.Effect<A, hostConnection.NotConnected>): Effect.Effect<A, hostConnection.NotConnected> =>
  Effect.gen(function*() {
    const ended = yield* Effect.mapError(start, ({ message }) => notConnected(message))
    const connected = connect.pipe(
      Effect.retry({ while: ({ absent }) => absent, schedule: soon }),
      Effect.timeoutFail({ duration: patience, onTimeout: () => notConnected(`no server within ${patience}`) })
    )
    const gone = Effect.flatMap(ended, (status) =>
      Effect.catchAll(connect, () => notConnected(`its server ended with ${status}; see its log`)))
    return yield* Effect.raceFirst(connected, gone)
  })

interface Connections {
  /** One that takes commands, if there is one right now. */
  readonly current: () => Connection | undefined
  /** Connects, after starting a server where that is ours to do; nothing where there is none. */
  readonly obtain: Effect.Effect<Connection | undefined>
}

const makeConnections = ({ directory, server }: Options): Effect.Effect<Connections, never, Scope.Scope> =>
  Effect.gen(function*() {
    const place = serverPlace.of(directory)
    const one = yield* Effect.makeSemaphore(1)
    const scope = yield* Effect.scope
    let known: Connection | undefined
    let notBefore = 0

    const connect = Effect.uninterruptibleMask((restore) =>
      Effect.gen(function*() {
        const own = yield* Scope.fork(scope, ExecutionStrategy.sequential)
        const connection = yield* restore(Scope.extend(hostConnection.connect(place, server !== undefined), own)).pipe(
          Effect.onError((cause) => Scope.close(own, Exit.failCause(cause)))
        )
        // One that takes no more commands stays until those it has are answered.
        yield* Effect.forkIn(Effect.zipRight(restore(connection.closed), Scope.close(own, Exit.void)), scope)
        known = connection
        return connection
      })
    )
    const kept = (options: ServerOptions) =>
      Effect.gen(function*() {
        const found = yield* Effect.catchAll(connect, (error) => error.absent ? Effect.succeed(undefined) : Effect.fail(error))
        if (found?.identity === options.identity) return found
        if (found !== undefined) {
          yield* Effect.logInfo("the simulated host is served by another program, which is ended").pipe(Effect.annotateLogs({ directory }))
          yield* Effect.timeoutFail(found.end, { duration: patience, onTimeout: () => notConnected(`its server does not end within ${patience}`) })
        }
        return yield* launched(options, connect)
      })
    const keep = (options: ServerOptions) =>
      Effect.gen(function*() {
        const now = yield* Clock.currentTimeMillis
        if (now < notBefore) return undefined
        return yield* Effect.catchAll(kept(options), (error) => {
          notBefore = now + pause
          return Effect.logWarning("the commands of the simulated host run in this process").pipe(
            Effect.annotateLogs({ directory, why: error.message }),
            Effect.as(undefined)
          )
        })
      })

    const current = () => known?.isUsable() === true ? known : undefined
    return {
      current,
      obtain: Effect.suspend(() => {
        const connection = current()
        if (connection !== undefined) return Effect.succeed(connection)
        return server === undefined ? Effect.orElseSucceed(connect, () => undefined) : keep(server)
      }).pipe(one.withPermits(1))
    }
  })

/**
 * The host as a `CommandRunner`. A command that was given to a server which then goes away fails with `CommandUnavailable`, as what it did by
 * then is not known; the next one finds another server, or runs in this process.
 *
 * Fails when the directory cannot be used or holds a state that cannot be read.
 *
 * @category layers
 */
export const layer = (options: Options): Layer.Layer<CommandRunner.CommandRunner, StateUnavailable> =>
  Layer.scoped(
    CommandRunner.CommandRunner,
    Effect.gen(function*() {
      const { directory } = options
      const files = yield* Effect.try({
        try: () => hostFiles.make(directory),
        catch: (error) => new StateUnavailable({ directory, reason: "InputOutput", detail: error instanceof Error ? error.message : String(error) })
      })
      const scope = yield* Effect.scope
      // What a process that has a server never needs, it never loads.
      const own: Effect.Effect<Runner, StateUnavailable> = yield* Effect.cached(
        Effect.promise(() => import("./SimulatedHost.js")).pipe(
          Effect.flatMap((host) => Layer.buildWithScope(host.layer(options), scope)),
          Effect.map(Context.get(CommandRunner.CommandRunner))
        )
      )
      const { current, obtain } = yield* makeConnections(options)
      if ((yield* obtain) === undefined) yield* own

      const ownFor = ({ args, program }: CommandLine.CommandLine) =>
        Effect.mapError(own, ({ message }) =>
          new CommandRunner.CommandUnavailable({ program, args: [...args], reason: "Failed", detail: message }))
      const runHere = (line: CommandLine.CommandLine) => Effect.flatMap(ownFor(line), (runner) => runner.run(line))
      const runAnew = (line: CommandLine.CommandLine) =>
        Effect.flatMap(obtain, (connection) =>
          connection === undefined ? runHere(line) : Effect.catchTag(connection.run(line), "NotTaken", () => runHere(line)))
      return CommandRunner.CommandRunner.of({
        run: (line) =>
          Effect.suspend(() => {
            const connection = current()
            return connection === undefined ? runAnew(line) : Effect.catchTag(connection.run(line), "NotTaken", () => runAnew(line))
          }),
        start: (line, startOptions) => Effect.flatMap(ownFor(line), (runner) => runner.start(line, startOptions)),
        tempFile: temporaryFile.make(files)
      })
    })
  )

/**
 * Ends the server of a host, if there is one, when what it does is done, and waits until it is gone. Fails with its description when it does not
 * go within 30 seconds.
 *
 * @category constructors
 */
export const endServer = (directory: string): Effect.Effect<void, StateUnavailable> =>
  hostConnection.connect(serverPlace.of(directory), false).pipe(
    Effect.flatMap(({ end }) => Effect.timeoutFail(end, { duration: patience, onTimeout: () => notConnected(`it does not end within ${patience}`) })),
    Effect.scoped,
    Effect.catchAll((error) =>
      error.absent ? Effect.void : Effect.fail(new StateUnavailable({ directory, reason: "Locked", detail: `its server: ${error.message}` })))
  )
