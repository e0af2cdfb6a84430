/** The definition of a kind: everything the rest of the system knows about it, written once. */
import type * as Either from "effect/Either"
import { all, type FieldError } from "./FieldError.js"
import type * as ApiextensionsV1 from "./generated/ApiextensionsV1.js"
import type * as MetaV1 from "./generated/MetaV1.js"
import type { KubeObject } from "./KubeObject.js"
import * as Names from "./Names.js"
import * as Timestamp from "./Timestamp.js"
import { validateObjectMeta, validateObjectMetaUpdate } from "./validation/MetadataValidation.js"

/** @category models */
export type Verb = "create" | "delete" | "deletecollection" | "get" | "list" | "patch" | "update" | "watch"

/** @category models */
export interface Subresource {
  readonly name: string
  /** Kind of the body; group and version are those of the parent unless given. */
  readonly kind: string
  readonly group?: string
  readonly version?: string
  readonly verbs: ReadonlyArray<Verb>
}

/** One column of the server-side table; a priority above 0 shows with `-o wide` only. @category models */
export interface Column {
  readonly name: string
  readonly type: "string" | "integer" | "number" | "boolean" | "date"
  readonly format?: string
  readonly description: string
  readonly priority: number
}

/** @category models */
export type Cell = string | number | boolean | null

/** @category models */
export interface RowCondition {
  readonly type: string
  readonly status: string
  readonly reason: string
  readonly message: string
}

interface FieldGetterMethod<A> {
  get(object: A): string
}

/**
 * Reads the value that a field selector is compared with; an absent field is the empty string. Its parameter is bivariant (the type of a
 * method), so that the field map of a particular kind is also one of any kind.
 *
 * @category models
 */
export type FieldGetter<A> = FieldGetterMethod<A>["get"]

/**
 * Where the `scale` subresource finds its values, as paths such as `.spec.replicas`. What stands at `selector` is the text of a label
 * selector, a label selector as specs hold it, or a map of labels.
 *
 * @category models
 */
export interface ScalePaths {
  readonly specReplicas: string
  readonly statusReplicas: string
  readonly selector?: string
}

/**
 * A kind that is one of several views of the same objects: they are stored as `kind` and converted on the way in and out. Converting there
 * and back must lose nothing that a writer of either view has set.
 *
 * @category models
 */
export interface Storage {
  /** The kind under which the objects are stored. It has no `storage` of its own. */
  readonly kind: Kind
  toStored(object: KubeObject): KubeObject
  fromStored(stored: KubeObject): KubeObject
  /** Set when somebody else converts between versions; the functions above then see objects of their own version only. */
  readonly webhook?: ConversionWebhook
}

/**
 * Who converts the objects of a custom kind from one version to another.
 *
 * @category models
 */
export interface ConversionWebhook {
  /** The version that this view shows: `group/version`. */
  readonly apiVersion: string
  readonly conversion: ApiextensionsV1.WebhookConversion
}

/**
 * How an object changes through one of its subresources. Declared as methods for the same reason as those of `Kind`.
 *
 * @category models
 */
export interface SubresourceUpdate<A extends KubeObject = KubeObject> {
  /** Keeps only what the subresource may change. */
  prepare(next: A, old: A): A
  /** Problems of replacing `old` by what `prepare` gave. */
  validate(next: A, old: A): ReadonlyArray<FieldError>
}

/**
 * What a kind is made of whose fields a JSON schema describes instead of the field tables: a custom resource.
 *
 * @category models
 */
export interface CustomContent {
  /** The canonical object of a decoded JSON value, and the problems of its fields that `fieldValidation` decides about. */
  readonly decode: (
    json: unknown
  ) => Either.Either<{ readonly object: KubeObject; readonly unknownFields: ReadonlyArray<string> }, MetaV1.Status>
  /** OpenAPI v3 schema of the object. */
  readonly openApi: Readonly<Record<string, unknown>>
  /** The schema in the words of the definition; absent: any field goes. */
  readonly schema?: Readonly<Record<string, unknown>>
  /** The definition of the kind is being deleted: no object may come any more. */
  readonly isTerminating: boolean
  /** The kind comes with the server, so items of its lists leave `kind` and `apiVersion` to the list, as those of all built-in kinds do. */
  readonly isBuiltIn?: true
}

