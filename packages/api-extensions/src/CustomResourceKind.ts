/** The kinds that a CustomResourceDefinition stands for: one for each served version, all over the same stored objects. */
import { type ApiextensionsV1, FieldError, Kind, type KubeObject, Names, ObjectCodec, Status } from "@reddwarf/api-types"
import * as Either from "effect/Either"
import * as DefinitionCheck from "./DefinitionCheck.js"
import * as Defaulting from "./Defaulting.js"
import * as EmbeddedResources from "./EmbeddedResources.js"
import * as JsonPath from "./JsonPath.js"
import { equals, get, isObject, type JsonObject, type JsonSchema, propertyOf, sorted } from "./JsonSchema.js"
import * as ListTypes from "./ListTypes.js"
import * as OpenApi from "./OpenApi.js"
import * as PrinterColumns from "./PrinterColumns.js"
import { pruneResource, withoutNulls } from "./Pruning.js"
import * as Rules from "./Rules.js"
import * as ValueCheck from "./ValueCheck.js"

type Definition = ApiextensionsV1.CustomResourceDefinition
type Version = ApiextensionsV1.CustomResourceDefinitionVersion
type Errors = ReadonlyArray<FieldError.FieldError>
type Decoded = { readonly object: KubeObject.KubeObject; readonly unknownFields: ReadonlyArray<string> }

const anything: JsonSchema = { type: "object", "x-kubernetes-preserve-unknown-fields": true }

/** Computes a value when it is first asked for: compiling rules takes time, and most kinds are not written to at once. */
const lazily = <A>(make: () => A): () => A => {
  let made: { readonly value: A } | undefined
  return () => (made ??= { value: make() }).value
}

const isKubeObject = (value: unknown): value is KubeObject.KubeObject =>
  isObject(value) && typeof value["apiVersion"] === "string" && typeof value["kind"] === "string" && isObject(value["metadata"])

/** Names of the metadata of every object stay in the order that all objects have them in. */
const canonical = (object: JsonObject): JsonObject => {
  const result = sorted(object)
  return isObject(result) ? result : object
}

const missing = (field: string, json: unknown): Status.Status => Status.badRequest(`Object '${field}' is missing in '${JSON.stringify(json).slice(0, 256)}'`)

const decoder = (apiVersion: string, schema: JsonSchema) => (json: unknown): Either.Either<Decoded, Status.Status> => {
  if (!isObject(json)) return Either.left(missing("Kind", json))
  const { apiVersion: givenVersion, kind: givenKind, metadata } = json
  if (typeof givenKind !== "string" || givenKind === "") return Either.left(missing("Kind", json))
  if (typeof givenVersion !== "string" || givenVersion === "") return Either.left(missing("apiVersion", json))
  if (givenVersion !== apiVersion) {
    const text = `the API version in the data (${givenVersion}) does not match the expected API version (${apiVersion})`
    return Either.left(Status.badRequest(text))
  }
  const decoded = ObjectCodec.decodeMetadata(metadata ?? {})
  if (Either.isLeft(decoded)) return Either.left(Status.badRequest(decoded.left))
  const pruned = pruneResource(json, schema)
  const { value: coerced, unknownFields: embedded } = EmbeddedResources.coerce(withoutNulls(pruned.value, schema), schema)
  if (Either.isLeft(coerced)) return Either.left(Status.badRequest(coerced.left))
  const value = isObject(coerced.right) ? coerced.right : json
  const object = canonical({ ...value, metadata: decoded.right.object })
  if (!isKubeObject(object)) return Either.left(Status.badRequest("the object has no metadata"))
  return Either.right({
    object,
    unknownFields: [...decoded.right.unknownFields, ...pruned.removed, ...embedded].sort().map((path) => `unknown field ${JSON.stringify(path)}`)
  })
}

const blocking: ReadonlySet<string> = new Set([
  "FieldValueNotSupported",
  "FieldValueRequired",
  "FieldValueTooLong",
  "FieldValueTooMany",
  "FieldValueTypeInvalid"
])

