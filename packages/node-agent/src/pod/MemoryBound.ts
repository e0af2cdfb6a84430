/** Whether the memory of a pod has a bound, which its supervisor must know to tell why a process ended. Pure. */
import type { CoreV1 } from "@reddwarf/api-types"
import type * as Files from "../supervisor/SupervisorFiles.js"
import * as PodCaps from "./PodCaps.js"

/** The part of a specification for the supervisor that says so. @category constructors */
export const of = (pod: CoreV1.Pod): Pick<Files.PodSpec, "memoryBound"> =>
  PodCaps.demandOf(pod).memoryLimitBytes === undefined ? {} : { memoryBound: true }

/** The specification as the pod is now: a resize may have given it a bound, or taken it away. @category combinators */
export const applied = (pod: CoreV1.Pod, spec: Files.PodSpec): Files.PodSpec => {
  const { memoryBound, ...rest } = spec
  const wanted = of(pod)
  return wanted.memoryBound === memoryBound ? spec : { ...rest, ...wanted }
}
