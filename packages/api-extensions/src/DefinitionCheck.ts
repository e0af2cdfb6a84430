/** Validation of CustomResourceDefinitions. */
import { type ApiextensionsV1, FieldError, Names, WebhookClientValidation } from "@reddwarf/api-types"
import * as Either from "effect/Either"
import * as ApiApproval from "./ApiApproval.js"
import * as FieldPath from "./FieldPath.js"
import { equals, type JsonSchema } from "./JsonSchema.js"
import * as SchemaCheck from "./SchemaCheck.js"

type Definition = ApiextensionsV1.CustomResourceDefinition
type Version = ApiextensionsV1.CustomResourceDefinitionVersion
type DefinitionNames = ApiextensionsV1.CustomResourceDefinitionNames
type Column = ApiextensionsV1.CustomResourceColumnDefinition
type Errors = ReadonlyArray<FieldError.FieldError>

const joined = (path: string, value: string, problems: Names.Problems, prefix = ""): Errors =>
  value === "" || problems.length === 0 ? [] : [FieldError.invalid(path, value, `${prefix}${problems.join(",")}`)]

const joinedRequired = (path: string, value: string): Errors => {
  const problems = Names.isDns1035Label(value)
  return problems.length === 0 ? [] : [FieldError.invalid(path, value, problems.join(","))]
}

const mixedCase = "may have mixed case, but should otherwise match: "

const checkNames = (names: DefinitionNames, path: string): Errors => {
  const { categories = [], kind, listKind = "", plural, shortNames = [], singular = "" } = names
  const label = Names.isDns1035Label
  return [
    ...joined(`${path}.plural`, plural, label(plural)),
    ...joined(`${path}.singular`, singular, label(singular)),
    ...joined(`${path}.kind`, kind, label(kind.toLowerCase()), mixedCase),
    ...joined(`${path}.listKind`, listKind, label(listKind.toLowerCase()), mixedCase),
    ...shortNames.flatMap((name, index) => joined(`${path}.shortNames[${index}]`, name, label(name))),
    ...(kind !== "" && kind === listKind ? [FieldError.invalid(`${path}.listKind`, listKind, "kind and listKind may not be the same")] : []),
    ...categories.flatMap((name, index) => joined(`${path}.categories[${index}]`, name, label(name)))
  ]
}

const requiredNames = ({ kind, listKind = "", plural, singular = "" }: DefinitionNames): Errors =>
  Object.entries({ plural, singular, kind, listKind }).flatMap(([name, value]) => value === "" ? [FieldError.required(`spec.names.${name}`)] : [])

const columnTypes = ["boolean", "date", "integer", "number", "string"]
const columnFormats = ["byte", "date", "date-time", "double", "float", "int32", "int64", "password"]

/** Whatever begins with a dot is taken; a column whose path turns out to be unreadable is not printed. */
const checkSimplePath = (value: string, path: string): Errors =>
  value.startsWith(".") ? [] : [FieldError.invalid(path, value, "must be a simple json path starting with .")]

const checkColumns = (columns: ReadonlyArray<Column>, path: string): Errors =>
  columns.flatMap(({ format = "", jsonPath, name, type }, index) => {
    const at = `${path}[${index}]`
    const kinds = `must be one of ${columnTypes.join(",")}`
    return [
      ...(name === "" ? [FieldError.required(`${at}.name`)] : []),
      ...(type === "" ? [FieldError.required(`${at}.type`, kinds)] : columnTypes.includes(type) ? [] : [FieldError.invalid(`${at}.type`, type, kinds)]),
      ...(format === "" || columnFormats.includes(format)
        ? []
        : [FieldError.invalid(`${at}.format`, format, `must be one of ${columnFormats.join(",")}`)]),
      ...(jsonPath === "" ? [FieldError.required(`${at}.JSONPath`)] : checkSimplePath(jsonPath, `${at}.JSONPath`))
    ]
  })

const checkScalePath = (value: string, path: string, roots: ReadonlyArray<string>): Errors => {
  const problems = checkSimplePath(value, path)
  if (problems.length > 0 || roots.some((root) => value.startsWith(`${root}.`))) return problems
  const where = roots.length === 1 ? roots.join("") : `either ${roots.join(" or ")}`
  return [FieldError.invalid(path, value, `should be a json path under ${where}`)]
}

