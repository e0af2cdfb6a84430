/** Events of the core group and of `events.k8s.io`: the same objects under other names of their fields. */
import type * as CoreV1 from "../generated/CoreV1.js"
import type * as EventsV1 from "../generated/EventsV1.js"
import { defined } from "../internal/structure.js"
import type { KubeObject } from "../KubeObject.js"

/** The stored form of an event of `events.k8s.io`. @category combinators */
export const toCoreEvent = (object: EventsV1.Event): CoreV1.Event =>
  defined({
    kind: "Event",
    apiVersion: "v1",
    metadata: object.metadata,
    involvedObject: object.regarding ?? {},
    reason: object.reason,
    message: object.note,
    source: object.deprecatedSource,
    firstTimestamp: object.deprecatedFirstTimestamp,
    lastTimestamp: object.deprecatedLastTimestamp,
    count: object.deprecatedCount,
    type: object.type,
    // This group always writes the time: null when the reporter gave none.
    eventTime: object.eventTime ?? undefined,
    series: object.series,
    action: object.action,
    related: object.related,
    reportingComponent: object.reportingController ?? "",
    reportingInstance: object.reportingInstance ?? ""
  })

/** An event as `events.k8s.io` shows it. @category combinators */
export const fromCoreEvent = (stored: CoreV1.Event): KubeObject => ({
  kind: "Event",
  apiVersion: "events.k8s.io/v1",
  metadata: stored.metadata,
  ...defined({
    eventTime: stored.eventTime ?? null,
    series: stored.series,
    reportingController: stored.reportingComponent === "" ? undefined : stored.reportingComponent,
    reportingInstance: stored.reportingInstance === "" ? undefined : stored.reportingInstance,
    action: stored.action,
    reason: stored.reason,
    regarding: stored.involvedObject,
    related: stored.related,
    note: stored.message,
    type: stored.type,
    deprecatedSource: stored.source,
    deprecatedFirstTimestamp: stored.firstTimestamp,
    deprecatedLastTimestamp: stored.lastTimestamp,
    deprecatedCount: stored.count
  })
})
