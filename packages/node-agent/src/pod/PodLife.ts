/** What a pass does about the life of containers besides starting and stopping them: tells about hooks, and follows a changed deadline. */
import type * as FileSystem from "@effect/platform/FileSystem"
import type { CoreV1 } from "@reddwarf/api-types"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as HookNotices from "../container/HookNotices.js"
import type * as SupervisorClient from "../supervisor/SupervisorClient.js"
import type { SupervisorFileFailed } from "../supervisor/SupervisorError.js"
import type * as Files from "../supervisor/SupervisorFiles.js"
import * as MemoryBound from "./MemoryBound.js"
import * as PodDeadline from "./PodDeadline.js"
import type { PodEvent } from "./PodEvents.js"

/** @category models */
export interface PodLife {
  /** Tells what the supervisor recorded since the last pass, and hands a deadline over that users have changed. */
  readonly look: (pod: CoreV1.Pod, supervised: Option.Option<SupervisorClient.SupervisedPod>) => Effect.Effect<void, SupervisorFileFailed>
  readonly forget: (uid: string) => void
}

/** @category constructors */
export const make = (
  dataDir: string,
  supervisor: Pick<SupervisorClient.SupervisorClient["Type"], "submit">,
  emit: (pod: CoreV1.Pod, events: ReadonlyArray<PodEvent>) => Effect.Effect<void>
): Effect.Effect<PodLife, never, FileSystem.FileSystem> =>
  Effect.map(HookNotices.make(dataDir), (notices) => {
    const told = new Map<string, ReadonlyMap<string, string>>()
    /** What the supervisor found wrong with what containers are started from, told once for each of them and each thing. */
    const problems = (uid: string, state: Files.PodState | undefined): ReadonlyArray<PodEvent> => {
      const found = (state?.containers ?? []).flatMap(({ name, problem }) => problem?.reason === "CreateContainerConfigError" ? [[name, problem.message] as const] : [])
      const before = told.get(uid)
      if (found.length === 0) told.delete(uid)
      else told.set(uid, new Map(found))
      return found.filter(([name, message]) => before?.get(name) !== message).map(([container, message]) => ({
        type: "Warning",
        reason: "Failed",
        message: `Error: ${message}`,
        container
      }))
    }
    return {
      look: (pod, supervised) =>
        Effect.gen(function*() {
          if (Option.isNone(supervised)) return
          const { spec, state } = supervised.value
          yield* emit(pod, yield* notices.news(pod, Option.getOrUndefined(state)))
          yield* emit(pod, problems(pod.metadata.uid ?? "", Option.getOrUndefined(state)))
          if (spec.desired.state !== "run") return
          const applied = MemoryBound.applied(pod, PodDeadline.applied(pod, spec))
          if (applied !== spec) yield* supervisor.submit(applied)
        }),
      forget: (uid) => {
        told.delete(uid)
        notices.forget(uid)
      }
    }
  })