const checkSubresources = (subresources: Version["subresources"], path: string): Errors => {
  const scale = subresources?.scale
  if (scale === undefined) return []
  const at = `${path}.scale`
  const required = (value: string | undefined, name: string, root: string): Errors =>
    value === undefined || value === "" ? [FieldError.required(`${at}.${name}`)] : checkScalePath(value, `${at}.${name}`, [root])
  const { labelSelectorPath = "", specReplicasPath, statusReplicasPath } = scale
  return [
    ...required(specReplicasPath, "specReplicasPath", ".spec"),
    ...required(statusReplicasPath, "statusReplicasPath", ".status"),
    ...(labelSelectorPath === "" ? [] : checkScalePath(labelSelectorPath, `${at}.labelSelectorPath`, [".spec", ".status"]))
  ]
}

const selectableTypes: ReadonlySet<string> = new Set(["string", "boolean", "integer"])
const maximumSelectable = 8

const checkSelectable = (fields: NonNullable<Version["selectableFields"]>, schema: JsonSchema | undefined, path: string): Errors => {
  if (fields.length === 0) return []
  if (schema === undefined) return [FieldError.invalid(path, "", "may only be set when `version.schema.openAPIV3Schema` is not included")]
  const seen = new Set<string>()
  const problems = fields.flatMap(({ jsonPath }, index): Errors => {
    const at = `${path}[${index}].jsonPath`
    if (jsonPath === "") return [FieldError.required(at)]
    const found = FieldPath.find(jsonPath, schema, false)
    if (Either.isLeft(found)) return [FieldError.invalid(at, jsonPath, `is an invalid path: ${found.left}`)]
    const { path: field, schema: type } = found.right
    const isKnown = seen.has(field)
    seen.add(field)
    return [
      ...(/^metadata(?:[.[]|$)/.test(field) ? [FieldError.invalid(at, jsonPath, "must not point to fields in metadata")] : []),
      ...(selectableTypes.has(type?.type ?? "")
        ? []
        : [FieldError.invalid(at, jsonPath, "must point to a field of type string, boolean or integer. Enum string fields and strings with formats are allowed.")]),
      ...(isKnown ? [FieldError.duplicate(at, jsonPath)] : [])
    ]
  })
  return seen.size > maximumSelectable ? [...problems, FieldError.tooMany(path, seen.size, maximumSelectable)] : problems
}

/** Where a text has a character that cannot be shown, in bytes. */
const unprintable = (text: string): number | undefined => {
  let at = 0
  for (const char of text) {
    if (!/^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u.test(char)) return at
    at += Names.byteLength(char)
  }
  return undefined
}

const checkDeprecation = ({ deprecated, deprecationWarning }: Version, path: string): Errors => {
  if (deprecationWarning === undefined) return []
  const at = `${path}.deprecationWarning`
  const wrong = unprintable(deprecationWarning)
  const problems = deprecated !== true
    ? ["can only be set for deprecated versions"]
    : [
      ...(Names.byteLength(deprecationWarning) > 256 ? ["must be <= 256 characters long"] : []),
      ...(deprecationWarning === "" ? ["must not be an empty string"] : []),
      ...(wrong === undefined ? [] : [`must only contain printable UTF-8 characters; non-printable character found at index ${wrong}`])
    ]
  return problems.map((problem) => FieldError.invalid(at, deprecationWarning, problem))
}

const schemaOf = ({ schema }: Version): JsonSchema | undefined => schema?.openAPIV3Schema

/** A schema that did not change was accepted before, and is not compiled again. */
const checkSchema = (version: Version, old: ReadonlyArray<Version>, hasStatus: boolean, path: string): Errors => {
  const schema = schemaOf(version)
  const before = old.find(({ name }) => name === version.name)
  return schema === undefined || before !== undefined && equals(before.schema, version.schema)
    ? []
    : SchemaCheck.validate(schema, `${path}.openAPIV3Schema`, hasStatus)
}

const statusOf = ({ subresources }: Version): boolean => subresources?.status !== undefined

/** A part that all versions have alike is one of the definition, and is said to be one. */
const isShared = (versions: ReadonlyArray<Version>, part: (version: Version) => unknown): boolean =>
  versions.every((version) => equals(part(version) ?? null, part(versions[0] ?? version) ?? null))

const checkVersions = (versions: ReadonlyArray<Version>, old: ReadonlyArray<Version>): Errors => {
  const [first] = versions
  const shares = {
    schema: isShared(versions, ({ schema }) => schema),
    subresources: isShared(versions, ({ subresources }) => subresources),
    columns: isShared(versions, ({ additionalPrinterColumns = [] }) => additionalPrinterColumns),
    selectable: isShared(versions, ({ selectableFields = [] }) => selectableFields)
  }
  // Of fields that all versions select, the schema that they share knows the types.
  const selectsAlike = shares.selectable && shares.schema
  return [
    ...versions.flatMap((version, index) =>
      schemaOf(version) === undefined ? [FieldError.required(`spec.versions[${index}].schema.openAPIV3Schema`)] : []),
    ...versions.flatMap((version, index) => {
      const path = `spec.versions[${index}]`
      return [
        ...joinedRequired(`${path}.name`, version.name),
        ...checkDeprecation(version, path),
        ...(shares.schema ? [] : checkSchema(version, old, statusOf(version), `${path}.schema`)),
        ...(shares.subresources ? [] : checkSubresources(version.subresources, `${path}.subresources`)),
        ...(shares.columns ? [] : checkColumns(version.additionalPrinterColumns ?? [], `${path}.additionalPrinterColumns`)),
        ...(selectsAlike ? [] : checkSelectable(version.selectableFields ?? [], schemaOf(version), `${path}.selectableFields`))
      ]
    }),
    ...(new Set(versions.map(({ name }) => name)).size === versions.length
      ? []
      : [FieldError.invalid("spec.versions", versions, "must contain unique version names")]),
    ...(versions.filter(({ storage }) => storage).length === 1
      ? []
      : [FieldError.invalid("spec.versions", versions, "must have exactly one version marked as storage version")]),
    ...(first === undefined ? [] : [
      ...(shares.schema ? checkSchema(first, old, versions.some(statusOf), "spec.validation") : []),
      ...(shares.subresources ? checkSubresources(first.subresources, "spec.subresources") : []),
      ...(shares.columns ? checkColumns(first.additionalPrinterColumns ?? [], "spec.additionalPrinterColumns") : []),
      ...(selectsAlike ? checkSelectable(first.selectableFields ?? [], schemaOf(first), "spec.selectableFields") : [])
    ])
  ]
}

const reviewVersions: ReadonlySet<string> = new Set(["v1", "v1beta1"])

const checkReviewVersions = (versions: ReadonlyArray<string>, path: string): Errors => {
  if (versions.length === 0) return [FieldError.required(path)]
  return [
    ...versions.flatMap((version, index) =>
      versions.indexOf(version) < index
        ? [FieldError.invalid(`${path}[${index}]`, version, "duplicate version")]
        : Names.isDns1035Label(version).map((problem) => FieldError.invalid(`${path}[${index}]`, version, problem))),
    ...(versions.some((version) => reviewVersions.has(version)) ? [] : [FieldError.invalid(path, versions, "must include at least one of v1, v1beta1")])
  ]
}

const checkWebhook = (webhook: ApiextensionsV1.WebhookConversion | undefined, path: string): Errors => {
  const { clientConfig, conversionReviewVersions = [] } = webhook ?? {}
  return [
    ...(clientConfig === undefined
      ? [FieldError.required(`${path}.webhookClientConfig`, "required when strategy is set to Webhook")]
      : WebhookClientValidation.validateWebhookClient(`${path}.webhookClientConfig`, clientConfig)),
    ...checkReviewVersions(conversionReviewVersions, `${path}.conversionReviewVersions`)
  ]
}

const checkConversion = ({ conversion, preserveUnknownFields }: ApiextensionsV1.CustomResourceDefinitionSpec): Errors => {
  if (conversion === undefined) return []
  const { strategy, webhook } = conversion
  const path = "spec.conversion"
  const known = ["None", "Webhook"]
  const unset = "should not be set when strategy is not set to Webhook"
  return [
    ...(strategy !== "None" && preserveUnknownFields === true
      ? [FieldError.invalid(`${path}.strategy`, strategy, "must be None if spec.preserveUnknownFields is true")]
      : []),
    ...(strategy === ""
      ? [FieldError.required(`${path}.strategy`)]
      : known.includes(strategy) ? [] : [FieldError.notSupported(`${path}.strategy`, strategy, known)]),
    ...(strategy === "Webhook" ? checkWebhook(webhook, path) : [
      ...(webhook?.clientConfig === undefined ? [] : [FieldError.forbidden(`${path}.webhookClientConfig`, unset)]),
      ...((webhook?.conversionReviewVersions ?? []).length === 0 ? [] : [FieldError.forbidden(`${path}.conversionReviewVersions`, unset)])
    ])
  ]
}

/** A definition whose approval stays as it was may be changed otherwise. */
const checkApproval = ({ metadata, spec }: Definition, old: Definition | undefined): Errors => {
  const { reason, state } = ApiApproval.of(metadata.annotations)
  if (!ApiApproval.isProtected(spec.group) || old !== undefined && ApiApproval.of(old.metadata.annotations).state === state) return []
  const path = `metadata.annotations[${ApiApproval.annotation}]`
  if (state === "Missing") return [FieldError.required(path, reason)]
  return state === "Invalid" ? [FieldError.invalid(path, metadata.annotations?.[ApiApproval.annotation], reason)] : []
}

const checkPreserving = ({ spec: { preserveUnknownFields } }: Definition, old: Definition | undefined): Errors =>
  preserveUnknownFields === true && old?.spec.preserveUnknownFields !== true
    ? [
      FieldError.invalid(
        "spec.preserveUnknownFields",
        true,
        "cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead"
      )
    ]
    : []

const checkSpec = (object: Definition, old: Definition | undefined): Errors => {
  const { group, names, scope, versions } = object.spec
  return [
    ...(group === ""
      ? [FieldError.required("spec.group")]
      : Names.isDns1123Subdomain(group).length > 0
      ? joined("spec.group", group, Names.isDns1123Subdomain(group))
      : group.includes(".") ? [] : [FieldError.invalid("spec.group", group, "should be a domain with at least one dot")]),
    ...(scope === ""
      ? [FieldError.required("spec.scope")]
      : scope === "Cluster" || scope === "Namespaced"
      ? []
      : [FieldError.notSupported("spec.scope", scope, ["Cluster", "Namespaced"])]),
    ...checkVersions(versions, old?.spec.versions ?? []),
    ...requiredNames(names),
    ...checkNames(names, "spec.names"),
    ...checkConversion(object.spec)
  ]
}

const checkStored = ({ spec, status }: Definition): Errors => {
  const stored = status?.storedVersions ?? []
  const path = "status.storedVersions"
  if (stored.length === 0) return [FieldError.invalid(path, stored, "must have at least one stored version")]
  const storage = spec.versions.find((version) => version.storage)?.name
  return [
    ...(storage === undefined || stored.includes(storage) ? [] : [FieldError.invalid(path, stored, `must have the storage version ${storage}`)]),
    ...stored.flatMap((name, index) =>
      spec.versions.some((version) => version.name === name)
        ? []
        : [
          FieldError.invalid(
            `${path}[${index}]`,
            name,
            `missing from spec.versions; ${name} was previously a storage version, and must remain in spec.versions until a storage migration ensures no data remains persisted in ${name} and removes ${name} from status.storedVersions`
          )
        ])
  ]
}

const checkName = ({ metadata, spec }: Definition): Errors =>
  metadata.name === `${spec.names.plural}.${spec.group}`
    ? []
    : [FieldError.invalid("metadata.name", metadata.name, "must be spec.names.plural+\".\"+spec.group")]

/** Problems of a new definition besides those of its metadata. @category combinators */
export const validate = (object: Definition): Errors => [
  ...checkName(object),
  ...checkSpec(object, undefined),
  ...checkStored(object),
  ...checkApproval(object, undefined),
  ...checkPreserving(object, undefined)
]

/** Whether a condition of a definition is true. @category combinators */
export const isTrue = ({ status }: Definition, type: string): boolean =>
  status?.conditions?.some((condition) => condition.type === type && condition.status === "True") ?? false

const immutable = (path: string, next: unknown, old: unknown): Errors =>
  equals(next, old) ? [] : [FieldError.invalid(path, next, "field is immutable")]

/** Problems of a change besides those of its metadata. @category combinators */
export const validateUpdate = (next: Definition, old: Definition): Errors => [
  ...(equals(next.spec, old.spec) ? [] : checkSpec(next, old)),
  ...(isTrue(old, "Established")
    ? [
      ...immutable("spec.scope", next.spec.scope, old.spec.scope),
      ...immutable("spec.names.kind", next.spec.names.kind, old.spec.names.kind)
    ]
    : []),
  ...immutable("spec.group", next.spec.group, old.spec.group),
  ...immutable("spec.names.plural", next.spec.names.plural, old.spec.names.plural),
  ...(next.status?.acceptedNames === undefined ? [] : checkNames(next.status.acceptedNames, "status.acceptedNames")),
  ...checkStored(next),
  ...checkApproval(next, old),
  ...checkPreserving(next, old)
]
