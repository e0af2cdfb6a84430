/**
 * Creates the objects that every cluster has, and puts them back when they are missing: priority classes, the Service of the API server,
 * default roles. What it is given says what; `priorityClasses`, `apiServerService` and `rbac` make the usual ones.
 *
 * It must run as a user who may write them all: granting roles needs more than the rights of an ordinary controller.
 */
import { type ApiextensionsV1, type Kind, Kinds, type KubeObject } from "@reddwarf/api-types"
import { ApiClient, ClientError, ObjectRef } from "@reddwarf/client"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as definitionMerge from "./internal/definitionMerge.js"
import * as endpoints from "./internal/apiServerEndpoints.js"
import * as rbacMerge from "./internal/rbacMerge.js"
import * as Reconciler from "./Reconciler.js"

/**
 * An object that has to exist.
 *
 * @category models
 */
export interface BuiltIn {
  readonly kind: Kind.Kind
  readonly object: ApiClient.Draft<KubeObject.KubeObject>
  /** What an object that exists should be; undefined when it may stay as it is. Unless given, what exists is left alone. */
  readonly correct?: (current: KubeObject.KubeObject) => KubeObject.KubeObject | undefined
}

/**
 * What has to exist, and how often that is checked.
 *
 * @category models
 */
export interface Options {
  readonly objects: ReadonlyArray<BuiltIn>
  /** Time between checks: 30 seconds unless given. */
  readonly every?: Duration.DurationInput
}

const priorityClass = (name: string, value: number, description: string): BuiltIn => {
  const object = { metadata: { name }, value, description, preemptionPolicy: "PreemptLowerPriority" }
  return { kind: Kinds.priorityClass, object }
}

/**
 * The priority classes of the system.
 *
 * @category constructors
 */
export const priorityClasses: ReadonlyArray<BuiltIn> = [
  priorityClass("system-cluster-critical", 2_000_000_000, "For pods that the cluster needs, but that may move from node to node."),
  priorityClass("system-node-critical", 2_000_001_000, "For pods that a node needs and that must not leave it.")
]

/**
 * The Service `default/kubernetes` with the endpoints of the server. Endpoints on the loopback network, and addresses that are names, are
 * left out: pods could not reach them.
 *
 * @category constructors
 */
export const apiServerService = (options: {
  /** The network of Services, such as `10.96.0.0/12`: the Service gets its first address. */
  readonly serviceNetwork: string
  /** Address at which pods reach the server. */
  readonly address: string
  readonly port: number
}): ReadonlyArray<BuiltIn> => endpoints.make(options)

/**
 * Roles and bindings: rules and subjects that are missing are added again, what others added stays. An object annotated with
 * `rbac.authorization.kubernetes.io/autoupdate: "false"` is left alone.
 *
 * @category constructors
 */
export const rbac = (kind: Kind.Kind, objects: ReadonlyArray<ApiClient.Draft<KubeObject.KubeObject>>): ReadonlyArray<BuiltIn> =>
  objects.map((object) => ({ kind, object, correct: (current) => rbacMerge.correct(current, object) }))

/**
 * A resource that comes with the server: its definition is brought up to date when the server knows a newer one.
 *
 * @category constructors
 */
export const definition = (given: ApiextensionsV1.CustomResourceDefinition): ReadonlyArray<BuiltIn> => {
  const object = definitionMerge.marked(given)
  return [{ kind: Kinds.customResourceDefinition, object, correct: (current) => definitionMerge.correct(current, object) }]
}

const concurrency = 8

/**
 * Starts the controller, which then runs as long as the scope. The first check begins at once.
 *
 * @category constructors
 */
export const run = Effect.fnUntraced(function*(options: Options): Effect.fn.Return<void, never, ApiClient.ApiClient | Scope.Scope> {
  const client = yield* ApiClient.ApiClient

  const ensure = ({ correct, kind, object }: BuiltIn): Effect.Effect<void, ClientError.ClientError> => {
    const { name = "", namespace } = object.metadata
    return client.get(kind, { namespace, name }).pipe(
      Effect.map((current) => correct?.(current)),
      Effect.flatMap((next) => (next === undefined ? Effect.void : Effect.asVoid(client.update(kind, next)))),
      Effect.catchIf(ClientError.isNotFound, () => Effect.asVoid(client.create(kind, object)))
    )
  }

  const pass = Effect.forEach(
    options.objects,
    (builtIn) =>
      ensure(builtIn).pipe(
        // Somebody else was quicker: the next check sees what came of it.
        Effect.catchIf((error) => ClientError.isAlreadyExists(error) || ClientError.isConflict(error), () => Effect.void),
        Effect.catchAll((error) =>
          Effect.logWarning("a built-in object cannot be written", error).pipe(
            Effect.annotateLogs({ kind: builtIn.kind.kind, object: ObjectRef.key({ namespace: builtIn.object.metadata.namespace, name: builtIn.object.metadata.name ?? "" }) })
          )
        )
      ),
    { concurrency, discard: true }
  )

  yield* Reconciler.periodic({ name: "built-in-objects", every: options.every ?? "30 seconds", pass })
})

/**
 * The controller as a layer without a service.
 *
 * @category layers
 */
export const layer = (options: Options): Layer.Layer<never, never, ApiClient.ApiClient> => Layer.scopedDiscard(run(options))
