// Written by tooling/generate-api from the Kubernetes Go API sources; do not edit.
import type * as CoreV1 from "./CoreV1.js"
import type * as MetaV1 from "./MetaV1.js"

/** `io.k8s.api.events.v1.Event` */
export interface Event {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: MetaV1.ObjectMeta
  readonly eventTime: string
  readonly series?: EventSeries
  readonly reportingController?: string
  readonly reportingInstance?: string
  readonly action?: string
  readonly reason?: string
  readonly regarding?: CoreV1.ObjectReference
  readonly related?: CoreV1.ObjectReference
  readonly note?: string
  readonly type?: string
  readonly deprecatedSource?: CoreV1.EventSource
  readonly deprecatedFirstTimestamp?: string
  readonly deprecatedLastTimestamp?: string
  readonly deprecatedCount?: number
}

/** `io.k8s.api.events.v1.EventList` */
export interface EventList {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: MetaV1.ListMeta
  readonly items: ReadonlyArray<Event>
}

/** `io.k8s.api.events.v1.EventSeries` */
export interface EventSeries {
  readonly count: number
  readonly lastObservedTime: string
}
