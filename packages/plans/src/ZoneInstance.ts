/** The resource that shows what is done to a pod-zone: `zoneinstances.reddwarf.io`, one per pod and of its name. */
import type { ApiextensionsV1, MetaV1 } from "@reddwarf/api-types"
import * as Schema from "effect/Schema"
import { Gate } from "./Gate.js"
import * as zoneInstanceDefinition from "./internal/zoneInstanceDefinition.js"
import { Caps, Digests, Plan, PlanRecord, PowerState, ZonePhase } from "./Plan.js"

/** @category models */
export const group = "reddwarf.io"

/** @category models */
export const version = "v1alpha1"

/** @category models */
export const apiVersion = "reddwarf.io/v1alpha1"

/** @category models */
export const kind = "ZoneInstance"

/** Plural name, as in `kubectl get zoneinstances`. @category models */
export const plural = "zoneinstances"

/** Keeps the object until its zone is gone. @category models */
export const finalizer = "reddwarf.io/zone-cleanup"

/** Label with the name of the node. @category models */
export const nodeLabel = "reddwarf.io/node"

/** Annotations on a ZoneInstance by which operators act. @category models */
export const annotations = {
  /** Any new value ends a back-off and forgets failed digests. */
  retryPlan: "reddwarf.io/retry-plan",
  /** Name of a gate with approval `Manual` that may be approved once. */
  approveGate: "reddwarf.io/approve-gate"
} as const

/** The definition to install where the resource is not known. @category models */
export const definition: ApiextensionsV1.CustomResourceDefinition = zoneInstanceDefinition.definition

/** A container as wanted: its digest is absent until its image is resolved. @category schemas */
export const WantedContainer = Schema.Struct({ name: Schema.String, image: Schema.String, digest: Schema.optional(Schema.String) })

/** @category models */
export type WantedContainer = typeof WantedContainer.Type

/** @category schemas */
export const Mount = Schema.Struct({ path: Schema.String, source: Schema.optional(Schema.String), readOnly: Schema.optional(Schema.Boolean) })

/** @category models */
export type Mount = typeof Mount.Type

/** @category schemas */
export const Network = Schema.Struct({
  vnic: Schema.optional(Schema.String),
  ips: Schema.optional(Schema.Array(Schema.String))
})

/** @category models */
export type Network = typeof Network.Type

/** @category schemas */
export const UpdatePolicy = Schema.Struct({
  /** Default `OnBootFailure`. */
  rollback: Schema.optional(Schema.Literal("OnBootFailure", "Never")),
  /** Default 30. */
  soakSeconds: Schema.optional(Schema.Int),
  /** How many former roots are kept. Default 1. */
  keepPrevious: Schema.optional(Schema.Int),
  /**
   * Whether containers are started anew when a ConfigMap or Secret of their environment changes, and a zone that was booted with a
   * configuration that somebody had changed. Default `OnRestart`: neither.
   */
  config: Schema.optional(Schema.Literal("Apply", "OnRestart"))
})

/** @category models */
export type UpdatePolicy = typeof UpdatePolicy.Type

/** Wanted state: the agent writes all but `powerState`, `paused` and `updatePolicy`, which are the user's. @category schemas */
export const Spec = Schema.Struct({
  podUID: Schema.String,
  nodeName: Schema.String,
  brand: Schema.String,
  containers: Schema.Array(WantedContainer),
  caps: Schema.optional(Caps),
  mounts: Schema.optional(Schema.Array(Mount)),
  network: Schema.optional(Network),
  /** Hash over the normalised wanted state. */
  specHash: Schema.String,
  gates: Schema.optional(Schema.Array(Gate)),
  powerState: Schema.optional(PowerState),
  paused: Schema.optional(Schema.Boolean),
  updatePolicy: Schema.optional(UpdatePolicy)
})

/** @category models */
export type Spec = typeof Spec.Type

/** As `metav1.Condition`. @category schemas */
export const Condition = Schema.Struct({
  type: Schema.String,
  status: Schema.Literal("True", "False", "Unknown"),
  reason: Schema.String,
  message: Schema.String,
  lastTransitionTime: Schema.String,
  observedGeneration: Schema.optional(Schema.Int)
})

/** @category models */
export type Condition = typeof Condition.Type

