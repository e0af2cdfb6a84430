/** The state of one supervised pod: in memory for its fibers, in `state.json` for everybody else. */
import type * as FileSystem from "@effect/platform/FileSystem"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type { SupervisorFileFailed } from "../supervisor/SupervisorError.js"
import * as Files from "../supervisor/SupervisorFiles.js"
import * as Paths from "../supervisor/SupervisorPaths.js"
import * as durableFile from "./durableFile.js"
import * as podRestart from "./podRestart.js"

const encode = Schema.encodeSync(Files.PodStateJson)

/** State of one pod, of which the supervisor is the only writer. */
export interface PodRecord {
  readonly container: (name: string) => Files.ContainerState
  readonly stop: () => Files.PodState["stop"]
  readonly held: () => Files.PodState["held"]
  /** Why all containers are being ended, to start anew. */
  readonly restarting: () => Files.PodState["restarting"]
  /** Waits until that is so, and until who decided it has tidied up. */
  readonly restartBegun: Effect.Effect<void>
  /** Who decided that all containers start anew has tidied up. */
  readonly beginRestart: Effect.Effect<void>
  /** All containers have ended: those that are in the specification are to be started once more. */
  readonly endRestart: Effect.Effect<void, SupervisorFileFailed, FileSystem.FileSystem>
  /** Changes one container and is back when the change is on disk. With a restart of all containers, both are there or none. */
  readonly update: (
    name: string,
    change: (state: Files.ContainerState) => Files.ContainerState,
    restarting?: Files.PodState["restarting"]
  ) => Effect.Effect<void, SupervisorFileFailed, FileSystem.FileSystem>
  /** Notes a stop request; an earlier deadline than that of the requests before wins. */
  readonly setStop: (requestId: string, deadline: number) => Effect.Effect<void, SupervisorFileFailed, FileSystem.FileSystem>
  /** Notes that the pod was active for as long as it may be, with the time by which its containers must have ended. */
  readonly setDeadlineExceeded: (deadline: number) => Effect.Effect<void, SupervisorFileFailed, FileSystem.FileSystem>
  readonly deadlineExceeded: () => boolean
  /** Notes that a request to hold the pod has been carried out, or that the pod runs on. */
  readonly setHeld: (requestId: string | undefined) => Effect.Effect<void, SupervisorFileFailed, FileSystem.FileSystem>
}

/** Reads the state that the last supervisor left, or starts with none. */
export const load = (
  dataDir: string,
  spec: Files.PodSpec
): Effect.Effect<PodRecord, SupervisorFileFailed, FileSystem.FileSystem> =>
  Effect.gen(function*() {
    const path = Paths.state(dataDir, spec.pod.uid)
    const stored = yield* durableFile.read(path, Files.PodStateJson)
    let state = Option.getOrElse(stored, () => Files.initialState(spec))
    const lock = yield* Effect.makeSemaphore(1)
    const begun = yield* Deferred.make<void>()
    if (state.restarting !== undefined) yield* Deferred.succeed(begun, undefined)
    const find = (name: string) => state.containers.find((container) => container.name === name) ?? Files.initialContainer(name)
    const replace = (change: () => Files.PodState) =>
      Effect.suspend(() => {
        const next = change()
        return durableFile.write(path, encode(next)).pipe(Effect.tap(() => Effect.sync(() => void (state = next))))
      }).pipe(lock.withPermits(1), Effect.uninterruptible)
    return {
      container: find,
      stop: () => state.stop,
      held: () => state.held,
      setHeld: (requestId) =>
        replace(() => {
          const { held: _, ...rest } = state
          return requestId === undefined ? rest : { ...rest, held: requestId }
        }),
      restarting: () => state.restarting,
      restartBegun: Deferred.await(begun),
      beginRestart: Effect.asVoid(Deferred.succeed(begun, undefined)),
      endRestart: replace(() => {
        const { restarting, ...rest } = state
        const known = new Set(spec.containers.map(({ name }) => name))
        return { ...rest, containers: state.containers.map((container) => known.has(container.name) ? podRestart.again(container, restarting) : container) }
      }),
      update: (name, change, restarting) =>
        replace(() => {
          const next = change(find(name))
          const known = state.containers.some((other) => other.name === name)
          const containers = state.containers.map((other) => other.name === name ? next : other)
          return { ...state, containers: known ? containers : [...containers, next], ...(restarting === undefined ? {} : { restarting }) }
        }),
      setStop: (requestId, deadline) =>
        replace(() => ({
          ...state,
          stop: { requestId, deadline: Math.min(deadline, state.stop?.deadline ?? deadline) }
        })),
      setDeadlineExceeded: (deadline) =>
        replace(() => ({
          ...state,
          deadlineExceeded: true,
          stop: { requestId: "active-deadline", deadline: Math.min(deadline, state.stop?.deadline ?? deadline) }
        })),
      deadlineExceeded: () => state.deadlineExceeded === true
    }
  })