const unchecked = FieldError.invalid(
  "<nil>",
  null,
  "some validation rules were not checked because the object was invalid; correct the existing errors to complete validation"
)

const withRules = (errors: Errors, rules: Rules.RuleTree | undefined, run: (tree: Rules.RuleTree) => Errors): Errors => {
  const blocked = errors.some(({ reason }) => blocking.has(reason))
  const all = rules === undefined ? errors : blocked ? [...errors, unchecked] : [...errors, ...run(rules)]
  // Kubernetes has no path for the whole object, and says so.
  return all.map((error) => error.path === "" ? { ...error, path: "<nil>" } : error)
}

const pathOf = (path: string): ReadonlyArray<string> => path.replace(/^\./, "").split(".")

const at = (object: unknown, path: string): unknown => pathOf(path).reduce(get, object)

const maximumInt32 = 2_147_483_647

const checkReplicas = (object: unknown, path: string): Errors => {
  const value = at(object, path)
  if (value === undefined) return []
  if (typeof value !== "number" || !Number.isInteger(value)) {
    return [FieldError.invalid(path, 0, `${path} accessor error: ${JSON.stringify(value)} is of the type ${typeof value}, expected int64`)]
  }
  if (value < 0) return [FieldError.invalid(path, value, "should be a non-negative integer")]
  return value > maximumInt32 ? [FieldError.invalid(path, value, `should be less than or equal to ${maximumInt32}`)] : []
}

const checkScale = (object: unknown, { subresources }: Version): Errors => {
  const scale = subresources?.scale
  return scale === undefined ? [] : [...checkReplicas(object, scale.specReplicasPath), ...checkReplicas(object, scale.statusReplicasPath)]
}

const otherThanStatus = (object: KubeObject.KubeObject): object => {
  const { metadata: _, status: __, ...content }: KubeObject.KubeObject & { readonly status?: unknown } = object
  return content
}

/** What a change through the status subresource is checked for: of the rest of the object nothing was changed, and it may be older than its schema. */
const checkStatus = (next: KubeObject.KubeObject, old: KubeObject.KubeObject, schema: JsonSchema): Errors | undefined => {
  const status = get(next, "status")
  const before = get(old, "status")
  if (equals(status, before) || !equals(otherThanStatus(next), otherThanStatus(old))) return undefined
  const property = propertyOf(schema, "status")
  return status === undefined || property === undefined ? [] : ValueCheck.validateUpdate(status, before, property, "status")
}

const checkKind = (object: KubeObject.KubeObject, kind: string): Errors =>
  object.kind === kind ? [] : [FieldError.invalid("kind", object.kind, `must be ${kind}`)]

const withStatusOf = (next: KubeObject.KubeObject, old: KubeObject.KubeObject): KubeObject.KubeObject => {
  const status = get(old, "status")
  const { status: _, ...rest }: KubeObject.KubeObject & { readonly status?: unknown } = next
  const content: KubeObject.KubeObject & { readonly status?: unknown } = status === undefined ? rest : { ...rest, status }
  return content
}

const contentOf = ({ metadata: _, ...content }: KubeObject.KubeObject): object => content

const subresourcesOf = ({ subresources }: Version, kind: string): ReadonlyArray<Kind.Subresource> => [
  ...(subresources?.status === undefined ? [] : [{ name: "status", kind, verbs: ["get", "patch", "update"] as const }]),
  ...(subresources?.scale === undefined
    ? []
    : [{ name: "scale", kind: "Scale", group: "autoscaling", version: "v1", verbs: ["get", "patch", "update"] as const }])
]

