/** PriorityClass: a name for how important pods are. */
import { forbidden } from "../FieldError.js"
import type * as SchedulingV1 from "../generated/SchedulingV1.js"
import { age, ageCell, name, text } from "../internal/columns.js"
import type { Errors } from "../internal/fieldRules.js"
import { oneOf } from "../internal/fieldRules.js"
import { orElse } from "../internal/strings.js"
import * as Kind from "../Kind.js"
import { validateImmutable } from "../validation/MetadataValidation.js"

/** The highest value that users may give; those above it belong to the system. */
const highestOfUsers = 1_000_000_000

// The two classes that every cluster has, with the values they must have.
const systemClasses: ReadonlyMap<string, number> = new Map([
  ["system-cluster-critical", 2_000_000_000],
  ["system-node-critical", 2_000_001_000]
])

const validate = ({ metadata, preemptionPolicy, value = 0, ...object }: SchedulingV1.PriorityClass): Errors => {
  const className = metadata.name ?? ""
  const policyRule = oneOf("preemptionPolicy", preemptionPolicy, ["Never", "PreemptLowerPriority"])
  if (className.startsWith("system-")) {
    const known = systemClasses.get(className) === value && object.globalDefault !== true
    return known
      ? policyRule
      : [forbidden("metadata.name", "priority class names with 'system-' prefix are reserved for system use only. error: not a known system priority class"), ...policyRule]
  }
  return [
    ...(value > highestOfUsers ? [forbidden("value", `maximum allowed value of a user defined priority is ${highestOfUsers}`)] : []),
    ...policyRule
  ]
}

const validateUpdate = (next: SchedulingV1.PriorityClass, old: SchedulingV1.PriorityClass): Errors => [
  ...((next.value ?? 0) === (old.value ?? 0) ? [] : [forbidden("value", "may not be changed in an update.")]),
  ...validateImmutable("preemptionPolicy", next.preemptionPolicy, old.preemptionPolicy)
]

/** @category constructors */
export const priorityClass: Kind.Kind<SchedulingV1.PriorityClass> = Kind.make<SchedulingV1.PriorityClass>({
  group: "scheduling.k8s.io",
  version: "v1",
  kind: "PriorityClass",
  plural: "priorityclasses",
  shortNames: ["pc"],
  namespaced: false,
  schema: "io.k8s.api.scheduling.v1.PriorityClass",
  // It stays 1: nothing that would count can change.
  tracksGeneration: true,
  defaults: (object) => ({ ...object, preemptionPolicy: orElse(object.preemptionPolicy, "PreemptLowerPriority") }),
  validateContent: validate,
  validateContentUpdate: validateUpdate,
  columns: [
    name,
    { name: "Value", type: "integer", description: "The priority of pods of this class.", priority: 0 },
    { name: "Global-Default", type: "boolean", description: "Whether pods without a class get this one.", priority: 0 },
    age,
    text("PreemptionPolicy", "Whether pods of this class make others give way.")
  ],
  cells: (object, now) => [
    object.metadata.name ?? "",
    object.value ?? 0,
    object.globalDefault ?? false,
    ageCell(object, now),
    object.preemptionPolicy ?? ""
  ]
})
