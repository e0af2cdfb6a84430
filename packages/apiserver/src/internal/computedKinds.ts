/** Kinds of objects that the server makes when they are asked for, and never stores. */
import { CustomResourceKind } from "@reddwarf/api-extensions"
import { type ApiextensionsV1, Kind, Kinds } from "@reddwarf/api-types"
import * as TableSchema from "../fields/TableSchema.js"
import * as customTypedSchema from "./customTypedSchema.js"

/** One such kind, in its only version. */
export interface Definition {
  readonly group: string
  readonly version: string
  readonly names: ApiextensionsV1.CustomResourceDefinitionNames
  readonly scope: "Namespaced" | "Cluster"
  readonly schema: ApiextensionsV1.JSONSchemaProps
  readonly columns?: ReadonlyArray<ApiextensionsV1.CustomResourceColumnDefinition>
  /** What can be done with them. */
  readonly verbs: ReadonlyArray<Kind.Verb>
}

const resourceDefinition = ({ columns, group, names, schema, scope, version }: Definition): ApiextensionsV1.CustomResourceDefinition => ({
  apiVersion: Kind.apiVersion(Kinds.customResourceDefinition),
  kind: Kinds.customResourceDefinition.kind,
  metadata: { name: `${names.plural}.${group}` },
  spec: {
    group,
    names,
    scope,
    versions: [{
      name: version,
      served: true,
      storage: true,
      schema: { openAPIV3Schema: schema },
      ...(columns === undefined ? {} : { additionalPrinterColumns: columns })
    }]
  }
})

/** The kind, without subresources. */
export const make = (definition: Definition): Kind.Kind => {
  const [made] = CustomResourceKind.make(resourceDefinition(definition))
  if (made === undefined) throw new Error("a computed kind has no version")
  const { root } = TableSchema.ofKind(Kinds.configMap)
  const metadata = root._tag === "Map" ? root.field("metadata") : undefined
  const kind: Kind.Kind = { ...made, verbs: definition.verbs, subresources: [] }
  customTypedSchema.provide(kind, metadata ?? { _tag: "Untyped", atomic: false })
  return kind
}
