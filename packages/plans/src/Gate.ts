/** A gate keeps a workload from serving until somebody approves it; after any restart it is closed again. */
import * as Schema from "effect/Schema"

/** Asked with a GET on the pod's address. @category schemas */
export const HttpGet = Schema.Struct({ port: Schema.Int.pipe(Schema.between(1, 65_535)), path: Schema.String })

/** Approved with a POST on the pod's address. The task id is always sent in the header `Idempotency-Key`. @category schemas */
export const HttpPost = Schema.Struct({
  port: Schema.Int.pipe(Schema.between(1, 65_535)),
  path: Schema.String,
  /** `task`: the body is `{"id":"<task id>","type":"mark-ready"}`; `empty`: there is none. */
  format: Schema.Literal("task", "empty")
})

/** A command in a container of the pod. @category schemas */
export const Exec = Schema.Struct({ container: Schema.String, command: Schema.NonEmptyArray(Schema.String) })

/**
 * `Always`: approved whenever it is closed. `Owner`: needs the condition `ReadinessApproved=True`, which its workload controller sets and
 * which is used up; an ownerless pod approves itself. `Manual`: needs the annotation `reddwarf.io/approve-gate=<gate>`, also used up.
 *
 * @category schemas
 */
export const Approval = Schema.Literal("Always", "Owner", "Manual")

/** @category models */
export type Approval = typeof Approval.Type

/** @category schemas */
export const Gate = Schema.Struct({
  /** A DNS label, unique in its pod; `sidecar` is the sidecar gate. */
  name: Schema.String.pipe(Schema.pattern(/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/)),
  probe: Schema.Union(Schema.Struct({ httpGet: HttpGet }), Schema.Struct({ exec: Exec })),
  approve: Schema.Union(Schema.Struct({ httpPost: HttpPost }), Schema.Struct({ exec: Exec })),
  approval: Approval
})

/** @category models */
export type Gate = typeof Gate.Type

/** The name of the gate that the `sidecar-gate` annotations describe. @category models */
export const sidecar = "sidecar"

/** The condition type that tells whether a gate is open. @category combinators */
export const conditionType = (gate: string): string => (gate === sidecar ? "SidecarReady" : `Gate.${gate}`)
