/** Pods for tests: a small valid one, and the same with changes. */
import * as Either from "effect/Either"
import { type CoreV1, FieldError, type Kind, Kinds, type KubeObject, ObjectCodec, Tables } from "../src/index.js"

/** 2026-11-20T22:00:00Z. */
export const now = 1_795_212_000_000

/** The object of a JSON value, as the server would decode and default it. */
export const created = (json: object): CoreV1.Pod => {
  const { object } = Either.getOrThrow(ObjectCodec.decode(Kinds.pod, json))
  return Kinds.pod.defaults(Kinds.pod.prepareForCreate(Kinds.pod.defaults(object), now))
}

/** A pod with this spec beside one container; `container` is merged into that. */
export const podWith = (spec: object = {}, container: object = {}, metadata: object = {}): CoreV1.Pod =>
  created({
    metadata: { name: "p", namespace: "default", ...metadata },
    spec: { containers: [{ name: "c", image: "nginx", ...container }], ...spec }
  })

/** The same pod with another status. */
export const withStatus = (pod: CoreV1.Pod, status: CoreV1.PodStatus): CoreV1.Pod => ({ ...pod, status })

/** Problems as lines. */
export const lines = (errors: ReadonlyArray<FieldError.FieldError>): ReadonlyArray<string> => errors.map(FieldError.format)

/** Problems of creating a pod. */
export const problems = (pod: CoreV1.Pod): ReadonlyArray<string> => lines(Kinds.pod.validate(pod))

/** What the server would make of a new object of any kind. */
export const make = <A extends KubeObject.KubeObject>(kind: Kind.Kind<A>, json: object): A => {
  const { object, unknownFields } = Either.getOrThrow(ObjectCodec.decode(kind, json))
  if (unknownFields.length > 0) throw new Error(unknownFields.join())
  return kind.defaults(kind.prepareForCreate(kind.defaults(object), now))
}

/** Problems of a new object of any kind. */
export const refusals = <A extends KubeObject.KubeObject>(kind: Kind.Kind<A>, json: object): ReadonlyArray<string> =>
  lines(kind.validate(make(kind, json)))

/** Problems of replacing a stored object by another one, as an update would. */
export const updateRefusals = <A extends KubeObject.KubeObject>(kind: Kind.Kind<A>, next: object, old: A): ReadonlyArray<string> => {
  const { object } = Either.getOrThrow(ObjectCodec.decode(kind, next))
  return lines(kind.validateUpdate(kind.prepareForUpdate(kind.defaults(object), old), old))
}

/** The cells of an object that is five minutes old, by column. */
export const cellsOf = <A extends KubeObject.KubeObject>(kind: Kind.Kind<A>, object: A): Readonly<Record<string, Kind.Cell>> => {
  const { cells } = Tables.row(kind, { ...object, metadata: { ...object.metadata, creationTimestamp: "2026-11-20T21:55:00Z" } }, now)
  return Object.fromEntries(kind.columns.map(({ name }, index) => [name, cells[index] ?? null]))
}
