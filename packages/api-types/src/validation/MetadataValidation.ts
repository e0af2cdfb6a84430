/** Rules of `metadata`, the same for every kind. */
import { all, among, amongEntries, at, forbidden, invalid, invalidEach, none, required, tooLong } from "../FieldError.js"
import type * as MetaV1 from "../generated/MetaV1.js"
import type { Errors } from "../internal/fieldRules.js"
import { named, requiredName } from "../internal/fieldRules.js"
import { equal } from "../internal/structure.js"
import * as Names from "../Names.js"

/** What a kind demands of its names. @category models */
export interface MetadataRules {
  readonly namespaced: boolean
  readonly nameRule: (name: string) => Names.Problems
}

const annotationBytes = 262_144

/** Problems of a label map at `path`. @category combinators */
export const validateLabels = (labels: Readonly<Record<string, string>> | undefined, path: string): Errors =>
  amongEntries(labels, (key, value) =>
    all(invalidEach(path, key, Names.isQualifiedName(key)), invalidEach(path, value, Names.isLabelValue(value)))
  )

// Lower case makes no valid key invalid, so only the others are looked at again.
const validateAnnotationKey = (key: string): Names.Problems => {
  const problems = Names.isQualifiedName(key)
  return problems.length === 0 ? problems : Names.isQualifiedName(key.toLowerCase())
}

const bytesOf = (annotations: Readonly<Record<string, string>>): number => {
  let bytes = 0
  for (const [key, value] of Object.entries(annotations)) bytes += Names.byteLength(key) + Names.byteLength(value)
  return bytes
}

/** Problems of an annotation map at `path`. @category combinators */
export const validateAnnotations = (annotations: Readonly<Record<string, string>> | undefined, path: string): Errors => {
  if (annotations === undefined) return none
  let units = 0
  const errors = amongEntries(annotations, (key, value) => {
    units += key.length + value.length
    return invalidEach(path, key, validateAnnotationKey(key))
  })
  // No UTF-16 unit needs more than three bytes, so the bytes of few units need no counting.
  const tooMuch = units * 3 > annotationBytes && bytesOf(annotations) > annotationBytes
  return tooMuch ? all(errors, [tooLong(path, annotationBytes)]) : errors
}

const ownerFields = ["kind", "name", "uid"] as const

const validateOwnerReference = (reference: MetaV1.OwnerReference): Errors =>
  all(
    reference.apiVersion === "" || reference.apiVersion.endsWith("/")
      ? [invalid(".apiVersion", reference.apiVersion, "version must not be empty")]
      : none,
    among(ownerFields, (field) => (reference[field] === "" ? [invalid(`.${field}`, reference[field], "must not be empty")] : none)),
    reference.apiVersion === "v1" && reference.kind === "Event"
      ? [invalid("", reference, "/v1, Kind=Event is disallowed from being an owner")]
      : none
  )

const validateOwnerReferences = (references: ReadonlyArray<MetaV1.OwnerReference>): Errors => {
  let controller: string | undefined
  let reported = false
  return among(references, (reference) => {
    const errors = validateOwnerReference(reference)
    if (reference.controller !== true || reported) return errors
    const owner = `${reference.kind}/${reference.name}`
    if (controller === undefined) {
      controller = owner
      return errors
    }
    // Once, because the message shows the whole list.
    reported = true
    const detail = `Only one reference can have Controller set to true. Found "true" in references for ${controller} and ${owner}`
    return all(errors, [invalid("", references, detail)])
  })
}

const standardFinalizers: ReadonlySet<string> = new Set(["orphan", "foregroundDeletion", "kubernetes"])

const validateFinalizer = (finalizer: string, index: number): Errors => {
  const problems = invalidEach("", finalizer, Names.isQualifiedName(finalizer))
  return problems.length > 0 || finalizer.includes("/") || standardFinalizers.has(finalizer)
    ? problems
    : [invalid(`[${index}]`, finalizer, "name is neither a standard finalizer name nor is it fully qualified")]
}

