/** Rules of the reviews: questions about identities and permissions. */
import { invalid } from "../FieldError.js"
import type * as AuthorizationV1 from "../generated/AuthorizationV1.js"
import type * as MetaV1 from "../generated/MetaV1.js"
import type { Errors } from "../internal/fieldRules.js"

/** Metadata of a review says nothing; writers' bookkeeping does not count. */
const metadataRule = (metadata: MetaV1.ObjectMeta, detail: string, allowed: ReadonlyArray<string>): Errors =>
  Object.keys(metadata).some((key) => key !== "managedFields" && key !== "creationTimestamp" && !allowed.includes(key))
    ? [invalid("metadata", metadata, detail)]
    : []

type AccessSpec = Pick<AuthorizationV1.SubjectAccessReviewSpec, "resourceAttributes" | "nonResourceAttributes">

const validateAttributes = ({ nonResourceAttributes, resourceAttributes }: AccessSpec): Errors => {
  if (resourceAttributes !== undefined && nonResourceAttributes !== undefined) {
    return [invalid("spec.nonResourceAttributes", nonResourceAttributes, "cannot be specified in combination with resourceAttributes")]
  }
  return resourceAttributes === undefined && nonResourceAttributes === undefined
    ? [invalid("spec.resourceAttributes", null, "exactly one of nonResourceAttributes or resourceAttributes must be specified")]
    : []
}

const validateSubject = ({ groups = [], user = "" }: AuthorizationV1.SubjectAccessReviewSpec): Errors =>
  user === "" && groups.length === 0 ? [invalid("spec.user", user, "at least one of user or group must be specified")] : []

/** @category combinators */
export const validateSelfSubjectAccessReview = ({ metadata, spec }: AuthorizationV1.SelfSubjectAccessReview): Errors => [
  ...validateAttributes(spec),
  ...metadataRule(metadata, "must be empty", [])
]

/** @category combinators */
export const validateSubjectAccessReview = ({ metadata, spec }: AuthorizationV1.SubjectAccessReview): Errors => [
  ...validateAttributes(spec),
  ...validateSubject(spec),
  ...metadataRule(metadata, "must be empty", [])
]

/** The question must be about the namespace it is asked in. @category combinators */
export const validateLocalSubjectAccessReview = ({ metadata, spec }: AuthorizationV1.LocalSubjectAccessReview): Errors => {
  const asked = spec.resourceAttributes?.namespace ?? ""
  return [
    ...validateAttributes(spec),
    ...validateSubject(spec),
    ...metadataRule(metadata, "must be empty except for namespace", ["namespace"]),
    ...(spec.resourceAttributes !== undefined && asked !== (metadata.namespace ?? "")
      ? [invalid("spec.resourceAttributes.namespace", asked, "must match metadata.namespace")]
      : []),
    ...(spec.nonResourceAttributes === undefined
      ? []
      : [invalid("spec.nonResourceAttributes", spec.nonResourceAttributes, "disallowed on this kind of request")])
  ]
}
