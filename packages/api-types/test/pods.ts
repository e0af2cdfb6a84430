/** Pods for tests: a small valid one, and the same with changes. */
import * as Either from "effect/Either"
import { type CoreV1, FieldError, Kinds, ObjectCodec } from "../src/index.js"

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
