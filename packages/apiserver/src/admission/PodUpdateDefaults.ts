/**
 * Admission: what was filled in when a pod was created is filled in again when a client replaces it by a manifest without it
 * (`kubectl replace`), so that such an update does not count as a change.
 */
import { Kinds, type KubeObject } from "@reddwarf/api-types"
import * as Effect from "effect/Effect"
import type { Plugin } from "./Admission.js"
import { get, isArray, isObject } from "../internal/jsonValue.js"

const carried = ["priority", "preemptionPolicy"]
const automatic = new Set<unknown>(["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"])

const listOf = (value: unknown): ReadonlyArray<unknown> => isArray(value) ? value : []

const withTolerations = (next: unknown, old: unknown): ReadonlyArray<unknown> => {
  const given = listOf(next)
  const missing = listOf(old).filter((toleration) => {
    const key = get(toleration, "key")
    return automatic.has(key) && !given.some((other) => get(other, "key") === key)
  })
  return [...given, ...missing]
}

const fill = (object: KubeObject.KubeObject, old: KubeObject.KubeObject): KubeObject.KubeObject => {
  const spec = get(object, "spec")
  const before = get(old, "spec")
  if (!isObject(spec) || !isObject(before)) return object
  const tolerations = withTolerations(spec["tolerations"], before["tolerations"])
  const kept = carried.filter((name) => spec[name] === undefined && before[name] !== undefined)
  const next = {
    ...object,
    spec: {
      ...spec,
      ...Object.fromEntries(kept.map((name) => [name, before[name]])),
      ...(tolerations.length === 0 ? {} : { tolerations })
    }
  }
  return next
}

/** Fills priority, preemption policy and the automatic tolerations of a replaced pod from the stored one. @category constructors */
export const plugin: Plugin = {
  name: "PodUpdateDefaults",
  mutate: (object, { kind, old, operation, subresource }) =>
    Effect.succeed(
      kind === Kinds.pod && operation === "UPDATE" && subresource === undefined && old !== undefined ? fill(object, old) : object
    )
}
