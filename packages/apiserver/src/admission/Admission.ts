/** Rules that look at the object of a write before it is stored, and that may change it. */
import type { ApiError, Kind, KubeObject } from "@reddwarf/api-types"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as eager from "../internal/eager.js"
import type { UserInfo } from "../authentication/UserInfo.js"

/**
 * What a write is about.
 *
 * @category models
 */
export interface Attributes {
  readonly operation: "CREATE" | "UPDATE" | "DELETE" | "CONNECT"
  readonly kind: Kind.Kind
  readonly subresource: string | undefined
  readonly namespace: string | undefined
  readonly name: string
  readonly user: UserInfo
  readonly dryRun: boolean
  /** The stored object that an update or delete is about. */
  readonly old: KubeObject.KubeObject | undefined
  /**
   * Has something done once the write has ended, whatever became of it: what a plugin holds for it is let go of here. Not
   * done when the write was interrupted, because nobody knows then what becomes of it.
   */
  readonly onSettled?: (run: () => void) => void
  /** Has the client told something in a `Warning` header. */
  readonly warn?: (text: string) => void
}

/**
 * Reads the current state of the cluster. Objects must not be modified.
 *
 * @category models
 */
export interface ClusterView {
  /** The stored object, or undefined. */
  readonly get: (kind: Kind.Kind, namespace: string | undefined, name: string) => KubeObject.KubeObject | undefined
  /** The stored objects of a kind, of one namespace or of all, in the order of their keys. */
  readonly list: (kind: Kind.Kind, namespace: string | undefined) => ReadonlyArray<KubeObject.KubeObject>
}

/**
 * One rule, or a group of rules.
 *
 * @category models
 */
export interface Plugin {
  readonly name: string
  /** Gives the object to store instead, or the same one. Runs before validation, in the order of the chain. Absent for DELETE. */
  readonly mutate?: (
    object: KubeObject.KubeObject,
    attributes: Attributes,
    view: ClusterView
  ) => Effect.Effect<KubeObject.KubeObject, ApiError.ApiError>
  /** Refuses by failing. Runs when all changes have been made; `object` is undefined for DELETE. */
  readonly validate?: (
    object: KubeObject.KubeObject | undefined,
    attributes: Attributes,
    view: ClusterView
  ) => Effect.Effect<void, ApiError.ApiError>
  /** The same, once the object is known to be valid: for rules of users, which may rely on that. */
  readonly review?: Plugin["validate"]
}

/**
 * The chain of plugins that every write passes.
 *
 * @category services
 */
export class Admission extends Context.Tag("@reddwarf/apiserver/Admission")<Admission, {
  readonly plugins: ReadonlyArray<Plugin>
}>() {}

/** A chain of these plugins, in order. @category layers */
export const layerOf = (plugins: ReadonlyArray<Plugin>): Layer.Layer<Admission> => Layer.succeed(Admission, { plugins })

/** The same from one plugin of the chain on. Nearly all of them are done at once and cost no more than their calls. */
const mutateFrom = (
  first: number,
  plugins: ReadonlyArray<Plugin>,
  object: KubeObject.KubeObject,
  attributes: Attributes,
  view: ClusterView
): Effect.Effect<KubeObject.KubeObject, ApiError.ApiError> => {
  let current = object
  for (let at = first; at < plugins.length; at++) {
    const result = plugins[at]?.mutate?.(current, attributes, view)
    if (result === undefined) continue
    if (!eager.hasSucceeded(result)) return eager.flatMap(result, (next) => mutateFrom(at + 1, plugins, next, attributes, view))
    current = result.value
  }
  return Effect.succeed(current)
}

/** Runs the changing part of a chain, as far as it does not have to wait at once: call it inside an effect. @category combinators */
export const mutate = (
  plugins: ReadonlyArray<Plugin>,
  object: KubeObject.KubeObject,
  attributes: Attributes,
  view: ClusterView
): Effect.Effect<KubeObject.KubeObject, ApiError.ApiError> => mutateFrom(0, plugins, object, attributes, view)

const refuseFrom = (
  first: number,
  phase: "validate" | "review",
  plugins: ReadonlyArray<Plugin>,
  object: KubeObject.KubeObject | undefined,
  attributes: Attributes,
  view: ClusterView
): Effect.Effect<void, ApiError.ApiError> => {
  for (let at = first; at < plugins.length; at++) {
    const result = plugins[at]?.[phase]?.(object, attributes, view)
    if (result === undefined || eager.hasSucceeded(result)) continue
    return eager.flatMap(result, () => refuseFrom(at + 1, phase, plugins, object, attributes, view))
  }
  return Effect.void
}

const refuse = (phase: "validate" | "review") => (
  plugins: ReadonlyArray<Plugin>,
  object: KubeObject.KubeObject | undefined,
  attributes: Attributes,
  view: ClusterView
): Effect.Effect<void, ApiError.ApiError> => refuseFrom(0, phase, plugins, object, attributes, view)

/** Runs the refusing part of a chain; the first refusal counts. @category combinators */
export const validate = refuse("validate")

/** Runs the part of a chain that only sees valid objects. @category combinators */
export const review = refuse("review")
