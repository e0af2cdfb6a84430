/** The kind CustomResourceDefinition with everything that is checked about one. */
import { type ApiextensionsV1, Kind, Kinds } from "@reddwarf/api-types"
import * as DefinitionCheck from "./DefinitionCheck.js"
import { get, isArray, isObject } from "./JsonSchema.js"

type Definition = ApiextensionsV1.CustomResourceDefinition

/** The finalizer that keeps a definition until its objects are gone. @category models */
export const cleanupFinalizer = "customresourcecleanup.apiextensions.k8s.io"

const base = Kinds.customResourceDefinition

/** @category constructors */
export const customResourceDefinition: Kind.Kind<Definition> = {
  ...base,
  deletionFinalizers: [cleanupFinalizer],
  validate: (object) => [...base.validate(object), ...DefinitionCheck.validate(object)],
  validateUpdate: (next, old) => [...base.validateUpdate(next, old), ...DefinitionCheck.validateUpdate(next, old)]
}

const isDefinition = (value: unknown): value is Definition => {
  const names = get(get(value, "spec"), "names")
  return get(value, "kind") === base.kind && get(value, "apiVersion") === Kind.apiVersion(base) && isObject(get(value, "metadata")) &&
    isArray(get(get(value, "spec"), "versions")) && typeof get(names, "plural") === "string" && typeof get(names, "kind") === "string"
}

/** The definition that a stored object is; undefined for another object. @category combinators */
export const of = (object: unknown): Definition | undefined => isDefinition(object) ? object : undefined
