/** The numbers behind a `scale` subresource: read from an object, and written into it. */
import { type Kind, type KubeObject, LabelSelector } from "@reddwarf/api-types"
import * as Either from "effect/Either"
import { get, isObject, type JsonObject } from "./jsonValue.js"

const segmentsOf = (path: string): ReadonlyArray<string> => path.split(".").filter((segment) => segment !== "")

const valueAt = (object: unknown, path: string): unknown => segmentsOf(path).reduce<unknown>(get, object)

const numberAt = (object: unknown, path: string): number => {
  const value = valueAt(object, path)
  return typeof value === "number" ? value : 0
}

const replaced = (object: unknown, [segment, ...rest]: ReadonlyArray<string>, value: unknown): unknown => {
  if (segment === undefined) return value
  const fields: JsonObject = isObject(object) ? object : {}
  return { ...fields, [segment]: replaced(fields[segment], rest, value) }
}

const isTextMap = (value: unknown): value is Readonly<Record<string, string>> =>
  isObject(value) && Object.values(value).every((item) => typeof item === "string")

/** A label selector as text: from text, from an object with `matchLabels`, or from the labels themselves. */
const selectorText = (value: unknown): string | undefined => {
  if (typeof value === "string") return value === "" ? undefined : value
  if (!isObject(value)) return undefined
  if (isTextMap(value)) return LabelSelector.format(LabelSelector.fromLabels(value))
  const { matchExpressions, matchLabels } = value
  const selector = LabelSelector.fromObject({
    ...(isTextMap(matchLabels) ? { matchLabels } : {}),
    ...(Array.isArray(matchExpressions) ? { matchExpressions } : {})
  })
  return Either.isRight(selector) ? LabelSelector.format(selector.right) : undefined
}

/** The Scale of an object. */
export const scaleOf = (paths: Kind.ScalePaths, object: KubeObject.KubeObject): KubeObject.KubeObject => {
  const { creationTimestamp, name, namespace, resourceVersion, uid } = object.metadata
  const selector = paths.selector === undefined ? undefined : selectorText(valueAt(object, paths.selector))
  const replicas = numberAt(object, paths.specReplicas)
  const scale = {
    kind: "Scale",
    apiVersion: "autoscaling/v1",
    metadata: {
      ...(name === undefined ? {} : { name }),
      ...(namespace === undefined ? {} : { namespace }),
      ...(uid === undefined ? {} : { uid }),
      ...(resourceVersion === undefined ? {} : { resourceVersion }),
      ...(creationTimestamp === undefined ? {} : { creationTimestamp })
    },
    spec: replicas === 0 ? {} : { replicas },
    status: { replicas: numberAt(object, paths.statusReplicas), ...(selector === undefined ? {} : { selector }) }
  }
  return scale
}

const isKubeObject = (value: unknown): value is KubeObject.KubeObject => isObject(value) && isObject(value["metadata"])

/** The object with the number of replicas that a Scale asks for. */
export const withReplicas = (
  paths: Kind.ScalePaths,
  object: KubeObject.KubeObject,
  scale: KubeObject.KubeObject
): KubeObject.KubeObject => {
  const next = replaced(object, segmentsOf(paths.specReplicas), numberAt(scale, ".spec.replicas"))
  return isKubeObject(next) ? next : object
}
