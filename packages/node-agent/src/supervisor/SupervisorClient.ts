/** The agent's side of the files it shares with the supervisor. It works whether a supervisor lives or not. */
import * as FileSystem from "@effect/platform/FileSystem"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as durableFile from "../internal/durableFile.js"
import * as podFolders from "../internal/podFolders.js"
import * as rememberedFiles from "../internal/rememberedFiles.js"
import * as RestartRequest from "./RestartRequest.js"
import type { SupervisorFileFailed } from "./SupervisorError.js"
import * as Files from "./SupervisorFiles.js"
import * as Paths from "./SupervisorPaths.js"
import * as Supervisor from "./Supervisor.js"

/**
 * What is known about a pod: what was asked for, and what became of it.
 *
 * @category models
 */
export interface SupervisedPod {
  readonly spec: Files.PodSpec
  /** Absent until a supervisor has looked at the specification. */
  readonly state: Option.Option<Files.PodState>
}

/** @category models */
export interface StopRequest {
  readonly requestId: string
  /** Milliseconds since the epoch. */
  readonly requestedAt: number
  readonly graceSeconds: number
  /** Why the node ends the pod, if it does so by itself: the pod has failed then. A verdict stays with all requests that follow. */
  readonly verdict?: { readonly reason: string; readonly message: string } | undefined
}

/**
 * Asks the supervisor for things, and reads what it did. Everything is idempotent.
 *
 * @category services
 */
export class SupervisorClient extends Context.Tag("@reddwarf/node-agent/SupervisorClient")<SupervisorClient, {
  /** Makes the folder that a zone shares with the host, and gives its path: it must exist before the zone boots. */
  readonly prepare: (uid: string) => Effect.Effect<string, SupervisorFileFailed>
  /** Hands a pod over. Its containers are started as soon as a supervisor sees it, and are the supervisor's from then on. */
  readonly submit: (spec: Files.PodSpec) => Effect.Effect<void, SupervisorFileFailed>
  /** Asks for a pod to be stopped. None when the pod was never handed over. */
  readonly stop: (uid: string, request: StopRequest) => Effect.Effect<Option.Option<SupervisedPod>, SupervisorFileFailed>
  /**
   * Asks for a container to be ended and started again. False when its attempt was asked before, or when the pod is not to run: nothing
   * happens then.
   */
  readonly restart: (uid: string, request: RestartRequest.RestartRequest) => Effect.Effect<boolean, SupervisorFileFailed>
  /** Tells that the startup probe of a container's attempt succeeded. */
  readonly started: (uid: string, container: string, attempt: number) => Effect.Effect<void, SupervisorFileFailed>
  /**
   * Asks for the containers of a pod to be ended until it may run on; a pod that is being stopped, or held for the same request, is left as it
   * is. It runs on when a specification is submitted that says so.
   */
  readonly hold: (uid: string, request: StopRequest) => Effect.Effect<void, SupervisorFileFailed>
  readonly read: (uid: string) => Effect.Effect<Option.Option<SupervisedPod>, SupervisorFileFailed>
  /** Uids of all pods that have a folder. */
  readonly list: Effect.Effect<ReadonlyArray<string>, SupervisorFileFailed>
  /** Forgets a pod with its records and logs. Its zone must be gone, or halted. */
  readonly remove: (uid: string) => Effect.Effect<void, SupervisorFileFailed>
  /** Calls back for every pod whose state changed, and once for each pod that is there already. Runs until interrupted. */
  readonly follow: (onChange: (uid: string) => Effect.Effect<void>) => Effect.Effect<never, SupervisorFileFailed>
  /** Whether a supervisor lives. */
  readonly isAlive: Effect.Effect<boolean, SupervisorFileFailed>
}>() {}

/** @category models */
export interface Options {
  /** The agent's data directory, an absolute path. */
  readonly dataDir: string
  /** How long to wait for a notice of the file system before looking anyway. Default 1 second. */
  readonly pollInterval?: Duration.DurationInput
}

const encodeSpec = Schema.encodeSync(Files.PodSpecJson)

const sameSpec = (a: Files.PodSpec, b: Files.PodSpec): boolean => encodeSpec(a) === encodeSpec(b)

/**
 * Over the files of a data directory.
 *
 * @category layers
 */
