import type * as Kind from "../../Kind.js"
import { podDisruptionBudget } from "../PodDisruptionBudget.js"

export { podDisruptionBudget }

/** The kinds of `policy`, in the order of discovery. @category constructors */
export const policy: ReadonlyArray<Kind.Kind> = [podDisruptionBudget]
