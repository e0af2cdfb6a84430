/** What the simulated host remembers of its network beyond links and addresses: routes, rules, flows. */
import * as Schema from "effect/Schema"

const mutableArray = <A, I>(item: Schema.Schema<A, I>) => Schema.mutable(Schema.Array(item))
const text = Schema.String
const textRecord = Schema.mutable(Schema.Record({ key: text, value: text }))

/** A route through a gateway. @category schemas */
export const StaticRoute = Schema.Struct({
  /** With prefix length, or `default`. */
  destination: text,
  gateway: text,
  /** `UG` and what modifiers of route add to it. */
  flags: text
})
/** @category models */
export type StaticRoute = typeof StaticRoute.Type

/** Part of the traffic of a link. @category schemas */
export const Flow = Schema.mutable(Schema.Struct({
  name: text,
  link: text,
  attributes: textRecord,
  properties: textRecord,
  temporary: Schema.Boolean
}))
/** @category models */
export type Flow = typeof Flow.Type

/** @category schemas */
export const NetworkTables = Schema.mutable(Schema.Struct({
  routes: mutableArray(StaticRoute),
  /** Lines of the file of persistent routes, without the command. */
  persistentRoutes: mutableArray(Schema.Struct({ line: text, destination: text, gateway: text })),
  /** Rules of ipnat in canonical form, in their order. */
  nat: mutableArray(text),
  filterIn: mutableArray(text),
  filterOut: mutableArray(text),
  flows: mutableArray(Flow),
  /** Properties of protocols that hold until the next boot, by `protocol:property`. */
  temporaryProperties: textRecord
}))
/** @category models */
export type NetworkTables = typeof NetworkTables.Type

/** Something that may have tables. @category models */
export interface HasTables {
  network?: NetworkTables | undefined
}

/** Tables with nothing in them. @category constructors */
export const empty = (): NetworkTables => ({
  routes: [],
  persistentRoutes: [],
  nat: [],
  filterIn: [],
  filterOut: [],
  flows: [],
  temporaryProperties: {}
})

/** The tables of a host; a state that was written before there were any has empty ones. @category combinators */
export const of = (host: HasTables): NetworkTables => {
  host.network ??= empty()
  return host.network
}

/** What a power cycle leaves of them. @category combinators */
export const reboot = (host: HasTables): void => {
  const tables = host.network
  if (tables === undefined) return
  tables.routes = tables.persistentRoutes.map(({ destination, gateway }) => ({ destination, gateway, flags: "UG" }))
  tables.nat = []
  tables.filterIn = []
  tables.filterOut = []
  tables.flows = tables.flows.filter((flow) => !flow.temporary)
  tables.temporaryProperties = {}
}
