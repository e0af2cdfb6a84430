/** Event: what happened to an object. */
import type * as CoreV1 from "../generated/CoreV1.js"
import { text, wide } from "../internal/columns.js"
import * as Kind from "../Kind.js"
import * as Names from "../Names.js"
import { eventCells } from "../printing/EventCells.js"
import { validateEvent } from "../validation/EventValidation.js"

/** @category constructors */
export const event: Kind.Kind<CoreV1.Event> = Kind.make<CoreV1.Event>({
  version: "v1",
  kind: "Event",
  plural: "events",
  shortNames: ["ev"],
  namespaced: true,
  schema: "io.k8s.api.core.v1.Event",
  allowCreateOnUpdate: true,
  // Any name that fits into a path will do: recorders put times and colons into it.
  nameRule: Names.isPathSegment,
  validateContent: validateEvent,
  validateContentUpdate: validateEvent,
  selectableFields: {
    "involvedObject.kind": (object) => object.involvedObject.kind ?? "",
    "involvedObject.namespace": (object) => object.involvedObject.namespace ?? "",
    "involvedObject.name": (object) => object.involvedObject.name ?? "",
    "involvedObject.uid": (object) => object.involvedObject.uid ?? "",
    "involvedObject.apiVersion": (object) => object.involvedObject.apiVersion ?? "",
    "involvedObject.resourceVersion": (object) => object.involvedObject.resourceVersion ?? "",
    "involvedObject.fieldPath": (object) => object.involvedObject.fieldPath ?? "",
    reason: (object) => object.reason ?? "",
    reportingComponent: (object) => object.reportingComponent ?? "",
    source: (object) => object.source?.component ?? object.reportingComponent ?? "",
    type: (object) => object.type ?? ""
  },
  columns: [
    text("Last Seen", "Time since the event was observed last."),
    text("Type", "Normal or Warning."),
    text("Reason", "Short machine-readable reason."),
    text("Object", "The object the event is about."),
    wide("Subobject", "The part of the object the event is about."),
    wide("Source", "Component and host that reported the event."),
    text("Message", "Description for people."),
    wide("First Seen", "Time since the event was observed first."),
    wide("Count", "How often the event was observed."),
    { name: "Name", type: "string", format: "name", description: "Name of the event.", priority: 1 }
  ],
  cells: eventCells
})
