/**
 * `scheduling.reddwarf.io`: why a pod goes where it goes. A `PodPlacement` has the name of a pod and says what the scheduler of this server would do
 * with it now: what each node lacks, how good it is, and what would have to change. It is worked out when it is asked for and never stored.
 *
 * Permissions are those of the resource `podplacements`. Whoever may get it learns the names of nodes, and of pods of other namespaces that are in the way.
 */
import { type ApiextensionsV1, Kind, type KubeObject, Kinds, Status } from "@reddwarf/api-types"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { type ComputedResource, ComputedResources } from "./ComputedResources.js"
import * as computedKinds from "./internal/computedKinds.js"

const text = (description: string): ApiextensionsV1.JSONSchemaProps => ({ type: "string", description })
const texts = (description: string): ApiextensionsV1.JSONSchemaProps => ({ type: "array", description, items: { type: "string" } })
const list = (description: string, properties: Record<string, ApiextensionsV1.JSONSchemaProps>): ApiextensionsV1.JSONSchemaProps => ({
  type: "array",
  description,
  items: { type: "object", properties }
})

const objection = {
  plugin: text("The plugin that says no."),
  code: text("Unschedulable: it could help if pods left the node. Unresolvable: it could not."),
  reasons: texts("As they are counted in the message of the pod's condition."),
  remedies: texts("What would have to change.")
}

const schema: ApiextensionsV1.JSONSchemaProps = {
  description: "What the scheduler would do with a pod now, and why.",
  type: "object",
  properties: {
    apiVersion: { type: "string" },
    kind: { type: "string" },
    metadata: { type: "object" },
    pod: text("Namespace and name of the pod."),
    schedulerName: text("The profile that places it."),
    placedOn: text("The node that it is on. Everything else is said as if it were not there yet."),
    filters: texts("The plugins that had something to ask about this pod."),
    refusals: list("What is wrong with the pod itself, whatever the nodes are.", objection),
    nodes: list("Every node, by name.", {
      name: { type: "string" },
      objections: list("Why it cannot take the pod, the one that is counted first.", objection),
      scores: list("How good it is, when it can.", {
        plugin: { type: "string" },
        raw: { type: "number", description: "In the plugin's own unit." },
        normalized: { type: "number", description: "From 0 to 100 among the nodes that can take the pod." },
        weight: { type: "number" },
        weighted: { type: "number" }
      }),
      total: { type: "number", description: "Sum of the weighted scores." }
    }),
    feasible: { type: "integer", description: "How many nodes can take it." },
    best: texts("Those of them with the highest total."),
    message: text("What a pod that finds no node is told."),
    lastMessage: text("What the pod was told last, with what preemption said.")
  }
}

const columns: ReadonlyArray<ApiextensionsV1.CustomResourceColumnDefinition> = [
  { name: "Scheduler", type: "string", jsonPath: ".schedulerName" },
  { name: "Node", type: "string", jsonPath: ".placedOn" },
  { name: "Feasible", type: "integer", jsonPath: ".feasible" },
  { name: "Best", type: "string", jsonPath: ".best[0]" },
  { name: "Message", type: "string", jsonPath: ".message" }
]

/**
 * The kind of the answers. They are read one at a time: each is work for every node.
 *
 * @category constructors
 */
export const kind: Kind.Kind = computedKinds.make({
  group: "scheduling.reddwarf.io",
  version: "v1alpha1",
  names: { plural: "podplacements", singular: "podplacement", shortNames: ["placement"], kind: "PodPlacement", listKind: "PodPlacementList" },
  scope: "Namespaced",
  schema,
  columns,
  verbs: ["get"]
})

/**
 * The answer about one pod: plain data as the schema of the kind says, or why there is none.
 *
 * @category models
 */
export type Answer =
  | { readonly _tag: "Explained"; readonly explanation: object }
  | { readonly _tag: "NoPod" }
  /** The pod names a scheduler that is not the one that is asked. */
  | { readonly _tag: "OtherScheduler"; readonly schedulerName: string }
  /** The scheduler has not seen the whole cluster yet. */
  | { readonly _tag: "NotReady" }

/**
 * Where a scheduler says that it runs, and how to ask it about the pod `namespace/name`. It answers from memory. Until then, and after the scope has
 * ended, clients are told that no scheduler runs.
 *
 * @category services
 */
export class PodPlacements extends Context.Tag("@reddwarf/apiserver/PodPlacements")<PodPlacements, {
  readonly answerWith: (explain: (key: string) => Answer) => Effect.Effect<void, never, Scope.Scope>
}>() {}

const found = (namespace: string, name: string, explanation: object): KubeObject.KubeObject => ({
  apiVersion: Kind.apiVersion(kind),
  kind: kind.kind,
  metadata: { name, namespace },
  ...explanation
})

const notRunning = Status.serviceUnavailable("the scheduler of this server does not run or has not seen the whole cluster yet; ask again in some seconds")

const answer = (asked: Answer, namespace: string, name: string): Either.Either<KubeObject.KubeObject, Status.Status> => {
  if (asked._tag === "Explained") return Either.right(found(namespace, name, asked.explanation))
  if (asked._tag === "NoPod") return Either.left(Status.notFound(Kinds.pod, name))
  if (asked._tag === "NotReady") return Either.left(notRunning)
  const { schedulerName } = asked
  return Either.left(Status.badRequest(`pod "${name}" asks for the scheduler "${schedulerName}", which does not run in this server: only that one can explain it`))
}

/**
 * Offers the resource to the API server that it is provided to, and the place where the scheduler says that it runs.
 *
 * @category layers
 */
export const layer: Layer.Layer<PodPlacements | ComputedResources> = Layer.effectContext(Effect.gen(function*() {
  const notReady = (): Answer => ({ _tag: "NotReady" })
  let explain: (key: string) => Answer = notReady
  const resource: ComputedResource = {
    kind,
    get: (namespace = "", name) => answer(explain(`${namespace}/${name}`), namespace, name),
    list: () => []
  }
  return Context.make(PodPlacements, {
    answerWith: (next) =>
      Effect.acquireRelease(Effect.sync(() => void (explain = next)), () => Effect.sync(() => void (explain = notReady)))
  }).pipe(Context.add(ComputedResources, [...(yield* ComputedResources), resource]))
}))
