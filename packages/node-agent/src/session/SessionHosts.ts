/** The agent's side of session hosts: it finds those of agents before it, starts one when a session needs it, and hands sessions over. */
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import { randomBytes } from "node:crypto"
import { readdirSync, rmSync } from "node:fs"
import { join } from "node:path"
import * as controlSocket from "../internal/controlSocket.js"
import type { LocalPeer } from "../internal/localPeer.js"
import * as Control from "./SessionControl.js"
import * as SessionEndpoint from "./SessionEndpoint.js"
import { SessionHostUnusable, unusable } from "./SessionError.js"
import type { SessionOperation } from "./SessionOperation.js"

/** How session hosts are started. @category models */
export interface Program {
  /**
   * Has something run `SessionHost.run` for the data directory, with this name of a socket, that neither waits for the agent nor ends with it.
   * The result resolves when it has ended.
   */
  readonly start: (socket: string) => Effect.Effect<Effect.Effect<void>, SessionHostUnusable>
  /** Of the program. Hosts of another one serve the sessions they have, and no more. */
  readonly identity: string
  /** Where it listens at the address of the node. Default 0: a free one. */
  readonly port?: number
}

/** @category models */
export interface Options extends Program {
  readonly dataDir: string
  /** Address of the node. */
  readonly nodeAddress: string
  readonly tls: Control.Tls
  /** The address of a pod by now. */
  readonly addressOf: (uid: string) => string | undefined
  /** Called when the number of sessions has changed. */
  readonly onChange?: () => void
}

/** @category models */
export interface SessionHosts {
  /** Sessions that hosts serve now, as far as they have told. */
  readonly count: () => number
  /**
   * Has a session served by a host, unless so many are served already. Right: where the client, who has shown this certificate, finds it; left:
   * there are too many.
   */
  readonly handOver: (operation: SessionOperation, holder: string, limit: number) => Effect.Effect<Either.Either<string, "full">, SessionHostUnusable>
  /** Ends all hosts with their sessions, and waits for it. */
  readonly end: Effect.Effect<void>
}

interface Host {
  readonly name: string
  readonly peer: LocalPeer
  sessions: number
}

interface Met {
  readonly host: Host
  readonly identity: string
}

const decodeHello = Schema.decodeUnknownOption(Control.Hello)
const decodeSessions = Schema.decodeUnknownOption(Control.Sessions)
const decodeBegun = Schema.decodeUnknownOption(Control.Begun)
const decodeIssued = Schema.decodeUnknownOption(Control.Issued)
const decodeAddressRequest = Schema.decodeUnknownOption(Control.AddressRequest)

const helloPatience = "5 seconds"
const startPatience = "20 seconds"
const failurePause = Duration.seconds(30)
const endPatience = Duration.seconds(10)

const originOf = (host: string, port: number): string => `https://${host.includes(":") ? `[${host}]` : host}:${port}`

/** Tells every session host of a data directory to end, and waits for it; what does not answer is left. @category combinators */
export const endAll = (dataDir: string): Effect.Effect<void> => {
  const folder = Control.folder(dataDir)
  const end = (name: string) =>
    controlSocket.connect(join(folder, name), { onAsk: () => Effect.succeed(null), onTell: () => undefined }).pipe(
      Effect.flatMap((peer) => Effect.zipRight(Effect.ignore(peer.ask({ type: "end" } satisfies Control.Request)), peer.gone)),
      Effect.scoped,
      Effect.timeout(endPatience),
      Effect.catchAll((error) => Effect.logDebug("a session host does not end, or has ended", error))
    )
  return Effect.flatMap(socketsOf(folder), Effect.forEach(end, { concurrency: "unbounded", discard: true }))
}

const socketsOf = (folder: string): Effect.Effect<ReadonlyArray<string>> =>
  Effect.try(() => readdirSync(folder).filter((name) => Control.socketName.test(name))).pipe(Effect.orElseSucceed(() => []))