/** What the zone is made of now. @category schemas */
export const Current = Schema.Struct({
  containers: Schema.optional(Schema.Array(Schema.Struct({ name: Schema.String, digest: Schema.String }))),
  specHash: Schema.optional(Schema.String),
  caps: Schema.optional(Caps),
  mounts: Schema.optional(Schema.Array(Mount)),
  vnic: Schema.optional(Schema.String),
  ip: Schema.optional(Schema.String)
})

/** @category models */
export type Current = typeof Current.Type

/** What is remembered of a gate between two passes. @category schemas */
export const GateMemory = Schema.Struct({
  /** The last answer that was not Unknown: what lost and restored are told by. */
  lastDefinite: Schema.optional(Schema.Literal("True", "False")),
  /** Approvals since it was last open. */
  approvals: Schema.optional(Schema.Int),
  /** No approval before this time. */
  notBefore: Schema.optional(Schema.String),
  /** Approvals do not open it. */
  stuck: Schema.optional(Schema.Boolean)
})

/** @category models */
export type GateMemory = typeof GateMemory.Type

/** @category schemas */
export const Status = Schema.Struct({
  phase: Schema.optional(ZonePhase),
  /** Changes only when the phase does. */
  phaseTransitionTime: Schema.optional(Schema.String),
  zoneName: Schema.optional(Schema.String),
  current: Schema.optional(Current),
  restarts: Schema.optional(Schema.Int),
  plan: Schema.optional(Plan),
  lastPlan: Schema.optional(PlanRecord),
  /** Newest first, at most 5. */
  planHistory: Schema.optional(Schema.Array(PlanRecord)),
  /** Failures in a row by plan type. */
  consecutiveFailures: Schema.optional(Schema.Record({ key: Schema.String, value: Schema.Int })),
  nextPlanNotBefore: Schema.optional(Schema.String),
  /** The target that the back-off is for: another one ends it. */
  backoffTarget: Schema.optional(Schema.String),
  /** Since when the zone runs without a plan failing. */
  healthySince: Schema.optional(Schema.String),
  /** Digests by container that did not boot, and are not tried again for the same spec. */
  failedDigests: Schema.optional(Schema.Struct({ specHash: Schema.String, digests: Digests })),
  /** The digests that a failed update replaced, while the root made of them is kept. */
  previousDigests: Schema.optional(Digests),
  gates: Schema.optional(Schema.Record({ key: Schema.String, value: GateMemory })),
  /** The value of the retry annotation that was acted on. */
  retryPlan: Schema.optional(Schema.String),
  conditions: Schema.optional(Schema.Array(Condition)),
  observedGeneration: Schema.optional(Schema.Int)
})

/** @category models */
export type Status = typeof Status.Type

const texts = Schema.Record({ key: Schema.String, value: Schema.String })

/** What plans need of the metadata; the rest is kept as it is. */
const isObjectMeta = Schema.is(Schema.Struct({
  name: Schema.optional(Schema.String),
  namespace: Schema.optional(Schema.String),
  uid: Schema.optional(Schema.String),
  resourceVersion: Schema.optional(Schema.String),
  generation: Schema.optional(Schema.Int),
  creationTimestamp: Schema.optional(Schema.NullOr(Schema.String)),
  deletionTimestamp: Schema.optional(Schema.String),
  labels: Schema.optional(texts),
  annotations: Schema.optional(texts),
  finalizers: Schema.optional(Schema.Array(Schema.String))
}))

/** @category schemas */
export const Metadata: Schema.Schema<MetaV1.ObjectMeta> = Schema.declare(
  (input): input is MetaV1.ObjectMeta => isObjectMeta(input),
  { identifier: "ObjectMeta" }
)

/** The whole resource. Decode it with `onExcessProperty: "preserve"` where it is written back. @category schemas */
export const ZoneInstance = Schema.Struct({
  apiVersion: Schema.Literal(apiVersion),
  kind: Schema.Literal(kind),
  metadata: Metadata,
  spec: Spec,
  status: Schema.optional(Status)
})

/** @category models */
export type ZoneInstance = typeof ZoneInstance.Type

/** `namespace/name`, by which passes are asked for. @category combinators */
export const keyOf = (instance: ZoneInstance): string => `${instance.metadata.namespace ?? ""}/${instance.metadata.name ?? ""}`
