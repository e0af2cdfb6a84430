/** Admission: claims and ingresses that name no class get the default one of the cluster. */
import { Kinds, type KubeObject, Timestamp } from "@reddwarf/api-types"
import * as Effect from "effect/Effect"
import type { Attributes, ClusterView, Plugin } from "./Admission.js"
import { get, isObject } from "../internal/jsonValue.js"

const storageMarks = ["storageclass.kubernetes.io/is-default-class", "storageclass.beta.kubernetes.io/is-default-class"]
const ingressMarks = ["ingressclass.kubernetes.io/is-default-class"]

/** Of several default classes the newest counts, then the first by name. */
const newest = (classes: ReadonlyArray<KubeObject.KubeObject>, marks: ReadonlyArray<string>): string | undefined => {
  const made = ({ metadata }: KubeObject.KubeObject): number => Timestamp.toMillis(metadata.creationTimestamp) ?? 0
  const [first] = classes
    .filter(({ metadata }) => marks.some((mark) => metadata.annotations?.[mark] === "true"))
    .sort((a, b) => made(b) - made(a) || ((a.metadata.name ?? "") < (b.metadata.name ?? "") ? -1 : 1))
  return first?.metadata.name
}

const withSpec = (object: KubeObject.KubeObject, field: string, value: string | undefined): KubeObject.KubeObject => {
  const spec = get(object, "spec")
  const next = { ...object, spec: { ...(isObject(spec) ? spec : {}), [field]: value } }
  return value === undefined ? object : next
}

const claim = (object: KubeObject.KubeObject, view: ClusterView): KubeObject.KubeObject => {
  // An empty name asks for volumes without a class.
  const isChosen = get(get(object, "spec"), "storageClassName") !== undefined || object.metadata.annotations?.["volume.beta.kubernetes.io/storage-class"] !== undefined
  return isChosen ? object : withSpec(object, "storageClassName", newest(view.list(Kinds.storageClass, undefined), storageMarks))
}

const ingress = (object: KubeObject.KubeObject, view: ClusterView): KubeObject.KubeObject => {
  const isChosen = get(get(object, "spec"), "ingressClassName") !== undefined || object.metadata.annotations?.["kubernetes.io/ingress.class"] !== undefined
  return isChosen ? object : withSpec(object, "ingressClassName", newest(view.list(Kinds.ingressClass, undefined), ingressMarks))
}

const complete = (object: KubeObject.KubeObject, { kind, operation, subresource }: Attributes, view: ClusterView): KubeObject.KubeObject => {
  if (operation !== "CREATE" || subresource !== undefined) return object
  return kind === Kinds.persistentVolumeClaim ? claim(object, view) : kind === Kinds.ingress ? ingress(object, view) : object
}

/** Fills `spec.storageClassName` of new claims and `spec.ingressClassName` of new ingresses. @category constructors */
export const plugin: Plugin = {
  name: "DefaultClasses",
  mutate: (object, attributes, view) => Effect.succeed(complete(object, attributes, view))
}
