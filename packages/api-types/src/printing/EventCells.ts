/** The table row of an Event. */
import type * as CoreV1 from "../generated/CoreV1.js"
import { formatAge } from "../HumanDuration.js"
import type { Cell } from "../Kind.js"

const firstSeen = (event: CoreV1.Event): string | undefined => event.firstTimestamp ?? event.eventTime

const lastSeen = (event: CoreV1.Event): string | undefined =>
  event.series?.lastObservedTime ?? event.lastTimestamp ?? firstSeen(event)

const objectOf = ({ involvedObject: { kind = "", name = "" } }: CoreV1.Event): string =>
  kind === "" ? name : `${kind.toLowerCase()}/${name}`

const sourceOf = ({ reportingComponent = "", reportingInstance = "", source = {} }: CoreV1.Event): string => {
  const component = source.component ?? reportingComponent
  const host = source.host ?? reportingInstance
  return host === "" ? component : `${component}, ${host}`
}

/** Cells in the order of the kind's columns. @category combinators */
export const eventCells = (event: CoreV1.Event, now: number): ReadonlyArray<Cell> => [
  formatAge(lastSeen(event), now),
  event.type ?? "",
  event.reason ?? "",
  objectOf(event),
  event.involvedObject.fieldPath ?? "",
  sourceOf(event),
  (event.message ?? "").trim(),
  formatAge(firstSeen(event), now),
  Math.max(1, event.series?.count ?? event.count ?? 1),
  event.metadata.name ?? ""
]
