/** Validation of CustomResourceDefinitions. */
import { type ApiextensionsV1, FieldError, Names, WebhookClientValidation } from "@reddwarf/api-types"
import * as Either from "effect/Either"
import * as JsonPath from "./JsonPath.js"
import { equals, type JsonSchema, propertyOf } from "./JsonSchema.js"
import * as SchemaCheck from "./SchemaCheck.js"

type Definition = ApiextensionsV1.CustomResourceDefinition
type Version = ApiextensionsV1.CustomResourceDefinitionVersion
type DefinitionNames = ApiextensionsV1.CustomResourceDefinitionNames
type Errors = ReadonlyArray<FieldError.FieldError>

const joined = (path: string, value: string, problems: Names.Problems, prefix = ""): Errors =>
  value === "" || problems.length === 0 ? [] : [FieldError.invalid(path, value, `${prefix}${problems.join(",")}`)]

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

const checkColumns = ({ additionalPrinterColumns = [] }: Version, path: string): Errors =>
  additionalPrinterColumns.flatMap(({ format = "", jsonPath, name, type }, index) => {
    const at = `${path}.additionalPrinterColumns[${index}]`
    const parsed = JsonPath.parse(jsonPath)
    const kinds = `must be one of ${columnTypes.join(",")}`
    return [
      ...(name === "" ? [FieldError.required(`${at}.name`)] : []),
      ...(type === "" ? [FieldError.required(`${at}.type`, kinds)] : columnTypes.includes(type) ? [] : [FieldError.invalid(`${at}.type`, type, kinds)]),
      ...(format === "" || columnFormats.includes(format)
        ? []
        : [FieldError.invalid(`${at}.format`, format, `must be one of ${columnFormats.join(",")}`)]),
      ...(jsonPath === ""
        ? [FieldError.required(`${at}.JSONPath`)]
        : Either.isLeft(parsed)
        ? [FieldError.invalid(`${at}.JSONPath`, jsonPath, `is an invalid JSON path: ${parsed.left}`)]
        : [])
    ]
  })

const checkScalePath = (value: string | undefined, path: string, roots: ReadonlyArray<string>): Errors => {
  if (value === undefined || value === "") return [FieldError.required(path)]
  const parsed = JsonPath.parse(value)
  if (Either.isLeft(parsed)) return [FieldError.invalid(path, value, `is an invalid JSON path: ${parsed.left}`)]
  return roots.some((root) => value.startsWith(root))
    ? []
    : [FieldError.invalid(path, value, `should be a json path under ${roots.join(" or ")}`)]
}

const checkSubresources = ({ subresources }: Version, path: string): Errors => {
  const scale = subresources?.scale
  if (scale === undefined) return []
  const at = `${path}.subresources.scale`
  return [
    ...checkScalePath(scale.specReplicasPath, `${at}.specReplicasPath`, [".spec"]),
    ...checkScalePath(scale.statusReplicasPath, `${at}.statusReplicasPath`, [".status"]),
    ...(scale.labelSelectorPath === undefined || scale.labelSelectorPath === ""
      ? []
      : checkScalePath(scale.labelSelectorPath, `${at}.labelSelectorPath`, [".status", ".spec"]))
  ]
}

const schemaAt = (schema: JsonSchema, path: string): JsonSchema | undefined =>
  path.replace(/^\./, "").split(".").reduce<JsonSchema | undefined>((found, name) => found === undefined ? undefined : propertyOf(found, name), schema)

const selectableTypes: ReadonlySet<string> = new Set(["string", "boolean", "integer"])
const maximumSelectable = 8

const checkSelectable = (version: Version, path: string): Errors => {
  const fields = version.selectableFields ?? []
  const schema = version.schema?.openAPIV3Schema
  if (fields.length === 0) return []
  if (schema === undefined) {
    return [FieldError.invalid(`${path}.selectableFields`, "", "may only be set when `version.schema.openAPIV3Schema` is not included")]
  }
  const paths = fields.map(({ jsonPath }) => jsonPath)
  return [
    ...paths.flatMap((jsonPath, index): Errors => {
      const at = `${path}.selectableFields[${index}].jsonPath`
      if (jsonPath === "") return [FieldError.required(at)]
      if (jsonPath.includes("[")) return [FieldError.invalid(at, jsonPath, "is an invalid path: array notation is not allowed")]
      const found = schemaAt(schema, jsonPath)
      if (found === undefined) return [FieldError.invalid(at, jsonPath, "is an invalid path: does not refer to a valid field")]
      if (jsonPath.startsWith(".metadata")) return [FieldError.invalid(at, jsonPath, "must not point to fields in metadata")]
      if (!selectableTypes.has(found.type ?? "")) {
        const text = "must point to a field of type string, boolean or integer. Enum string fields and strings with formats are allowed."
        return [FieldError.invalid(at, jsonPath, text)]
      }
      return paths.indexOf(jsonPath) === index ? [] : [FieldError.duplicate(at, jsonPath)]
    }),
    ...(fields.length > maximumSelectable ? [FieldError.tooMany(`${path}.selectableFields`, fields.length, maximumSelectable)] : [])
  ]
}

