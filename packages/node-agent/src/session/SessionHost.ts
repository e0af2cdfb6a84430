/**
 * The process that serves sessions (commands in containers, attached clients, forwarded ports) while agents come and go.
 *
 * An agent starts it at the first session, allows each session by a ticket, and may end at any time; the next one finds it by its socket. It
 * ends by itself some time after its last session.
 */
import * as FileSystem from "@effect/platform/FileSystem"
import { Status } from "@reddwarf/api-types"
import { CommandRunner } from "@reddwarf/runtime-illumos"
import { Upgrade } from "@reddwarf/streaming"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import { existsSync } from "node:fs"
import { join } from "node:path"
import type { LocalPeer } from "../internal/localPeer.js"
import * as controlSocket from "../internal/controlSocket.js"
import * as SupervisorClient from "../supervisor/SupervisorClient.js"
import * as Control from "./SessionControl.js"
import * as SessionEndpoint from "./SessionEndpoint.js"
import { type SessionHostUnusable, unusable } from "./SessionError.js"
import type { ForwardedPod } from "./SessionOperation.js"
import * as SessionRun from "./SessionRun.js"
import * as SessionTickets from "./SessionTickets.js"

/** @category models */
export interface Options {
  /** The agent's data directory. */
  readonly dataDir: string
  /** Name of the socket in the folder of sockets, chosen by who starts the host. */
  readonly socket: string
  /** Of the program: agents of another one begin no sessions here. */
  readonly identity: string
  /** How long it stays without a session. Default 1 minute. */
  readonly linger?: Duration.DurationInput
}

const decodeRequest = Schema.decodeUnknownOption(Control.Request)
const decodeAddress = Schema.decodeUnknownOption(Control.Address)

/** An agent that cannot say now where a pod is leaves it where it was. */
const addressPatience = "2 seconds"

const over = Status.failure(403, "Forbidden", "the session was not begun in time, or has been begun already; ask for it again")

/**
 * Serves sessions until it is not needed any more, is told to end, or is interrupted: then all sessions end.
 *
 * @category constructors
 */
