/** That all containers of a pod start anew, because one of them ended in a way for which its rules say so. Part of `state.json`. */
import * as Schema from "effect/Schema"

/**
 * The attempt whose end was the reason. While it is there containers are ended; what comes after it goes on from their states.
 *
 * @category schemas
 */
export const PodRestart = Schema.Struct({
  container: Schema.String,
  attempt: Schema.Number
})
/** @category models */
export type PodRestart = typeof PodRestart.Type

/** What the status of a container says that was ended for it. @category models */
export const reason = "RestartingAllContainers"

/** The same for people. @category models */
export const message = "The container is removed because RestartAllContainers in place"
