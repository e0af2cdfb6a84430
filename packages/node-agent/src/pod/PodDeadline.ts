/** Pods that may be active for a limited time only (`activeDeadlineSeconds`). Pure. */
import { type CoreV1, Timestamp } from "@reddwarf/api-types"
import type * as Files from "../supervisor/SupervisorFiles.js"

/** What users are told about a pod that was active for too long. @category models */
export const exceeded: { readonly reason: string; readonly message: string } = {
  reason: "DeadlineExceeded",
  message: "Pod was active on the node longer than the specified deadline"
}

/** When the time of a pod is over, in milliseconds since the epoch; undefined while it has no limit, or has not begun. @category combinators */
export const at = (pod: CoreV1.Pod): number | undefined => {
  const { activeDeadlineSeconds } = pod.spec ?? {}
  const started = Timestamp.toMillis(pod.status?.startTime)
  return activeDeadlineSeconds === undefined || started === undefined ? undefined : started + activeDeadlineSeconds * 1000
}

/** Whether a pod that was not handed over has used its time up: then it never will be. @category combinators */
export const isOver = (pod: CoreV1.Pod, now: number): boolean => {
  const time = at(pod)
  return time !== undefined && now >= time
}

/** The specification with the limit that the pod has now: users may shorten it while the pod runs. @category combinators */
export const applied = (pod: CoreV1.Pod, spec: Files.PodSpec): Files.PodSpec => {
  const time = at(pod)
  if (time === spec.activeDeadlineAt) return spec
  const { activeDeadlineAt: _, ...rest } = spec
  return time === undefined ? rest : { ...rest, activeDeadlineAt: time }
}

/** The parts of a specification for the supervisor that limit the life of the pod. @category constructors */
export const limits = (pod: CoreV1.Pod): Pick<Files.PodSpec, "activeDeadlineAt" | "terminationGraceSeconds"> => {
  const time = at(pod)
  return {
    terminationGraceSeconds: pod.spec?.terminationGracePeriodSeconds ?? 30,
    ...(time === undefined ? {} : { activeDeadlineAt: time })
  }
}

/** Why a pod will not be started at `now` any more; undefined when it may. @category combinators */
export const rejection = (pod: CoreV1.Pod, now: number): typeof exceeded | undefined => isOver(pod, now) ? exceeded : undefined
