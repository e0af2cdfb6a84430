/**
 * The part of the kubelet API whose requests become connections: commands in containers, attaching, port forwarding.
 *
 * `/exec/NAMESPACE/POD/CONTAINER`, `/attach/NAMESPACE/POD/CONTAINER`, `/portForward/NAMESPACE/POD`; a uid may follow the name of the pod.
 */
import * as FileSystem from "@effect/platform/FileSystem"
import { type CoreV1, Status } from "@reddwarf/api-types"
import { CommandRunner } from "@reddwarf/runtime-illumos"
import { RemoteCommand, Upgrade } from "@reddwarf/streaming"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type * as Scope from "effect/Scope"
import * as CommandOutput from "../container/CommandOutput.js"
import * as ContainerTarget from "../container/ContainerTarget.js"
import * as NodeAgentMetrics from "../NodeAgentMetrics.js"
import * as PeerIdentity from "./PeerIdentity.js"
import * as SessionHosts from "../session/SessionHosts.js"
import type { SessionOperation } from "../session/SessionOperation.js"
import * as SessionRun from "../session/SessionRun.js"
import * as SupervisorClient from "../supervisor/SupervisorClient.js"

/** @category models */
export interface Options {
  /** The agent's data directory. */
  readonly dataDir: string
  /** The pods of this node. */
  readonly pods: () => ReadonlyArray<CoreV1.Pod>
  /** Sessions at the same time, wherever they are served; more are refused with 429. Default 128. */
  readonly maxSessions?: number
  /** Serve sessions of clients that follow redirects, so that these outlive the agent. Default none: the agent serves all of them. */
  readonly hosts?: Omit<SessionHosts.Options, "addressOf" | "dataDir" | "onChange"> | undefined
}

/** By which the API server says that it follows a redirect. */
const handOverHeader = "x-reddwarf-session-hand-over"

/** @category models */
export interface StreamingApi {
  /** Whether requests for this path are served here. */
  readonly owns: (parts: ReadonlyArray<string>) => boolean
  /** Serves a request that asks for an upgrade, to its end. */
  readonly serve: (upgrade: Upgrade.Upgrade, parts: ReadonlyArray<string>, query: URLSearchParams) => Effect.Effect<void>
  /** Ends the sessions that outlive the agent. */
  readonly endSessions: Effect.Effect<void>
  /** A command whose whole output is the answer, refused or not. */
  readonly run: (
    namespace: string,
    pod: string,
    uid: string | undefined,
    container: string,
    argv: ReadonlyArray<string>
  ) => Effect.Effect<{ readonly status: number; readonly body: string }>
}

const statusOf = (refusal: ContainerTarget.Refusal): Status.Status =>
  Status.failure(refusal.status, refusal.status === 404 ? "NotFound" : refusal.status === 400 ? "BadRequest" : "InternalError", refusal.message)

const portsOf = (query: URLSearchParams): Either.Either<ReadonlyArray<number>, ContainerTarget.Refusal> => {
  const words = query.getAll("ports").concat(query.getAll("port")).flatMap((value) => value.split(",")).filter((word) => word !== "")
  const bad = words.find((word) => !/^\d{1,5}$/.test(word) || Number(word) < 1 || Number(word) > 65_535)
  return bad === undefined ? Either.right(words.map(Number)) : Either.left({ status: 400, message: `unable to parse ${JSON.stringify(bad)} as a port` })
}

/**
 * Makes the endpoints.
 *
 * @category constructors
 */
