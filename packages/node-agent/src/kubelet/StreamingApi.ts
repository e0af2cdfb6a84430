/**
 * The part of the kubelet API whose requests become connections: commands in containers, attaching, port forwarding.
 *
 * `/exec/NAMESPACE/POD/CONTAINER`, `/attach/NAMESPACE/POD/CONTAINER`, `/portForward/NAMESPACE/POD`; a uid may follow the name of the pod.
 */
import * as FileSystem from "@effect/platform/FileSystem"
import { type CoreV1, Status } from "@reddwarf/api-types"
import { CommandRunner } from "@reddwarf/runtime-illumos"
import { PortForward, RemoteCommand, Upgrade } from "@reddwarf/streaming"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as CommandOutput from "../container/CommandOutput.js"
import * as ContainerAttach from "../container/ContainerAttach.js"
import * as ContainerCopy from "../container/ContainerCopy.js"
import * as ContainerTarget from "../container/ContainerTarget.js"
import * as NodeAgentMetrics from "../NodeAgentMetrics.js"
import * as PodPortForward from "./PodPortForward.js"
import * as SupervisorClient from "../supervisor/SupervisorClient.js"

/** @category models */
export interface Options {
  /** The agent's data directory. */
  readonly dataDir: string
  /** The pods of this node. */
  readonly pods: () => ReadonlyArray<CoreV1.Pod>
  /** Sessions at the same time; more are refused with 429. Default 128. */
  readonly maxSessions?: number
}

/** @category models */
export interface StreamingApi {
  /** Whether requests for this path are served here. */
  readonly owns: (parts: ReadonlyArray<string>) => boolean
  /** Serves a request that asks for an upgrade, to its end. */
  readonly serve: (upgrade: Upgrade.Upgrade, parts: ReadonlyArray<string>, query: URLSearchParams) => Effect.Effect<void>
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
): Effect.Effect<StreamingApi, never, CommandRunner.CommandRunner | FileSystem.FileSystem | SupervisorClient.SupervisorClient> =>
  Effect.gen(function*() {
    const runner = yield* CommandRunner.CommandRunner
    const fs = yield* FileSystem.FileSystem
    const supervisor = yield* SupervisorClient.SupervisorClient
    const maxSessions = options.maxSessions ?? 128
    let sessions = 0

    const findContainer = (namespace: string, name: string, uid: string | undefined, container: string, notFound?: string) =>
      Effect.gen(function*() {
        const pod = ContainerTarget.findPod(options.pods(), namespace, name, uid)
        if (Either.isLeft(pod)) return Either.left(pod.left)
        const supervised = yield* supervisor.read(pod.right.metadata.uid ?? "")
        return ContainerTarget.find(supervised, container, notFound)
      }).pipe(Effect.catchAll((error) => Effect.succeed(Either.left<ContainerTarget.Refusal>({ status: 500, message: error.message }))))

    /** Counts a session for as long as it lasts. */
    const counted = (upgrade: Upgrade.Upgrade, session: Effect.Effect<void>): Effect.Effect<void> =>
      Effect.suspend(() => {
        if (sessions >= maxSessions) return Upgrade.refuse(upgrade, Status.tooManyRequests())
        return Effect.acquireUseRelease(
          Effect.sync(() => NodeAgentMetrics.streamingSessions.unsafeUpdate(sessions += 1, [])),
          () => session,
          () => Effect.sync(() => NodeAgentMetrics.streamingSessions.unsafeUpdate(sessions -= 1, []))
        )
      })

    const refuse = (upgrade: Upgrade.Upgrade, refusal: ContainerTarget.Refusal) => Upgrade.refuse(upgrade, statusOf(refusal))

    const command = (
      upgrade: Upgrade.Upgrade,
      parts: ReadonlyArray<string>,
      query: URLSearchParams,
      start: (target: ContainerTarget.ContainerTarget, asked: RemoteCommand.Options, channels: RemoteCommand.Channels) => Effect.Effect<RemoteCommand.Outcome>
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
        yield* counted(upgrade, RemoteCommand.serve(upgrade, asked.right, (channels) => start(target.right, asked.right, channels)))
      })

    const exec = (upgrade: Upgrade.Upgrade, parts: ReadonlyArray<string>, query: URLSearchParams) => {
      const argv = query.getAll("command")
      if (argv.length === 0) return refuse(upgrade, { status: 400, message: "you must specify at least 1 command to execute" })
      return command(upgrade, parts, query, (target, asked, channels) =>
        ContainerCopy.serve(runner, { target, argv, options: asked }, channels))
    }

    const attach = (upgrade: Upgrade.Upgrade, parts: ReadonlyArray<string>, query: URLSearchParams) =>
      command(upgrade, parts, query, (target, asked, channels) =>
        ContainerAttach.run(runner, supervisor, { dataDir: options.dataDir, target, options: asked }, channels).pipe(
          Effect.provideService(FileSystem.FileSystem, fs)
        ))

    const portForward = (upgrade: Upgrade.Upgrade, parts: ReadonlyArray<string>, query: URLSearchParams): Effect.Effect<void> => {
      const [, namespace = "", name = "", uid] = parts
      const pod = ContainerTarget.findPod(options.pods(), namespace, name, uid)
      if (Either.isLeft(pod)) return refuse(upgrade, pod.left)
      const ports = portsOf(query)
      if (Either.isLeft(ports)) return refuse(upgrade, ports.left)
      // The pod may get its address, or another one, while the connection lives.
      const now = () => Either.getOrElse(ContainerTarget.findPod(options.pods(), namespace, name, pod.right.metadata.uid), () => pod.right)
      return counted(upgrade, PortForward.serve<never>(upgrade, { ports: ports.right }, (port) => Effect.suspend(() => PodPortForward.connect(now(), port))))
    }

    return {
      owns: ([first, ...rest]) =>
        ((first === "exec" || first === "attach") && (rest.length === 3 || rest.length === 4))
        || (first === "portForward" && (rest.length === 2 || rest.length === 3)),
      serve: (upgrade, parts, query) =>
        parts[0] === "exec" ? exec(upgrade, parts, query) : parts[0] === "attach" ? attach(upgrade, parts, query) : portForward(upgrade, parts, query),
      run: (namespace, name, uid, container, argv) =>
        Effect.gen(function*() {
          if (argv.length === 0) return { status: 400, body: "you must specify at least 1 command to execute" }
          const target = yield* findContainer(namespace, name, uid, container)
          if (Either.isLeft(target)) return { status: target.left.status, body: target.left.message }
          return yield* CommandOutput.collect(runner, { target: target.right, argv })
        })
    }
  })
