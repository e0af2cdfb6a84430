/** Tells users once about each hook that failed, also when it failed while no agent was there. */
import * as FileSystem from "@effect/platform/FileSystem"
import type { CoreV1 } from "@reddwarf/api-types"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as durableFile from "../internal/durableFile.js"
import type { PodEvent } from "../pod/PodEvents.js"
import type { SupervisorFileFailed } from "../supervisor/SupervisorError.js"
import type * as Files from "../supervisor/SupervisorFiles.js"
import * as Paths from "../supervisor/SupervisorPaths.js"

/** @category models */
export interface HookNotices {
  /** Events about hooks that failed since the last time, for what the supervisor recorded. */
  readonly news: (pod: CoreV1.Pod, state: Files.PodState | undefined) => Effect.Effect<ReadonlyArray<PodEvent>, SupervisorFileFailed>
  readonly forget: (uid: string) => void
}

const Told = Schema.parseJson(Schema.Struct({ schema: Schema.Literal(1), hooks: Schema.Array(Schema.String) }))
const encode = Schema.encodeSync(Told)

interface Failure {
  readonly key: string
  readonly events: ReadonlyArray<PodEvent>
}

const failuresIn = (state: Files.PodState): ReadonlyArray<Failure> =>
  state.containers.flatMap(({ hookFailures = [], name: container }) =>
    hookFailures.toReversed().map(({ attempt, hook, message }): Failure => ({
      key: `${container}/${attempt}/${hook}`,
      events: hook === "preStop"
        ? [{ type: "Warning", reason: "FailedPreStopHook", message: `PreStopHook failed: ${message}`, container }]
        : [
          { type: "Warning", reason: "FailedPostStartHook", message: `PostStartHook failed: ${message}`, container },
          { type: "Normal", reason: "Killing", message: "FailedPostStartHook", container }
        ]
    })))

/**
 * Keeps what was told beside what the supervisor recorded.
 *
 * @category constructors
 */
export const make = (dataDir: string): Effect.Effect<HookNotices, never, FileSystem.FileSystem> =>
  Effect.map(FileSystem.FileSystem, (fs) => {
    const told = new Map<string, ReadonlySet<string>>()
    const path = (uid: string) => `${Paths.pod(dataDir, uid)}/notices.json`
    const known = (uid: string) =>
      Effect.gen(function*() {
        const remembered = told.get(uid)
        if (remembered !== undefined) return remembered
        const stored = yield* durableFile.read(path(uid), Told)
        return new Set(Option.match(stored, { onNone: () => [], onSome: ({ hooks }) => hooks }))
      })
    return {
      news: (pod, state) =>
        Effect.gen(function*() {
          const { uid = "" } = pod.metadata
          const failures = state === undefined ? [] : failuresIn(state)
          if (failures.length === 0) return []
          const before = yield* known(uid)
          const fresh = failures.filter(({ key }) => !before.has(key))
          if (fresh.length === 0) {
            told.set(uid, before)
            return []
          }
          // Only those that the supervisor still remembers: the list does not grow with the life of the pod.
          const keys = failures.map(({ key }) => key)
          yield* durableFile.write(path(uid), encode({ schema: 1, hooks: keys }))
          told.set(uid, new Set(keys))
          return fresh.flatMap(({ events }) => events)
        }).pipe(Effect.provideService(FileSystem.FileSystem, fs)),
      forget: (uid) => void told.delete(uid)
    }
  })