export const make = (
  options: Options
): Effect.Effect<StreamingApi, never, CommandRunner.CommandRunner | FileSystem.FileSystem | Scope.Scope | SupervisorClient.SupervisorClient> =>
  Effect.gen(function*() {
    const runner = yield* CommandRunner.CommandRunner
    const fs = yield* FileSystem.FileSystem
    const supervisor = yield* SupervisorClient.SupervisorClient
    const maxSessions = options.maxSessions ?? 128
    let sessions = 0
    const show = (): void => NodeAgentMetrics.streamingSessions.unsafeUpdate(sessions + (hosts?.count() ?? 0), [])
    const podOf = (uid: string) => options.pods().find(({ metadata }) => metadata.uid === uid)
    const addressOf = (uid: string): string | undefined => podOf(uid)?.status?.podIP
    const hosts: SessionHosts.SessionHosts | undefined = options.hosts === undefined ? undefined : yield* SessionHosts.make({
      ...options.hosts,
      dataDir: options.dataDir,
      addressOf,
      onChange: () => show()
    }).pipe(Effect.catchAll((error) => Effect.as(Effect.logWarning("sessions end with this agent", error), undefined)))
    const surroundings: SessionRun.Surroundings = {
      dataDir: options.dataDir,
      runner,
      fs,
      supervisor,
      addressOf: (pod) => Effect.sync(() => addressOf(pod.uid) ?? pod.address)
    }

    const findContainer = (namespace: string, name: string, uid: string | undefined, container: string, notFound?: string) =>
      Effect.gen(function*() {
        const pod = ContainerTarget.findPod(options.pods(), namespace, name, uid)
        if (Either.isLeft(pod)) return Either.left(pod.left)
        const supervised = yield* supervisor.read(pod.right.metadata.uid ?? "")
        return ContainerTarget.find(supervised, container, notFound)
      }).pipe(Effect.catchAll((error) => Effect.succeed(Either.left<ContainerTarget.Refusal>({ status: 500, message: error.message }))))

    /** Serves a session here. */
    const serveHere = (upgrade: Upgrade.Upgrade, operation: SessionOperation): Effect.Effect<void> =>
      Effect.suspend(() => {
        if (sessions + (hosts?.count() ?? 0) >= maxSessions) return Upgrade.refuse(upgrade, Status.tooManyRequests())
        const count = (change: 1 | -1) =>
          Effect.sync(() => {
            sessions += change
            show()
          })
        return Effect.acquireUseRelease(count(1), () => SessionRun.serve(upgrade, operation, surroundings), () => count(-1))
      })

    const begin = (upgrade: Upgrade.Upgrade, operation: SessionOperation): Effect.Effect<void> =>
      hosts === undefined || upgrade.request.headers[handOverHeader] === undefined
        ? serveHere(upgrade, operation)
        : hosts.handOver(operation, PeerIdentity.fingerprint(upgrade.request), maxSessions - sessions).pipe(
          Effect.flatMap(Either.match({
            onLeft: () => Upgrade.refuse(upgrade, Status.tooManyRequests()),
            onRight: (location) => Upgrade.redirect(upgrade, location)
          })),
          Effect.catchAll((error) => Effect.zipRight(Effect.logWarning("a session ends with this agent", error), serveHere(upgrade, operation)))
        )

    const refuse = (upgrade: Upgrade.Upgrade, refusal: ContainerTarget.Refusal) => Upgrade.refuse(upgrade, statusOf(refusal))

    const command = (
      upgrade: Upgrade.Upgrade,
      parts: ReadonlyArray<string>,
      query: URLSearchParams,
      operationOf: (target: ContainerTarget.ContainerTarget, asked: RemoteCommand.Options) => SessionOperation
    ): Effect.Effect<void> =>
      Effect.gen(function*() {
        const [, namespace = "", name = ""] = parts
        const asked = RemoteCommand.parseOptions(query)
        if (Either.isLeft(asked)) {
          yield* refuse(upgrade, { status: 400, message: asked.left })
          return
        }
        const container = parts.at(-1) ?? ""
        const notFound = parts[0] === "attach" ? `container ${container} not found in pod ${name}_${namespace}` : undefined
        const target = yield* findContainer(namespace, name, parts.length === 5 ? parts[3] : undefined, container, notFound)
        if (Either.isLeft(target)) {
          yield* refuse(upgrade, target.left)
          return
        }
        yield* begin(upgrade, operationOf(target.right, asked.right))
      })

    const exec = (upgrade: Upgrade.Upgrade, parts: ReadonlyArray<string>, query: URLSearchParams) => {
      const [program, ...args] = query.getAll("command")
      if (program === undefined) return refuse(upgrade, { status: 400, message: "you must specify at least 1 command to execute" })
      return command(upgrade, parts, query, (target, asked) => ({ type: "exec", target, argv: [program, ...args], options: asked }))
    }

    const attach = (upgrade: Upgrade.Upgrade, parts: ReadonlyArray<string>, query: URLSearchParams) =>
      command(upgrade, parts, query, (target, asked) => ({ type: "attach", target, options: asked }))

    const portForward = (upgrade: Upgrade.Upgrade, parts: ReadonlyArray<string>, query: URLSearchParams): Effect.Effect<void> => {
      const [, namespace = "", name = "", uid] = parts
      const found = ContainerTarget.findPod(options.pods(), namespace, name, uid)
      if (Either.isLeft(found)) return refuse(upgrade, found.left)
      const ports = portsOf(query)
      if (Either.isLeft(ports)) return refuse(upgrade, ports.left)
      const address = found.right.status?.podIP
      const pod = { namespace, name, uid: found.right.metadata.uid ?? "", ...(address === undefined ? {} : { address }) }
      return begin(upgrade, { type: "portForward", pod, ports: ports.right })
    }

    return {
      owns: ([first, ...rest]) =>
        ((first === "exec" || first === "attach") && (rest.length === 3 || rest.length === 4))
        || (first === "portForward" && (rest.length === 2 || rest.length === 3)),
      serve: (upgrade, parts, query) =>
        parts[0] === "exec" ? exec(upgrade, parts, query) : parts[0] === "attach" ? attach(upgrade, parts, query) : portForward(upgrade, parts, query),
      endSessions: hosts?.end ?? Effect.void,
      run: (namespace, name, uid, container, argv) =>
        Effect.gen(function*() {
          if (argv.length === 0) return { status: 400, body: "you must specify at least 1 command to execute" }
          const target = yield* findContainer(namespace, name, uid, container)
          if (Either.isLeft(target)) return { status: target.left.status, body: target.left.message }
          return yield* CommandOutput.collect(runner, { target: target.right, argv })
        })
    }
  })
