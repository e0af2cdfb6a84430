/**
 * CustomResourceDefinition: a kind that clients bring along. Its schemas are checked by `@reddwarf/api-extensions`, which completes this
 * definition.
 */
import type * as ApiextensionsV1 from "../generated/ApiextensionsV1.js"
import { name } from "../internal/columns.js"
import { semanticEqual } from "../internal/structure.js"
import * as Kind from "../Kind.js"
import * as Timestamp from "../Timestamp.js"

type Definition = ApiextensionsV1.CustomResourceDefinition

const withNames = (object: Definition): Definition => {
  const { names } = object.spec
  const singular = names.singular ?? ""
  const listKind = names.listKind ?? ""
  return {
    ...object,
    spec: {
      ...object.spec,
      names: {
        ...names,
        singular: singular === "" ? names.kind.toLowerCase() : singular,
        ...(listKind === "" ? (names.kind === "" ? {} : { listKind: `${names.kind}List` }) : { listKind })
      },
      conversion: object.spec.conversion ?? { strategy: "None" }
    }
  }
}

/** Every version that ever stored objects is remembered, for as long as objects of it may exist. */
const withStoredVersion = (object: Definition): Definition => {
  const stored = object.status?.storedVersions ?? []
  const storage = object.spec.versions.find((version) => version.storage)?.name
  return storage === undefined || stored.includes(storage)
    ? object
    : { ...object, status: { ...object.status, storedVersions: [...stored, storage] } }
}

const withoutStatus = ({ status: _, ...object }: Definition): Definition => object

/** @category constructors */
export const customResourceDefinition: Kind.Kind<Definition> = Kind.make<Definition>({
  group: "apiextensions.k8s.io",
  version: "v1",
  kind: "CustomResourceDefinition",
  plural: "customresourcedefinitions",
  shortNames: ["crd", "crds"],
  categories: ["api-extensions"],
  namespaced: false,
  schema: "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinition",
  subresources: [{ name: "status", kind: "CustomResourceDefinition", verbs: ["get", "patch", "update"] }],
  tracksGeneration: true,
  allowUnconditionalUpdate: false,
  defaults: withNames,
  prepareForCreate: (object) => withStoredVersion(withoutStatus(object)),
  prepareForUpdate: (next, old) => {
    const kept = withoutStatus(next)
    const spec = semanticEqual(next.spec, old.spec) ? old.spec : next.spec
    return withStoredVersion({ ...kept, spec, ...(old.status === undefined ? {} : { status: old.status }) })
  },
  prepareForStatusUpdate: (next, old) => ({ ...next, spec: old.spec }),
  columns: [
    name,
    { name: "Created At", type: "string", description: "Time at which the server stored the object first.", priority: 0 }
  ],
  cells: (object) => {
    const created = Timestamp.parse(object.metadata.creationTimestamp ?? "")
    return [object.metadata.name ?? "", created === undefined ? "" : Timestamp.formatSeconds(created)]
  }
})
