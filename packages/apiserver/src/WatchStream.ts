/** The lines of a watch: which events a watcher sees, and how they are written. */
import { Kind, type KubeObject, type Status } from "@reddwarf/api-types"
import type { CacheEvent } from "@reddwarf/event-bus"
import { objectOf, type ResourceRequest } from "./internal/apiContext.js"
import { inner, withRevision } from "./internal/encode.js"
import type { Selection } from "./internal/selection.js"
import * as shapes from "./internal/shapes.js"

/** Type of a watch event. @category models */
export type EventType = "ADDED" | "MODIFIED" | "DELETED"

/**
 * What an event is to a watcher with this selection; undefined: nothing. An object that begins to match is ADDED, one that
 * stops matching is DELETED (`left`), with its previous content at the new resource version.
 *
 * @category combinators
 */
export const classify = (
  event: CacheEvent.CacheEvent,
  selection: Selection
): { readonly type: EventType; readonly left: boolean } | undefined => {
  if (selection.everything) return { type: event.type, left: false }
  const before = event.previous !== undefined && selection.matches(objectOf(event.previous))
  if (event.type === "DELETED") {
    return before || event.previous === undefined && selection.matches(objectOf(event.entry))
      ? { type: "DELETED", left: false }
      : undefined
  }
  const after = selection.matches(objectOf(event.entry))
  if (after) return { type: before ? "MODIFIED" : "ADDED", left: false }
  return before ? { type: "DELETED", left: true } : undefined
}

const encoder = new TextEncoder()
const tail = encoder.encode("}\n")
const heads: Readonly<Record<EventType, Uint8Array>> = {
  ADDED: encoder.encode("{\"type\":\"ADDED\",\"object\":"),
  MODIFIED: encoder.encode("{\"type\":\"MODIFIED\",\"object\":"),
  DELETED: encoder.encode("{\"type\":\"DELETED\",\"object\":")
}

const line = (type: string, object: unknown): Uint8Array => encoder.encode(`${JSON.stringify({ type, object })}\n`)

const lastMatch = (event: CacheEvent.CacheEvent): KubeObject.KubeObject =>
  withRevision(objectOf(event.previous ?? event.entry), event.revision)

/**
 * Writes the events of one watch. JSON lines are made once per event and shared by all watchers; tables hold ages, so they
 * are made for each.
 *
 * @category models
 */
export interface EventEncoder {
  /** The line for an event, or undefined when this watcher does not see it. */
  readonly event: (event: CacheEvent.CacheEvent) => Uint8Array | undefined
  readonly bookmark: (revision: number, endOfInitialEvents: boolean) => Uint8Array
}

/** The line that reports a failure; it is the last one. @category constructors */
export const errorLine = (status: Status.Status): Uint8Array => line("ERROR", status)

const initialEventsEnd = { annotations: { "k8s.io/initial-events-end": "true" } }

/** The encoder of one watch, in the shape that its client asked for. @category constructors */
export const makeEncoder = (call: ResourceRequest, selection: Selection): EventEncoder => {
  const { accepted, context, info, kind } = call
  const { metaVersion, shape } = accepted
  const include = shapes.includeOf(info.query)
  let columnsSent = false

  const shared = (event: CacheEvent.CacheEvent, type: EventType, left: boolean): Uint8Array =>
    left
      ? event.encoded("json:LEFT", () => line("DELETED", lastMatch(event)))
      : event.encoded(`json:${type}`, () => Buffer.concat([heads[type], inner(event.entry.bytes), tail]))

  const tableOf = (object: KubeObject.KubeObject) => {
    const withColumns = !columnsSent
    columnsSent = true
    const { resourceVersion } = object.metadata
    const rows = [shapes.row(kind, object, context.now(), include, metaVersion)]
    return shapes.table(kind, resourceVersion === undefined ? {} : { resourceVersion }, rows, metaVersion, withColumns)
  }

  return {
    event: (event) => {
      const seen = classify(event, selection)
      if (seen === undefined) return undefined
      if (shape === "Object") return shared(event, seen.type, seen.left)
      const object = seen.left ? lastMatch(event) : objectOf(event.entry)
      return line(seen.type, shape === "Table" ? tableOf(object) : shapes.partial(object, metaVersion))
    },
    bookmark: (revision, endOfInitialEvents) => {
      const metadata = { resourceVersion: String(revision), ...(endOfInitialEvents ? initialEventsEnd : {}) }
      switch (shape) {
        case "Table":
          return line("BOOKMARK", shapes.table(kind, metadata, [], metaVersion, false))
        case "Object":
          return line("BOOKMARK", { kind: kind.kind, apiVersion: Kind.apiVersion(kind), metadata })
        case "PartialObjectMetadata":
        case "PartialObjectMetadataList":
          break
      }
      return line("BOOKMARK", { kind: "PartialObjectMetadata", apiVersion: `meta.k8s.io/${metaVersion}`, metadata })
    }
  }
}