const scaleOf = ({ subresources }: Version): Pick<Kind.Kind, "scale"> => {
  const scale = subresources?.scale
  if (scale === undefined) return {}
  const { labelSelectorPath = "", specReplicasPath, statusReplicasPath } = scale
  return {
    scale: {
      specReplicas: specReplicasPath,
      statusReplicas: statusReplicasPath,
      ...(labelSelectorPath === "" ? {} : { selector: labelSelectorPath })
    }
  }
}

const textOf = (value: unknown): string => {
  if (value === undefined || value === null) return ""
  return typeof value === "string" ? value : JSON.stringify(value)
}

const selectableOf = ({ selectableFields = [] }: Version): Kind.Kind["selectableFields"] =>
  Object.fromEntries(selectableFields.map(({ jsonPath }) => {
    const parsed = JsonPath.parse(jsonPath)
    const path = Either.isRight(parsed) ? parsed.right : []
    return [jsonPath.replace(/^\./, ""), (object: KubeObject.KubeObject) => textOf(JsonPath.find(path, object)[0])]
  }))

const deprecationOf = (definition: Definition, version: Version): Pick<Kind.Kind, "deprecationWarning"> => {
  if (version.deprecated !== true) return {}
  const { group, names } = definition.spec
  return { deprecationWarning: version.deprecationWarning ?? `${group}/${version.name} ${names.kind} is deprecated` }
}

/** How an object of one version is seen in another: unless a webhook converts it, the version only is changed, and the rest follows from the schemas. */
const viewOf = (apiVersion: string, kind: string, schema: JsonSchema, fills: boolean) => (stored: KubeObject.KubeObject): KubeObject.KubeObject => {
  const value = withoutNulls(pruneResource(stored, schema).value, schema)
  const filled = fills ? Defaulting.withDefaults(value, schema) : value
  if (filled === stored && stored.apiVersion === apiVersion) return stored
  const view = canonical({ ...(isObject(filled) ? filled : {}), apiVersion, kind })
  return isKubeObject(view) ? view : stored
}

const rename = (apiVersion: string) => (object: KubeObject.KubeObject): KubeObject.KubeObject => {
  const view = canonical({ ...object, apiVersion })
  return isKubeObject(view) ? view : object
}

const webhookOf = ({ spec: { conversion } }: Definition, apiVersion: string): Pick<Kind.Storage, "webhook"> =>
  conversion?.strategy === "Webhook" && conversion.webhook !== undefined ? { webhook: { apiVersion, conversion: conversion.webhook } } : {}

/** The kind that objects are stored as, whichever version they were written in. */
const storageOf = (definition: Definition): Kind.Kind => {
  const { group, names, scope, versions } = definition.spec
  const version = versions.find(({ storage }) => storage)?.name ?? ""
  return Kind.make({ group, version, kind: names.kind, plural: names.plural, namespaced: scope === "Namespaced", schema: "" })
}

