/** RuntimeClass: a way of running pods that a node offers. */
import type * as NodeV1 from "../generated/NodeV1.js"
import { age, ageCell, name, text } from "../internal/columns.js"
import type { Errors } from "../internal/fieldRules.js"
import { named } from "../internal/fieldRules.js"
import * as Kind from "../Kind.js"
import * as Names from "../Names.js"
import { validateImmutable, validateLabels } from "../validation/MetadataValidation.js"
import { validateOverhead } from "../validation/ResourceValidation.js"
import { validateTolerations } from "../validation/SchedulingValidation.js"

const validate = ({ handler, overhead, scheduling }: NodeV1.RuntimeClass): Errors => [
  ...named("handler", handler, Names.isDns1123Label),
  ...validateOverhead("overhead.podFixed", overhead?.podFixed),
  ...validateLabels(scheduling?.nodeSelector, "scheduling.nodeSelector"),
  ...validateTolerations("scheduling.tolerations", scheduling?.tolerations ?? [])
]

/** @category constructors */
export const runtimeClass: Kind.Kind<NodeV1.RuntimeClass> = Kind.make<NodeV1.RuntimeClass>({
  group: "node.k8s.io",
  version: "v1",
  kind: "RuntimeClass",
  plural: "runtimeclasses",
  namespaced: false,
  schema: "io.k8s.api.node.v1.RuntimeClass",
  allowCreateOnUpdate: true,
  allowUnconditionalUpdate: false,
  validateContent: validate,
  validateContentUpdate: (next, old) => validateImmutable("handler", next.handler, old.handler),
  columns: [name, text("Handler", "What the node agent knows this class as."), age],
  cells: (object, now) => [object.metadata.name ?? "", object.handler, ageCell(object, now)]
})
