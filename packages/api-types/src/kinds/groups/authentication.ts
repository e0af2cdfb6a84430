import type * as Kind from "../../Kind.js"
import { selfSubjectReview } from "../SelfSubjectReview.js"
import { tokenReview } from "../TokenReview.js"

export { selfSubjectReview, tokenReview }

/** The kinds of `authentication.k8s.io`, in the order of discovery. @category constructors */
export const authentication: ReadonlyArray<Kind.Kind> = [selfSubjectReview, tokenReview]
