/** Admission: the priority of a pod is that of its PriorityClass, or of the class that is the default of the cluster. */
import { ApiError, Kinds, type KubeObject, Status } from "@reddwarf/api-types"
import * as Effect from "effect/Effect"
import type { Attributes, ClusterView, Plugin } from "./Admission.js"
import { get, isObject } from "../internal/jsonValue.js"

// The classes that every cluster has count also before they are stored.
const systemClasses: ReadonlyMap<string, number> = new Map([
  ["system-cluster-critical", 2_000_000_000],
  ["system-node-critical", 2_000_001_000]
])

interface Priority {
  readonly className: string
  readonly value: number
  readonly preemptionPolicy: string
}

const priorityOf = (object: KubeObject.KubeObject): Priority => {
  const value = get(object, "value")
  const policy = get(object, "preemptionPolicy")
  return {
    className: object.metadata.name ?? "",
    value: typeof value === "number" ? value : 0,
    preemptionPolicy: typeof policy === "string" && policy !== "" ? policy : "PreemptLowerPriority"
  }
}

/** Of several default classes the lowest counts. */
const defaultPriority = (view: ClusterView): Priority =>
  view.list(Kinds.priorityClass, undefined)
    .filter((object) => get(object, "globalDefault") === true)
    .map(priorityOf)
    .reduce<Priority | undefined>((lowest, next) => lowest === undefined || next.value < lowest.value ? next : lowest, undefined) ??
    { className: "", value: 0, preemptionPolicy: "PreemptLowerPriority" }

const classPriority = (view: ClusterView, className: string): Priority | undefined => {
  const stored = view.get(Kinds.priorityClass, undefined, className)
  if (stored !== undefined) return priorityOf(stored)
  const value = systemClasses.get(className)
  return value === undefined ? undefined : { className, value, preemptionPolicy: "PreemptLowerPriority" }
}

const admit = (
  object: KubeObject.KubeObject,
  { name }: Attributes,
  view: ClusterView
): Effect.Effect<KubeObject.KubeObject, ApiError.ApiError> => {
  const spec = get(object, "spec")
  if (!isObject(spec)) return Effect.succeed(object)
  const refuse = (why: string) => ApiError.fail(Status.forbidden(Kinds.pod, name, why))
  const asked = spec["priorityClassName"]
  const className = typeof asked === "string" ? asked : ""
  const priority = className === "" ? defaultPriority(view) : classPriority(view, className)
  if (priority === undefined) return refuse(`no PriorityClass with name ${className} was found`)
  const given = spec["priority"]
  // What the defaults of the kind have filled in is not what a client has asked for.
  const filledIn = systemClasses.get(className) ?? 0
  if (typeof given === "number" && given !== filledIn && given !== priority.value) {
    return refuse(
      `the integer value of priority (${given}) must not be provided in pod spec; priority admission controller computed ${priority.value} from the given PriorityClass name`
    )
  }
  const policy = spec["preemptionPolicy"]
  if (policy === "Never" && priority.preemptionPolicy !== "Never") {
    return refuse(
      `the string value of PreemptionPolicy (Never) must not be provided in pod spec; priority admission controller computed ${priority.preemptionPolicy} from the given PriorityClass name`
    )
  }
  const next = {
    ...object,
    spec: {
      ...spec,
      ...(priority.className === "" ? {} : { priorityClassName: priority.className }),
      priority: priority.value,
      preemptionPolicy: priority.preemptionPolicy
    }
  }
  return Effect.succeed(next)
}

/** Fills priority and preemption policy of new pods; refuses (403) unknown classes and values of a client's own. @category constructors */
export const plugin: Plugin = {
  name: "PodPriority",
  mutate: (object, attributes, view) =>
    attributes.kind === Kinds.pod && attributes.operation === "CREATE" && attributes.subresource === undefined
      ? admit(object, attributes, view)
      : Effect.succeed(object)
}