export const run = (
  options: Options
): Effect.Effect<void, SessionHostUnusable, CommandRunner.CommandRunner | FileSystem.FileSystem | SupervisorClient.SupervisorClient> =>
  Effect.gen(function*() {
    const runner = yield* CommandRunner.CommandRunner
    const fs = yield* FileSystem.FileSystem
    const supervisor = yield* SupervisorClient.SupervisorClient
    const scope = yield* Effect.scope
    const linger = Duration.toMillis(options.linger ?? "1 minute")
    const tickets = SessionTickets.make()
    const ended = yield* Deferred.make<void>()
    const beginning = yield* Effect.makeSemaphore(1)
    const agents = new Set<LocalPeer>()
    let agent: LocalPeer | undefined
    let endpoint: { readonly host: string; readonly at: SessionEndpoint.SessionEndpoint } | undefined
    let retired = false
    let sessions = 0
    let usedAt = yield* Clock.currentTimeMillis

    const count = (change: 1 | -1) =>
      Effect.map(Clock.currentTimeMillis, (now) => {
        sessions += change
        usedAt = now
        for (const peer of agents) peer.tell({ sessions } satisfies typeof Control.Sessions.Type)
      })

    const addresses = new WeakMap<ForwardedPod, string>()
    const addressOf = (pod: ForwardedPod): Effect.Effect<string | undefined> =>
      Effect.suspend(() => agent === undefined ? Effect.succeedNone : Effect.map(agent.ask({ type: "address", uid: pod.uid }), decodeAddress)).pipe(
        Effect.timeout(addressPatience),
        Effect.orElseSucceed(() => Option.none<typeof Control.Address.Type>()),
        Effect.map((answer) => {
          const now = Option.getOrUndefined(answer)?.address
          if (now !== undefined) addresses.set(pod, now)
          return now ?? addresses.get(pod) ?? pod.address
        })
      )
    const surroundings: SessionRun.Surroundings = { dataDir: options.dataDir, runner, fs, supervisor, addressOf }

    const serve = (upgrade: Upgrade.Upgrade, ticket: string, holder: string): Effect.Effect<void> =>
      Effect.acquireUseRelease(
        Effect.tap(tickets.redeem(ticket, holder), Option.match({ onNone: () => Effect.void, onSome: () => count(1) })),
        Option.match({
          onNone: () => Upgrade.refuse(upgrade, over),
          onSome: (operation) => SessionRun.serve(upgrade, operation, surroundings)
        }),
        Option.match({ onNone: () => Effect.void, onSome: () => count(-1) })
      )

    const begin = (peer: LocalPeer, { host, port, tls }: Extract<Control.Request, { readonly type: "begin" }>) =>
      Effect.gen(function*() {
        if (retired) return { problem: "it takes no more sessions" }
        if (endpoint !== undefined && endpoint.host !== host) return { problem: `it listens on ${endpoint.host}` }
        endpoint?.at.renew(tls)
        endpoint ??= { host, at: yield* SessionEndpoint.make({ host, port, tls, serve }).pipe(Effect.provideService(Scope.Scope, scope)) }
        agent = peer
        return { port: endpoint.at.port }
      }).pipe(
        Effect.catchAll((error) => Effect.succeed({ problem: error.message })),
        beginning.withPermits(1)
      )

    const issue = ({ holder, limit, operation }: Extract<Control.Request, { readonly type: "ticket" }>): Effect.Effect<Control.Issued> =>
      Effect.gen(function*() {
        const outstanding = yield* tickets.outstanding
        if (retired) return { refused: "retired" } as const
        if (sessions + outstanding >= limit) return { refused: "full" } as const
        return { ticket: yield* tickets.issue(operation, holder) }
      })

    const retire = Effect.sync(() => {
      retired = true
      endpoint?.at.close()
    })

    const carryOut = (peer: LocalPeer, request: Control.Request): Effect.Effect<unknown> =>
      request.type === "begin"
        ? begin(peer, request)
        : request.type === "ticket"
        ? issue(request)
        : request.type === "retire"
        ? retire
        : Effect.zipRight(retire, Deferred.succeed(ended, undefined))

    const answer = (peer: LocalPeer) => (body: unknown): Effect.Effect<unknown> =>
      Option.match(decodeRequest(body), {
        onNone: () => Effect.succeed({ refused: "invalid" } satisfies Control.Issued),
        onSome: (request) => carryOut(peer, request)
      })

    const path = join(Control.folder(options.dataDir), options.socket)
    const failed = unusable("listen on", path)
    yield* Effect.unless(
      Effect.fail(failed(new Error("the name of the socket must be eight hexadecimal digits and .sock"))),
      () => Control.socketName.test(options.socket)
    )
    yield* controlSocket.listen(path, {
      onPeer: (peer) =>
        Effect.gen(function*() {
          agents.add(peer)
          peer.tell({ hello: "session-host", identity: options.identity, sessions } satisfies typeof Control.Hello.Type)
          yield* peer.gone
          agents.delete(peer)
          if (agent === peer) agent = undefined
        }),
      onAsk: answer
    }).pipe(Effect.mapError(failed))
    yield* Effect.logInfo("serving sessions").pipe(Effect.annotateLogs({ pid: process.pid, socket: path }))

    /** Between the look and the word nothing else happens: no ticket is issued any more by a host that ends. */
    const isNeeded = Effect.gen(function*() {
      const outstanding = yield* tickets.outstanding
      const now = yield* Clock.currentTimeMillis
      if (sessions + outstanding > 0) return true
      const needed = !retired && now - usedAt < linger && existsSync(path)
      retired ||= !needed
      return needed
    })
    yield* Effect.raceFirst(
      Deferred.await(ended),
      Effect.repeat(isNeeded, { while: (needed) => needed, schedule: Schedule.spaced("1 second") })
    )
    yield* Effect.logInfo("no more sessions")
  }).pipe(Effect.scoped)
