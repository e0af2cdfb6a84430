/** Event of `events.k8s.io`: the events of the core group, seen through newer names and stricter rules. */
import { fromCoreEvent, toCoreEvent } from "../conversion/EventConversion.js"
import { invalid, required } from "../FieldError.js"
import type * as CoreV1 from "../generated/CoreV1.js"
import type * as EventsV1 from "../generated/EventsV1.js"
import type { Errors } from "../internal/fieldRules.js"
import * as Kind from "../Kind.js"
import * as Names from "../Names.js"
import { validateEvent } from "../validation/EventValidation.js"
import { validateImmutable } from "../validation/MetadataValidation.js"
import { event } from "./Event.js"

const unset = (path: string, isSet: boolean): Errors => (isSet ? [invalid(path, "", "needs to be unset")] : [])

const validateSeries = ({ series }: CoreV1.Event): Errors =>
  series === undefined
    ? []
    : [
        ...((series.count ?? 0) < 2 ? [invalid("series.count", "", "should be at least 2")] : []),
        ...((series.lastObservedTime ?? "") === "" ? [required("series.lastObservedTime")] : [])
      ]

// The rules are those of the stored form; only this path is told by its name in this group.
const renamed = (errors: Errors): Errors =>
  errors.map((error) => (error.path === "reportingComponent" ? { ...error, path: "reportingController" } : error))

const validate = (object: EventsV1.Event): Errors => {
  const stored = toCoreEvent(object)
  const { eventTime = "", source = {}, type = "" } = stored
  return [
    ...renamed(validateEvent(stored)),
    ...validateSeries(stored),
    ...(eventTime === "" ? [required("eventTime")] : []),
    ...(type === "Normal" || type === "Warning" ? [] : [invalid("type", "", `has invalid value: ${type}`)]),
    ...unset("firstTimestamp", stored.firstTimestamp !== undefined),
    ...unset("lastTimestamp", stored.lastTimestamp !== undefined),
    ...unset("count", (stored.count ?? 0) !== 0),
    ...unset("source", (source.component ?? "") !== "" || (source.host ?? "") !== "")
  ]
}

const fixed = ["involvedObject", "reason", "message", "source", "firstTimestamp", "lastTimestamp", "count", "action", "related"] as const

const validateUpdate = (next: EventsV1.Event, old: EventsV1.Event): Errors => {
  const [after, before] = [toCoreEvent(next), toCoreEvent(old)]
  return [
    ...renamed(validateEvent(after)),
    ...fixed.flatMap((field) => validateImmutable(field, after[field], before[field])),
    ...validateImmutable("reportingController", after.reportingComponent, before.reportingComponent),
    ...validateImmutable("reportingInstance", after.reportingInstance, before.reportingInstance),
    ...validateImmutable("type", after.type, before.type),
    ...validateSeries(after)
  ]
}

/** @category constructors */
export const eventsV1Event: Kind.Kind<EventsV1.Event> = Kind.make<EventsV1.Event>({
  group: "events.k8s.io",
  version: "v1",
  kind: "Event",
  plural: "events",
  shortNames: ["ev"],
  namespaced: true,
  schema: "io.k8s.api.events.v1.Event",
  storage: { kind: event, toStored: toCoreEvent, fromStored: fromCoreEvent },
  allowCreateOnUpdate: true,
  nameRule: Names.isPathSegment,
  validateContent: validate,
  validateContentUpdate: validateUpdate,
  selectableFields: {
    "regarding.kind": (object) => object.regarding?.kind ?? "",
    "regarding.namespace": (object) => object.regarding?.namespace ?? "",
    "regarding.name": (object) => object.regarding?.name ?? "",
    "regarding.uid": (object) => object.regarding?.uid ?? "",
    "regarding.apiVersion": (object) => object.regarding?.apiVersion ?? "",
    "regarding.resourceVersion": (object) => object.regarding?.resourceVersion ?? "",
    "regarding.fieldPath": (object) => object.regarding?.fieldPath ?? "",
    reason: (object) => object.reason ?? "",
    reportingController: (object) => object.reportingController ?? "",
    type: (object) => object.type ?? ""
  },
  columns: event.columns,
  cells: (object, now) => event.cells(toCoreEvent(object), now)
})