const validateFinalizers = (finalizers: ReadonlyArray<string>): Errors =>
  all(
    among(finalizers, validateFinalizer),
    finalizers.includes("orphan") && finalizers.includes("foregroundDeletion")
      ? [invalid("", finalizers, "finalizer orphan and foregroundDeletion cannot be both set")]
      : none
  )

/** The rules that metadata must keep at any time. */
const validateLists = ({ annotations, labels, ownerReferences }: MetaV1.ObjectMeta): Errors =>
  all(
    validateLabels(labels, ".labels"),
    validateAnnotations(annotations, ".annotations"),
    ownerReferences === undefined ? none : at(".ownerReferences", validateOwnerReferences(ownerReferences))
  )

const unexpectedNamespace = (namespace: string): Errors =>
  namespace === "" ? none : [forbidden(".namespace", "not allowed on this type")]

const validateNamespace = (namespace: string, namespaced: boolean): Errors =>
  namespaced ? requiredName(".namespace", namespace, Names.isDns1123Label) : unexpectedNamespace(namespace)

/** Problems of the metadata of a new object, whose name was generated before. @category combinators */
export const validateObjectMeta = (metadata: MetaV1.ObjectMeta, rules: MetadataRules, path = "metadata"): Errors => {
  const { finalizers, generateName = "", generation = 0, name = "", namespace = "" } = metadata
  return at(
    path,
    all(
      generateName === "" ? none : named(".generateName", generateName, Names.isPrefixOf(rules.nameRule)),
      name === "" ? [required(".name", "name or generateName is required")] : named(".name", name, rules.nameRule),
      validateNamespace(namespace, rules.namespaced),
      generation < 0 ? [invalid(".generation", generation, "must be greater than or equal to 0")] : none,
      validateLists(metadata),
      finalizers === undefined ? none : at(".finalizers", validateFinalizers(finalizers))
    )
  )
}

/** The text for a changed field that may not change. @category constructors */
export const immutable = "field is immutable"

/** One error when the values differ. @category combinators */
export const validateImmutable = (path: string, next: unknown, old: unknown): Errors =>
  equal(next, old) ? none : [invalid(path, next, immutable)]

const immutableFields = ["name", "namespace", "uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds"] as const

const validateImmutableField = (field: (typeof immutableFields)[number], next: MetaV1.ObjectMeta, old: MetaV1.ObjectMeta): Errors => {
  if (next[field] === old[field]) return none
  const absent = field === "deletionGracePeriodSeconds" ? null : ""
  return at(`.${field}`, validateImmutable("", next[field] ?? absent, old[field] ?? absent))
}

/** Whoever waits for an object to go knows all the finalizers that it waits for. */
const validateNoneAdded = (next: ReadonlyArray<string> | undefined, old: ReadonlyArray<string> | undefined): Errors => {
  const kept = new Set(old)
  const added = [...new Set(next)].filter((finalizer) => !kept.has(finalizer)).toSorted()
  if (added.length === 0) return none
  const list = added.map((finalizer) => JSON.stringify(finalizer)).join(", ")
  return [
    forbidden(
      ".finalizers",
      `no new finalizers can be added if the object is being deleted, found new finalizers []string{${list}}`
    )
  ]
}

/** Problems of replacing the metadata of a stored object. @category combinators */
export const validateObjectMetaUpdate = (next: MetaV1.ObjectMeta, old: MetaV1.ObjectMeta, rules: MetadataRules, path = "metadata"): Errors =>
  at(
    path,
    all(
      old.deletionTimestamp === undefined ? none : validateNoneAdded(next.finalizers, old.finalizers),
      (next.generation ?? 0) < (old.generation ?? 0) ? [invalid(".generation", next.generation, "must not be decremented")] : none,
      among(immutableFields, (field) => validateImmutableField(field, next, old)),
      validateLists(next),
      equal(next.finalizers ?? [], old.finalizers ?? []) ? none : at(".finalizers", validateFinalizers(next.finalizers ?? [])),
      rules.namespaced ? none : unexpectedNamespace(next.namespace ?? "")
    )
  )
