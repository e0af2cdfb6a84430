/** ZoneInstance as a kind of the API, for clients and informers. */
import { Kind, Status } from "@reddwarf/api-types"
import { ZoneInstance } from "@reddwarf/plans"
import * as Either from "effect/Either"
import * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"

const decode = Schema.decodeUnknownEither(ZoneInstance.ZoneInstance, { onExcessProperty: "preserve" })

/**
 * The kind. Its fields are described by its definition.
 *
 * @category models
 */
export const zoneInstance: Kind.Kind<ZoneInstance.ZoneInstance> = Kind.make<ZoneInstance.ZoneInstance>({
  group: ZoneInstance.group,
  version: ZoneInstance.version,
  kind: ZoneInstance.kind,
  plural: ZoneInstance.plural,
  shortNames: ["zi"],
  categories: ["reddwarf"],
  namespaced: true,
  schema: "io.reddwarf.v1alpha1.ZoneInstance",
  subresources: [{ name: "status", kind: ZoneInstance.kind, verbs: ["get", "patch", "update"] }],
  tracksGeneration: true,
  custom: {
    decode: (json) =>
      Either.mapBoth(decode(json), {
        onLeft: (error) => Status.badRequest(ParseResult.TreeFormatter.formatErrorSync(error)),
        onRight: (object) => ({ object, unknownFields: [] })
      }),
    openApi: { type: "object" },
    isTerminating: false
  },
  prepareForUpdate: (next, { status }) => {
    const { status: _, ...rest } = next
    return status === undefined ? rest : { ...rest, status }
  },
  prepareForStatusUpdate: (next, old) => ({ ...next, spec: old.spec })
})
