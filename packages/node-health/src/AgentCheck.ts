/**
 * The agent-check protocol of HAProxy: one line for each connection. HAProxy acts on a single answer, so the counting that keeps one bad look
 * from taking a node out is done here.
 */

import { clip } from "./Observation.js"

/** What one evaluation of the default checks gave. @category models */
export interface Evaluation {
  /** The first reason when not all passed. */
  readonly failure?: string
  readonly cordoned: boolean
}

/** Evaluations in a row that are needed to come back, and to go. @category models */
export const rise = 2
/** @category models */
export const fall = 3

/** @category models */
export interface State {
  readonly up: boolean
  /** Evaluations in a row that say the opposite. */
  readonly against: number
  readonly reason: string
  readonly cordoned: boolean
}

/** Before the first evaluation; that one decides alone. @category constructors */
export const initial: State | undefined = undefined

/** The state after one more evaluation. @category combinators */
export const step = (state: State | undefined, { cordoned, failure }: Evaluation): State => {
  const good = failure === undefined
  const reason = failure ?? ""
  if (state === undefined) return { up: good, against: 0, reason, cordoned }
  if (good === state.up) return { up: state.up, against: 0, reason, cordoned }
  const against = state.against + 1
  return against >= (good ? rise : fall) ? { up: good, against: 0, reason, cordoned } : { ...state, against, cordoned, reason: state.up ? reason : state.reason }
}

/** What stands above the checks. @category models */
export interface Override {
  readonly shuttingDown: boolean
  readonly drained: boolean
  /** Share of the traffic in percent, 1 to 100. */
  readonly weight: number
}

/** Longest reason in the line, in bytes. Reasons hold no control characters, so none of them ends it. */
const maxReason = 100

/** The line to send, with its end. @category combinators */
export const line = (state: State | undefined, override: Override): string => {
  if (override.shuttingDown) return "drain\n"
  if (override.drained) return "maint\n"
  if (state === undefined) return "down #not evaluated yet\n"
  if (!state.up) return `down #${clip(state.reason, maxReason)}\n`
  if (state.cordoned) return "drain\n"
  return `up ready ${Math.min(100, Math.max(1, Math.round(override.weight)))}%\n`
}

/** Share of the traffic by how busy the host is: all of it up to half a process for each CPU, none above two. @category combinators */
export const weightOfLoad = (load: number): number => Math.min(100, Math.max(1, Math.round((2 - load) / 1.5 * 100)))

/** Share of the traffic by how many pods are still to come. @category combinators */
export const weightOfPods = (pods: number, maxPods: number): number => Math.min(100, Math.max(1, Math.round((1 - pods / Math.max(1, maxPods)) * 100)))
