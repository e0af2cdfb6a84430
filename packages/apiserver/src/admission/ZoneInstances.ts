/**
 * Admission of what belongs to the plans of zones: an agent writes ZoneInstances of its own node alone, and a pod with gates is ready only
 * when they are open.
 */
import { ApiError, Kinds, type KubeObject, Status } from "@reddwarf/api-types"
import * as Effect from "effect/Effect"
import { nodeOf } from "../authorization/Authorizer.js"
import { get, isArray, isObject } from "../internal/jsonValue.js"
import type { Plugin } from "./Admission.js"

/** Group and plural name of the resource. @category models */
export const resource = { group: "reddwarf.io", plural: "zoneinstances" } as const

/** The pod condition that the agent sets when all gates of the pod are open. @category models */
export const gatesOpen = "reddwarf.io/GatesOpen"

/** Annotations by which a pod has gates. @category models */
export const gateAnnotations: ReadonlyArray<string> = ["reddwarf.io/sidecar-gate", "reddwarf.io/gates"]

const hasGates = ({ metadata: { annotations } }: KubeObject.KubeObject): boolean =>
  gateAnnotations.some((name) => (annotations?.[name] ?? "") !== "")

const withReadinessGate = (pod: KubeObject.KubeObject): KubeObject.KubeObject => {
  const spec = get(pod, "spec")
  if (!isObject(spec) || !hasGates(pod)) return pod
  const gates = isArray(spec["readinessGates"]) ? spec["readinessGates"] : []
  if (gates.some((gate) => get(gate, "conditionType") === gatesOpen)) return pod
  const next = { ...pod, spec: { ...spec, readinessGates: [...gates, { conditionType: gatesOpen }] } }
  return next
}

const nodeName = (object: KubeObject.KubeObject | undefined): unknown => get(get(object, "spec"), "nodeName")

/**
 * Gives new pods with gates the readiness gate for them, which cannot be added later, and refuses (403) what an agent writes about the zones
 * of other nodes.
 *
 * @category constructors
 */
export const plugin: Plugin = {
  name: "ZoneInstances",
  mutate: (object, { kind, operation, subresource }) =>
    Effect.succeed(kind === Kinds.pod && operation === "CREATE" && subresource === undefined ? withReadinessGate(object) : object),
  validate: (object, { kind, name, old, user }) => {
    const node = kind.group === resource.group && kind.plural === resource.plural ? nodeOf(user) : undefined
    if (node === undefined) return Effect.void
    const foreign = [object, old].some((instance) => instance !== undefined && nodeName(instance) !== node)
    return foreign
      ? ApiError.fail(Status.forbidden(kind, name, `node "${node}" can only write zoneinstances with spec.nodeName set to itself`))
      : Effect.void
  }
}