/**
 * Looks for the hosts of earlier agents, and serves the agent for as long as the scope lives. Hosts and their sessions outlive it. Fails when
 * the data directory cannot have the sockets.
 *
 * @category constructors
 */
export const make = (options: Options): Effect.Effect<SessionHosts, SessionHostUnusable, Scope.Scope> =>
  Effect.gen(function*() {
    const folder = Control.folder(options.dataDir)
    const scope = yield* Effect.scope
    const lock = yield* Effect.makeSemaphore(1)
    const hosts = new Set<Host>()
    let active: { readonly host: Host; readonly port: number } | undefined
    const changed = () => options.onChange?.()

    yield* Effect.mapError(controlSocket.prepareFolder(folder), unusable("use the folder of sockets", folder))
    const path = (name: string) => join(folder, name)
    if (Buffer.byteLength(path("00000000.sock")) > Control.longestPath) {
      return yield* new SessionHostUnusable({ operation: "make sockets in", path: folder, detail: `the path is too long: the data directory may have ${Control.longestPath - 23} bytes` })
    }

    const answerAddress = (body: unknown): Effect.Effect<unknown> =>
      Effect.sync((): typeof Control.Address.Type => {
        const address = Option.getOrUndefined(Option.map(decodeAddressRequest(body), ({ uid }) => options.addressOf(uid)))
        return address === undefined ? {} : { address }
      })

    /** Listens to a host for as long as it is there. */
    const listen = (name: string, met: Deferred.Deferred<Met, controlSocket.ControlSocketFailed>) =>
      Effect.gen(function*() {
        const hello = yield* Deferred.make<typeof Control.Hello.Type>()
        let host: Host | undefined
        const peer = yield* controlSocket.connect(path(name), {
          onAsk: answerAddress,
          onTell: (body) => {
            const said = decodeHello(body)
            if (Option.isSome(said)) Deferred.unsafeDone(hello, Exit.succeed(said.value))
            const now = decodeSessions(body)
            if (host === undefined || Option.isNone(now)) return
            host.sessions = now.value.sessions
            changed()
          }
        })
        const nobody = new controlSocket.ControlSocketFailed({ message: "nobody says to be a session host there", stale: false })
        const { identity, sessions } = yield* Deferred.await(hello).pipe(
          Effect.raceFirst(Effect.zipRight(peer.gone, Effect.fail(nobody))),
          Effect.timeoutFail({ duration: helloPatience, onTimeout: () => nobody })
        )
        const known: Host = { name, peer, sessions }
        host = known
        hosts.add(known)
        changed()
        yield* Deferred.succeed(met, { host: known, identity })
        yield* Effect.ensuring(peer.gone, Effect.sync(() => {
          hosts.delete(known)
          if (active?.host === known) active = undefined
          changed()
        }))
      }).pipe(Effect.scoped, Effect.catchAll((error) => Deferred.fail(met, error)))

    const meet = (name: string): Effect.Effect<Met, controlSocket.ControlSocketFailed> =>
      Effect.gen(function*() {
        const met = yield* Deferred.make<Met, controlSocket.ControlSocketFailed>()
        yield* Effect.forkIn(listen(name, met), scope)
        return yield* Deferred.await(met)
      })

    /** Makes it the one that is given sessions. */
    const begin = (host: Host) =>
      Effect.gen(function*() {
        const failed = unusable("begin sessions with the host at", path(host.name))
        const request: Control.Request = { type: "begin", host: options.nodeAddress, port: options.port ?? 0, tls: options.tls }
        const begun = Option.getOrUndefined(decodeBegun(yield* Effect.mapError(host.peer.ask(request), failed)))
        if (begun === undefined || "problem" in begun) return yield* failed(new Error(begun?.problem ?? "it does not say where it listens"))
        active = { host, port: begun.port }
        return active
      })

    const retire = (host: Host) => Effect.ignore(host.peer.ask({ type: "retire" } satisfies Control.Request))

    /** A host of an earlier agent that runs the same program goes on; any other one has its sessions to end, and ends then. */
    const adopt = (name: string) =>
      Effect.gen(function*() {
        const { host, identity } = yield* meet(name)
        if (identity !== options.identity || active !== undefined) yield* retire(host)
        else yield* Effect.catchAll(begin(host), (error) => Effect.zipRight(Effect.logInfo("a session host is used no more", error), retire(host)))
      }).pipe(Effect.catchAll((error) =>
        error.stale
          ? Effect.sync(() => rmSync(path(name), { force: true }))
          : Effect.logWarning(`the session host of ${path(name)} is left alone`, error)
      ))

    const start = Effect.gen(function*() {
      const name = `${randomBytes(4).toString("hex")}.sock`
      const failed = unusable("start a session host with the socket", path(name))
      const ended = yield* options.start(name)
      const { host } = yield* meet(name).pipe(
        Effect.retry(Schedule.spaced("20 millis")),
        Effect.raceFirst(Effect.zipRight(ended, Effect.fail(failed(new Error("it has ended; sessions.log beside the socket says why"))))),
        Effect.timeoutFail({ duration: startPatience, onTimeout: () => failed(new Error(`it does not answer within ${startPatience}`)) }),
        Effect.mapError((error) => error._tag === "SessionHostUnusable" ? error : failed(error))
      )
      yield* Effect.logInfo("started a session host").pipe(Effect.annotateLogs({ socket: path(name) }))
      return yield* Effect.tapError(begin(host), () => retire(host))
    })

    let failure: { readonly error: SessionHostUnusable; readonly until: number } | undefined
    /** One host for all who come while it is started. Where that fails, sessions need not wait for it to fail again. */
    const ensure = Effect.gen(function*() {
      if (active !== undefined) return active
      const now = yield* Clock.currentTimeMillis
      if (failure !== undefined && now < failure.until) return yield* failure.error
      return yield* Effect.tapError(start, (error) =>
        Effect.sync(() => {
          failure = { error, until: now + Duration.toMillis(failurePause) }
        }))
    }).pipe(lock.withPermits(1))
    const adoptAll = Effect.flatMap(socketsOf(folder), Effect.forEach(adopt, { discard: true }))
    // Whoever hands a session over waits for it.
    const looked = yield* Deferred.make<void>()
    yield* Effect.forkScoped(Effect.ensuring(adoptAll, Deferred.succeed(looked, undefined)))

    const count = () => [...hosts].reduce((sum, { sessions }) => sum + sessions, 0)

    const ask = (operation: SessionOperation, holder: string, limit: number) =>
      Effect.gen(function*() {
        const { host, port } = yield* ensure
        const others = count() - host.sessions
        const request: Control.Request = { type: "ticket", operation, holder, limit: limit - others }
        const issued = yield* Effect.option(host.peer.ask(request))
        return { port, answer: Option.getOrUndefined(Option.flatMap(issued, decodeIssued)) }
      })

    const handOver: SessionHosts["handOver"] = (operation, holder, limit) =>
      Effect.gen(function*() {
        yield* Deferred.await(looked)
        let { answer, port } = yield* ask(operation, holder, limit)
        if (answer === undefined || ("refused" in answer && answer.refused === "retired")) {
          // It was about to end; the next one has just begun.
          active = undefined
          ;({ answer, port } = yield* ask(operation, holder, limit))
        }
        if (answer !== undefined && "ticket" in answer) {
          return Either.right(`${originOf(options.nodeAddress, port)}${SessionEndpoint.path}?ticket=${answer.ticket}`)
        }
        if (answer?.refused === "full") return Either.left("full" as const)
        return yield* new SessionHostUnusable({ operation: "have a session served by a host of", path: folder, detail: answer === undefined ? "it does not answer" : `it says: ${answer.refused}` })
      })

    return {
      count,
      handOver,
      end: endAll(options.dataDir)
    }
  })