const versionKind = (definition: Definition, version: Version, storage: Kind.Kind): Kind.Kind => {
  const { group, scope } = definition.spec
  const names = definition.status?.acceptedNames ?? definition.spec.names
  const schema = version.schema?.openAPIV3Schema ?? anything
  const identity = { group, version: version.name, kind: names.kind }
  const apiVersion = Kind.apiVersion(identity)
  const hasStatus = version.subresources?.status !== undefined
  const fills = Defaulting.hasDefaults(schema)
  const rules = lazily(() => Rules.compile(schema))
  const columns = PrinterColumns.of(version.additionalPrinterColumns ?? [])
  const openApi = lazily(() => OpenApi.schemaOf(version.schema?.openAPIV3Schema, identity))
  const defaults = (object: KubeObject.KubeObject): KubeObject.KubeObject => {
    const filled = fills ? Defaulting.withDefaults(object, schema) : object
    return isKubeObject(filled) ? filled : object
  }
  return Kind.make<KubeObject.KubeObject>({
    ...identity,
    plural: names.plural,
    singular: names.singular ?? names.kind.toLowerCase(),
    listKind: names.listKind ?? `${names.kind}List`,
    shortNames: names.shortNames ?? [],
    categories: names.categories ?? [],
    namespaced: scope === "Namespaced",
    schema: OpenApi.definitionName(identity),
    subresources: subresourcesOf(version, names.kind),
    ...scaleOf(version),
    ...deprecationOf(definition, version),
    storage: { kind: storage, toStored: rename(Kind.apiVersion(storage)), fromStored: viewOf(apiVersion, names.kind, schema, fills), ...webhookOf(definition, apiVersion) },
    custom: {
      decode: decoder(apiVersion, schema),
      get openApi() {
        return openApi()
      },
      schema: { ...schema },
      isTerminating: DefinitionCheck.isTrue(definition, "Terminating")
    },
    tracksGeneration: true,
    generationContent: (object) => {
      const content: { readonly status?: unknown } = contentOf(object)
      if (!hasStatus) return content
      const { status: _, ...counted } = content
      return counted
    },
    allowUnconditionalUpdate: false,
    nameRule: Names.isDns1123Subdomain,
    defaults,
    prepareForCreate: (object) => {
      if (!hasStatus) return object
      const { status: _, ...rest }: KubeObject.KubeObject & { readonly status?: unknown } = object
      return rest
    },
    prepareForUpdate: (next, old) => hasStatus ? withStatusOf(next, old) : next,
    prepareForStatusUpdate: (next, old) => {
      // Of the metadata only what the server manages itself may follow a status.
      const { managedFields } = next.metadata
      return withStatusOf({ ...old, metadata: { ...old.metadata, ...(managedFields === undefined ? {} : { managedFields }) } }, next)
    },
    validateContent: (object) =>
      withRules(
        [
          ...checkKind(object, names.kind),
          ...ValueCheck.validate(object, schema),
          ...checkScale(object, version),
          ...EmbeddedResources.validate(object, schema),
          ...ListTypes.validate(object, schema)
        ],
        rules(),
        (tree) => Rules.validate(tree, object)
      ),
    validateContentUpdate: (next, old) =>
      withRules(
        [
          ...checkKind(next, names.kind),
          ...(hasStatus ? checkStatus(next, old, schema) : undefined) ?? ValueCheck.validateUpdate(next, old, schema),
          ...checkScale(next, version),
          ...EmbeddedResources.validate(next, schema),
          ...(ListTypes.validate(old, schema).length === 0 ? ListTypes.validate(next, schema) : [])
        ],
        rules(),
        (tree) => Rules.validateUpdate(tree, next, old)
      ),
    selectableFields: selectableOf(version),
    columns: [PrinterColumns.nameColumn, ...columns.map(({ column }) => column)],
    cells: (object, now) => [object.metadata.name ?? "", ...columns.map(({ cell }) => cell(object, now))]
  })
}

const priority = (name: string): readonly [number, number, number] => {
  const match = /^v(\d+)(?:(alpha|beta)(\d+))?$/.exec(name)
  if (match === null) return [0, 0, 0]
  const [, major = "0", stage, minor = "0"] = match
  return [stage === undefined ? 3 : stage === "beta" ? 2 : 1, Number(major), Number(minor)]
}

/**
 * Orders versions as clients prefer them: stable before beta before alpha, the newest first, others by name at the end.
 *
 * @category combinators
 */
export const compareVersions = (left: string, right: string): number => {
  const a = priority(left)
  const b = priority(right)
  for (const [index, value] of a.entries()) {
    const other = b[index] ?? 0
    if (value !== other) return other - value
  }
  return left < right ? -1 : left > right ? 1 : 0
}

/**
 * The kinds of an established definition, the preferred version first.
 *
 * @category constructors
 */
export const make = (definition: Definition): ReadonlyArray<Kind.Kind> => {
  const storage = storageOf(definition)
  return definition.spec.versions
    .filter(({ served }) => served)
    .toSorted((left, right) => compareVersions(left.name, right.name))
    .map((version) => versionKind(definition, version, storage))
}