export const layer = (options: Options): Layer.Layer<SupervisorClient, SupervisorFileFailed, FileSystem.FileSystem> =>
  Layer.effect(
    SupervisorClient,
    Effect.gen(function*() {
      const fs = yield* FileSystem.FileSystem
      const { dataDir } = options
      const podsDir = Paths.pods(dataDir)
      const makeFolder = (path: string) =>
        fs.makeDirectory(path, { recursive: true, mode: 0o700 }).pipe(Effect.mapError(durableFile.failed("create", path)))
      yield* makeFolder(podsDir)

      const specs = rememberedFiles.make(Files.PodSpecJson)
      const states = rememberedFiles.make(Files.PodStateJson)

      const read = (uid: string) =>
        Effect.flatMap(specs.read(Paths.spec(dataDir, uid)), Option.match({
          onNone: () => Effect.succeedNone,
          onSome: (spec) => Effect.map(states.read(Paths.state(dataDir, uid)), (state) => Option.some<SupervisedPod>({ spec, state }))
        })).pipe(Effect.provideService(FileSystem.FileSystem, fs))

      const write = (spec: Files.PodSpec) =>
        durableFile.write(Paths.spec(dataDir, spec.pod.uid), encodeSpec(spec)).pipe(Effect.provideService(FileSystem.FileSystem, fs))

      const prepare = (uid: string) => {
        const path = Paths.zone(dataDir, uid)
        return Effect.as(makeFolder(path), path)
      }

      return SupervisorClient.of({
        prepare,
        submit: (spec) =>
          Effect.gen(function*() {
            yield* prepare(spec.pod.uid)
            const before = yield* read(spec.pod.uid)
            if (Option.isSome(before) && sameSpec(before.value.spec, spec)) return
            yield* write(spec)
          }),
        stop: (uid, request) =>
          Effect.gen(function*() {
            const before = yield* read(uid)
            if (Option.isNone(before)) return before
            const { desired } = before.value.spec
            if (desired.state !== "stop" || desired.requestId !== request.requestId) {
              const verdict = request.verdict ?? (desired.state === "stop" ? desired.verdict : undefined)
              yield* write({ ...before.value.spec, desired: { state: "stop", ...request, ...(verdict === undefined ? {} : { verdict }) } })
            }
            return before
          }),
        restart: (uid, request) =>
          Effect.gen(function*() {
            const before = Option.getOrUndefined(yield* read(uid))
            if (before?.spec.desired.state !== "run") return false
            const restarts = RestartRequest.added(before.spec.restarts, request)
            if (restarts === undefined) return false
            yield* write({ ...before.spec, restarts })
            return true
          }),
        started: (uid, container, attempt) =>
          Effect.gen(function*() {
            const before = Option.getOrUndefined(yield* read(uid))
            const name = `${container}/${attempt}`
            if (before === undefined || before.spec.started?.includes(name) === true) return
            const others = (before.spec.started ?? []).filter((other) => !other.startsWith(`${container}/`))
            yield* write({ ...before.spec, started: [...others, name] })
          }),
        hold: (uid, request) =>
          Effect.flatMap(read(uid), Option.match({
            onNone: () => Effect.void,
            onSome: ({ spec }) =>
              spec.desired.state === "stop" || (spec.desired.state === "hold" && spec.desired.requestId === request.requestId)
                ? Effect.void
                : write({ ...spec, desired: { state: "hold", requestId: request.requestId, requestedAt: request.requestedAt, graceSeconds: request.graceSeconds } })
          })),
        read,
        list: fs.readDirectory(podsDir).pipe(Effect.mapError(durableFile.failed("list", podsDir))),
        remove: (uid) =>
          Effect.gen(function*() {
            const before = yield* Effect.orElseSucceed(read(uid), () => Option.none<SupervisedPod>())
            specs.forget(Paths.spec(dataDir, uid))
            states.forget(Paths.state(dataDir, uid))
            const paths = [...Option.match(before, { onNone: () => [], onSome: ({ spec }) => [spec.logs.directory] }), Paths.pod(dataDir, uid)]
            yield* Effect.forEach(paths, (path) =>
              fs.remove(path, { recursive: true, force: true }).pipe(Effect.mapError(durableFile.failed("remove", path))), {
              discard: true
            })
          }),
        follow: (onChange) =>
          podFolders.follow({
            directory: podsDir,
            fileName: "state.json",
            pollInterval: options.pollInterval ?? Duration.seconds(1),
            onChange,
            onGone: () => Effect.void
          }).pipe(Effect.provideService(FileSystem.FileSystem, fs)),
        isAlive: Supervisor.isAlive(dataDir).pipe(Effect.provideService(FileSystem.FileSystem, fs))
      })
    })
  )
