/** Rules of `metadata`, the same for every kind. */
import type * as FieldError from "../FieldError.js"
import { forbidden, invalid, invalidEach, required, tooLong } from "../FieldError.js"
import type * as MetaV1 from "../generated/MetaV1.js"
import { equal } from "../internal/structure.js"
import * as Names from "../Names.js"

/** What a kind demands of its names. @category models */
export interface MetadataRules {
  readonly namespaced: boolean
  readonly nameRule: (name: string) => Names.Problems
}

type Errors = ReadonlyArray<FieldError.FieldError>

const annotationBytes = 262_144

/** Problems of a label map at `path`. @category combinators */
export const validateLabels = (labels: Readonly<Record<string, string>> | undefined, path: string): Errors =>
  Object.entries(labels ?? {}).flatMap(([key, value]) => [
    ...invalidEach(path, key, Names.isQualifiedName(key)),
    ...invalidEach(path, value, Names.isLabelValue(value))
  ])

/** Problems of an annotation map at `path`. @category combinators */
export const validateAnnotations = (annotations: Readonly<Record<string, string>> | undefined, path: string): Errors => {
  const errors: Array<FieldError.FieldError> = []
  let bytes = 0
  for (const [key, value] of Object.entries(annotations ?? {})) {
    errors.push(...invalidEach(path, key, Names.isQualifiedName(key.toLowerCase())))
    bytes += Names.byteLength(key) + Names.byteLength(value)
  }
  if (bytes > annotationBytes) errors.push(tooLong(path, annotationBytes))
  return errors
}

const validateOwnerReferences = (references: ReadonlyArray<MetaV1.OwnerReference>, path: string): Errors => {
  const errors: Array<FieldError.FieldError> = []
  let controller: string | undefined
  let reported = false
  for (const reference of references) {
    if (reference.apiVersion === "" || reference.apiVersion.endsWith("/")) {
      errors.push(invalid(`${path}.apiVersion`, reference.apiVersion, "version must not be empty"))
    }
    for (const field of ["kind", "name", "uid"] as const) {
      if (reference[field] === "") errors.push(invalid(`${path}.${field}`, reference[field], "must not be empty"))
    }
    if (reference.apiVersion === "v1" && reference.kind === "Event") {
      errors.push(invalid(path, reference, "/v1, Kind=Event is disallowed from being an owner"))
    }
    if (reference.controller !== true) continue
    const owner = `${reference.kind}/${reference.name}`
    if (controller === undefined) controller = owner
    else if (!reported) {
      // Once, because the message shows the whole list.
      reported = true
      const detail = `Only one reference can have Controller set to true. Found "true" in references for ${controller} and ${owner}`
      errors.push(invalid(path, references, detail))
    }
  }
  return errors
}

const standardFinalizers: ReadonlySet<string> = new Set(["orphan", "foregroundDeletion", "kubernetes"])

const validateFinalizers = (finalizers: ReadonlyArray<string>, path: string): Errors => {
  const errors = finalizers.flatMap((finalizer, index) => {
    const problems = invalidEach(path, finalizer, Names.isQualifiedName(finalizer))
    return problems.length > 0 || finalizer.includes("/") || standardFinalizers.has(finalizer)
      ? problems
      : [
          invalid(
            `${path}[${index}]`,
            finalizer,
            "name is neither a standard finalizer name nor is it fully qualified"
          )
        ]
  })
  return finalizers.includes("orphan") && finalizers.includes("foregroundDeletion")
    ? [...errors, invalid(path, finalizers, "finalizer orphan and foregroundDeletion cannot be both set")]
    : errors
}

/** Problems of the metadata of a new object, whose name was generated before. @category combinators */
export const validateObjectMeta = (metadata: MetaV1.ObjectMeta, rules: MetadataRules, path = "metadata"): Errors => {
  const errors: Array<FieldError.FieldError> = []
  const { generateName = "", name = "", namespace = "" } = metadata
  if (generateName !== "") {
    errors.push(...invalidEach(`${path}.generateName`, generateName, Names.isPrefixOf(rules.nameRule)(generateName)))
  }
  if (name === "") errors.push(required(`${path}.name`, "name or generateName is required"))
  else errors.push(...invalidEach(`${path}.name`, name, rules.nameRule(name)))
  if (!rules.namespaced) {
    if (namespace !== "") errors.push(forbidden(`${path}.namespace`, "not allowed on this type"))
  } else if (namespace === "") errors.push(required(`${path}.namespace`))
  else errors.push(...invalidEach(`${path}.namespace`, namespace, Names.isDns1123Label(namespace)))
  if ((metadata.generation ?? 0) < 0) {
    errors.push(invalid(`${path}.generation`, metadata.generation, "must be greater than or equal to 0"))
  }
  return [
    ...errors,
    ...validateLabels(metadata.labels, `${path}.labels`),
    ...validateAnnotations(metadata.annotations, `${path}.annotations`),
    ...validateOwnerReferences(metadata.ownerReferences ?? [], `${path}.ownerReferences`),
    ...validateFinalizers(metadata.finalizers ?? [], `${path}.finalizers`)
  ]
}

/** The text for a changed field that may not change. @category constructors */
export const immutable = "field is immutable"

/** One error when the values differ. @category combinators */
export const validateImmutable = (path: string, next: unknown, old: unknown): Errors =>
  equal(next, old) ? [] : [invalid(path, next, immutable)]

/** Problems of replacing the metadata of a stored object. @category combinators */
export const validateObjectMetaUpdate = (next: MetaV1.ObjectMeta, old: MetaV1.ObjectMeta, rules: MetadataRules, path = "metadata"): Errors => {
  const errors: Array<FieldError.FieldError> = []
  if (old.deletionTimestamp !== undefined) {
    const kept = new Set(old.finalizers)
    const added = [...new Set(next.finalizers)].filter((finalizer) => !kept.has(finalizer)).toSorted()
    if (added.length > 0) {
      const list = added.map((finalizer) => JSON.stringify(finalizer)).join(", ")
      const detail = `no new finalizers can be added if the object is being deleted, found new finalizers []string{${list}}`
      errors.push(forbidden(`${path}.finalizers`, detail))
    }
  }
  if ((next.generation ?? 0) < (old.generation ?? 0)) {
    errors.push(invalid(`${path}.generation`, next.generation, "must not be decremented"))
  }
  for (const field of ["name", "namespace", "uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds"] as const) {
    const absent = field === "deletionGracePeriodSeconds" ? null : ""
    errors.push(...validateImmutable(`${path}.${field}`, next[field] ?? absent, old[field] ?? absent))
  }
  const finalizersChanged = !equal(next.finalizers ?? [], old.finalizers ?? [])
  return [
    ...errors,
    ...validateLabels(next.labels, `${path}.labels`),
    ...validateAnnotations(next.annotations, `${path}.annotations`),
    ...validateOwnerReferences(next.ownerReferences ?? [], `${path}.ownerReferences`),
    ...(finalizersChanged ? validateFinalizers(next.finalizers ?? [], `${path}.finalizers`) : []),
    ...(!rules.namespaced && (next.namespace ?? "") !== "" ? [forbidden(`${path}.namespace`, "not allowed on this type")] : [])
  ]
}