const checkDeprecation = ({ deprecated, deprecationWarning }: Version, path: string): Errors => {
  if (deprecationWarning === undefined) return []
  const at = `${path}.deprecationWarning`
  const problems = deprecated !== true
    ? ["can only be set for deprecated versions"]
    : [
      ...(Names.byteLength(deprecationWarning) > 256 ? ["must be <= 256 characters long"] : []),
      ...(deprecationWarning === "" ? ["must not be an empty string"] : [])
    ]
  return problems.map((problem) => FieldError.invalid(at, deprecationWarning, problem))
}

/** A schema that did not change was accepted before, and is not compiled again. */
const checkVersion = (version: Version, old: Version | undefined, index: number): Errors => {
  const path = `spec.versions[${index}]`
  const schema = version.schema?.openAPIV3Schema
  const at = `${path}.schema.openAPIV3Schema`
  return [
    ...Names.isDns1035Label(version.name).map((problem) => FieldError.invalid(`${path}.name`, version.name, problem)),
    ...checkDeprecation(version, path),
    ...(schema === undefined
      ? [FieldError.required(at, "schemas are required")]
      : old !== undefined && equals(old.schema, version.schema)
      ? []
      : SchemaCheck.validate(schema, at)),
    ...checkSubresources(version, path),
    ...checkColumns(version, path),
    ...checkSelectable(version, path)
  ]
}

const checkVersions = (versions: ReadonlyArray<Version>, old: ReadonlyArray<Version>): Errors => [
  ...versions.flatMap((version, index) => checkVersion(version, old.find(({ name }) => name === version.name), index)),
  ...(new Set(versions.map(({ name }) => name)).size === versions.length
    ? []
    : [FieldError.invalid("spec.versions", versions, "must contain unique version names")]),
  ...(versions.filter(({ storage }) => storage).length === 1
    ? []
    : [FieldError.invalid("spec.versions", versions, "must have exactly one version marked as storage version")])
]

const reviewVersions: ReadonlySet<string> = new Set(["v1", "v1beta1"])

const checkWebhook = (webhook: ApiextensionsV1.WebhookConversion | undefined, path: string): Errors => {
  const { clientConfig, conversionReviewVersions: versions = [] } = webhook ?? {}
  return [
    ...(clientConfig === undefined
      ? [FieldError.required(`${path}.webhookClientConfig`, "required when strategy is set to Webhook")]
      : WebhookClientValidation.validateWebhookClient(`${path}.webhookClientConfig`, clientConfig)),
    ...(versions.length === 0
      ? [FieldError.required(`${path}.conversionReviewVersions`)]
      : versions.some((version) => reviewVersions.has(version))
      ? []
      : [FieldError.invalid(`${path}.conversionReviewVersions`, versions, "must include at least one of v1, v1beta1")])
  ]
}

const checkConversion = ({ conversion }: ApiextensionsV1.CustomResourceDefinitionSpec): Errors => {
  if (conversion === undefined) return []
  const { strategy, webhook } = conversion
  if (strategy === "") return [FieldError.required("spec.conversion.strategy")]
  if (strategy === "Webhook") return checkWebhook(webhook, "spec.conversion")
  if (strategy !== "None") return [FieldError.notSupported("spec.conversion.strategy", strategy, ["None", "Webhook"])]
  return webhook === undefined
    ? []
    : [FieldError.forbidden("spec.conversion.webhookClientConfig", "should not be set when strategy is not set to Webhook")]
}

const protectedSuffix = /(^|\.)(k8s\.io|kubernetes\.io)$/
const approval = "api-approved.kubernetes.io"

const checkApproval = ({ metadata, spec }: Definition): Errors => {
  if (!protectedSuffix.test(spec.group)) return []
  const value = metadata.annotations?.[approval] ?? ""
  const path = `metadata.annotations[${approval}]`
  if (value === "") return [FieldError.required(path, "protected groups must have approval annotation \"api-approved.kubernetes.io\", see https://github.com/kubernetes/enhancements/pull/1111")]
  return value.startsWith("unapproved") || URL.canParse(value)
    ? []
    : [FieldError.invalid(path, value, "protected groups must have approval annotation \"api-approved.kubernetes.io\" with either a URL or a reason starting with \"unapproved\", see https://github.com/kubernetes/enhancements/pull/1111")]
}

const checkSpec = (object: Definition, old: Definition | undefined): Errors => {
  const { group, names, preserveUnknownFields, scope, versions } = object.spec
  return [
    ...(group === ""
      ? [FieldError.required("spec.group")]
      : [
        ...joined("spec.group", group, Names.isDns1123Subdomain(group)),
        ...(group.includes(".") ? [] : [FieldError.invalid("spec.group", group, "should be a domain with at least one dot")])
      ]),
    ...(scope === ""
      ? [FieldError.required("spec.scope")]
      : scope === "Cluster" || scope === "Namespaced"
      ? []
      : [FieldError.notSupported("spec.scope", scope, ["Cluster", "Namespaced"])]),
    ...(preserveUnknownFields === true && old?.spec.preserveUnknownFields !== true
      ? [FieldError.invalid("spec.preserveUnknownFields", true, "must be false in order to use defaults in the schema")]
      : []),
    ...checkVersions(versions, old?.spec.versions ?? []),
    ...requiredNames(names),
    ...checkNames(names, "spec.names"),
    ...checkConversion(object.spec),
    ...checkApproval(object)
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
export const validate = (object: Definition): Errors => [...checkName(object), ...checkSpec(object, undefined), ...checkStored(object)]

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
  ...checkStored(next)
]