/**
 * Properties of an API group's kind that routes, discovery, tables, validation and selectors are generated from.
 *
 * The functions are declared as methods: a registry holds kinds of different objects, and who looks a kind up there passes only objects
 * that were decoded for that same kind.
 *
 * @category models
 */
export interface Kind<A extends KubeObject = KubeObject> {
  /** Empty for the core group. */
  readonly group: string
  readonly version: string
  readonly kind: string
  readonly listKind: string
  readonly plural: string
  readonly singular: string
  readonly shortNames: ReadonlyArray<string>
  readonly categories: ReadonlyArray<string>
  readonly namespaced: boolean
  readonly verbs: ReadonlyArray<Verb>
  readonly subresources: ReadonlyArray<Subresource>
  /** OpenAPI definition name: the root of the field tables for this kind. */
  readonly schema: string
  /** Set when objects of this kind are stored as those of another one. */
  readonly storage?: Storage
  /** Subresources other than `status` that are read and changed as the object itself, by name. */
  readonly subresourceUpdates?: Readonly<Record<string, SubresourceUpdate<A>>>
  /** Set when a JSON schema describes the fields, and not the field tables. */
  readonly custom?: CustomContent
  /** What clients are told in a `Warning` header with every answer about this kind; set for kinds on their way out. */
  readonly deprecationWarning?: string
  /** Set for kinds with a `scale` subresource. */
  readonly scale?: ScalePaths
  /** `metadata.generation` counts changes of `spec`. */
  readonly tracksGeneration: boolean
  /** What a generation counts the changes of, for kinds in which it is not `spec`. */
  generationContent?(object: A): unknown
  /** PUT to a missing name creates it. */
  readonly allowCreateOnUpdate: boolean
  /** An update without resourceVersion is accepted. */
  readonly allowUnconditionalUpdate: boolean
  /** Fills the defaults that Kubernetes writes on create and update. Pure: gives a new object or the same one. */
  defaults(object: A): A
  /** Resets what a client may not set on create (such as `status`) and fills what the server owns. `now` is milliseconds since the epoch. */
  prepareForCreate(object: A, now: number): A
  /** Fills what follows from the rest of a new object: once, after admission had its say, and before the object is validated. */
  completeForCreate(object: A): A
  /** Carries over what an update through the main resource may not change (such as `status`). */
  prepareForUpdate(next: A, old: A): A
  /** Keeps only what an update through `/status` may change. */
  prepareForStatusUpdate(next: A, old: A): A
  /** Problems of a new object, after defaulting; empty when it may be stored. */
  validate(object: A): ReadonlyArray<FieldError>
  /** Problems of replacing `old` by `next`, after defaulting. */
  validateUpdate(next: A, old: A): ReadonlyArray<FieldError>
  /** Values for `fieldSelector`, besides `metadata.name` and `metadata.namespace`. */
  readonly selectableFields: Readonly<Record<string, FieldGetter<A>>>
  readonly columns: ReadonlyArray<Column>
  /** Finalizers that a delete adds: somebody has to clean up before the object may go. */
  readonly deletionFinalizers?: ReadonlyArray<string>
  /** One cell to a column. `now` is milliseconds since the epoch, for ages. */
  cells(object: A, now: number): ReadonlyArray<Cell>
  rowConditions?(object: A): ReadonlyArray<RowCondition>
  /** Seconds of grace for a delete, given what the client asked for; 0 deletes at once. Absent: always at once. */
  deletionGrace?(object: A, requested: number | undefined): number
}

/** `v1` or `group/version`. @category combinators */
export const apiVersion = (kind: Pick<Kind, "group" | "version">): string => (kind.group === "" ? kind.version : `${kind.group}/${kind.version}`)

/** The kind under which objects of this kind are stored. @category combinators */
export const storedKind = (kind: Kind): Kind => kind.storage?.kind ?? kind

