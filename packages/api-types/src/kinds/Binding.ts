/** Binding: assigns a pod to a node; accepted, never stored. */
import type * as CoreV1 from "../generated/CoreV1.js"
import { notSupported, required } from "../FieldError.js"
import * as Kind from "../Kind.js"

/** @category constructors */
export const binding: Kind.Kind<CoreV1.Binding> = Kind.make<CoreV1.Binding>({
  version: "v1",
  kind: "Binding",
  plural: "bindings",
  namespaced: true,
  schema: "io.k8s.api.core.v1.Binding",
  verbs: ["create"],
  validateContent: ({ target }) => {
    const { kind = "", name = "" } = target
    return [
      ...(kind !== "" && kind !== "Node" ? [notSupported("target.kind", kind, ["Node", "<empty>"])] : []),
      ...(name === "" ? [required("target.name")] : [])
    ]
  }
})
