import type * as Kind from "../../Kind.js"
import { customResourceDefinition } from "../CustomResourceDefinition.js"

export { customResourceDefinition }

/** The kinds of `apiextensions.k8s.io`, in the order of discovery. @category constructors */
export const apiextensions: ReadonlyArray<Kind.Kind> = [customResourceDefinition]