/** The resource as messages name it: `pods`, `leases.coordination.k8s.io`. @category combinators */
export const qualifiedResource = (kind: Pick<Kind, "group" | "plural">): string => (kind.group === "" ? kind.plural : `${kind.plural}.${kind.group}`)

/** The kind as messages name it: `Pod`, `Lease.coordination.k8s.io`. @category combinators */
export const qualifiedKind = (kind: Pick<Kind, "group" | "kind">): string => (kind.group === "" ? kind.kind : `${kind.kind}.${kind.group}`)

/** The value of a selectable field, or undefined for a field this kind does not offer. @category combinators */
export const fieldValue = <A extends KubeObject>(kind: Kind<A>, object: A, field: string): string | undefined => {
  if (field === "metadata.name") return object.metadata.name ?? ""
  if (field === "metadata.namespace") return kind.namespaced ? (object.metadata.namespace ?? "") : undefined
  return Object.hasOwn(kind.selectableFields, field) ? kind.selectableFields[field]?.(object) : undefined
}

/** The field names that a field selector on this kind may use. @category combinators */
export const fieldNames = (kind: Kind): ReadonlyArray<string> => [
  "metadata.name",
  ...(kind.namespaced ? ["metadata.namespace"] : []),
  ...Object.keys(kind.selectableFields)
]

/** All verbs of a stored resource, in the order of discovery. @category models */
export const allVerbs: ReadonlyArray<Verb> = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"]

/** What `make` needs at least; the rest of `Kind` has defaults. @category models */
export type Definition<A extends KubeObject> =
  & Pick<Kind<A>, "version" | "kind" | "plural" | "namespaced" | "schema">
  & Partial<Kind<A>>
  & {
    /** Rule for `metadata.name`; an RFC 1123 subdomain unless given. */
    readonly nameRule?: (name: string) => Names.Problems
    /** Problems besides those of the metadata. */
    readonly validateContent?: (object: A) => ReadonlyArray<FieldError>
    /** Problems of a change besides those of the metadata. */
    readonly validateContentUpdate?: (next: A, old: A) => ReadonlyArray<FieldError>
  }

const genericColumns: ReadonlyArray<Column> = [
  { name: "Name", type: "string", format: "name", description: "Name of the object, unique in its namespace.", priority: 0 },
  { name: "Created At", type: "string", description: "Time at which the server stored the object first.", priority: 0 }
]

/**
 * A kind from its names and its particular behaviour. Whatever is not given is what most kinds do: every verb, metadata validation only,
 * no status, a table of name and creation time.
 *
 * @category constructors
 */
export const make = <A extends KubeObject>(definition: Definition<A>): Kind<A> => {
  const { nameRule = Names.isDns1123Subdomain, validateContent, validateContentUpdate, ...rest } = definition
  const rules = { namespaced: definition.namespaced, nameRule }
  const lowerCase = definition.kind.toLowerCase()
  return {
    group: "",
    listKind: `${definition.kind}List`,
    singular: lowerCase,
    shortNames: [],
    categories: [],
    verbs: allVerbs,
    subresources: [],
    tracksGeneration: false,
    allowCreateOnUpdate: false,
    allowUnconditionalUpdate: true,
    selectableFields: {},
    columns: genericColumns,
    defaults: (object) => object,
    prepareForCreate: (object) => object,
    completeForCreate: (object) => object,
    prepareForUpdate: (next) => next,
    prepareForStatusUpdate: (next) => next,
    validate: (object) => {
      const problems = validateObjectMeta(object.metadata, rules)
      return validateContent === undefined ? problems : all(problems, validateContent(object))
    },
    validateUpdate: (next, old) => {
      const problems = validateObjectMetaUpdate(next.metadata, old.metadata, rules)
      return validateContentUpdate === undefined ? problems : all(problems, validateContentUpdate(next, old))
    },
    cells: (object) => {
      const created = Timestamp.parse(object.metadata.creationTimestamp ?? "")
      return [object.metadata.name ?? "", created === undefined ? "" : Timestamp.formatSeconds(created)]
    },
    ...rest
  }
}
