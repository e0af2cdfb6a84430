/**
 * What a container asks for around its life: hooks, the signal that ends it, its own restart rules, its last words. Part of `spec.json`, so
 * that the supervisor can do all of it while neither the agent nor the API server is there.
 */
import * as Schema from "effect/Schema"

/**
 * Something to do after the start or before the end of a container. Everything is resolved: addresses, ports and variables.
 *
 * @category schemas
 */
export const Hook = Schema.Union(
  /** A command in the place of the container: its root, variables, directory and user. */
  Schema.Struct({ type: Schema.Literal("exec"), argv: Schema.NonEmptyArray(Schema.String) }),
  /** A request from the node. Any answer is a success, whatever its status. */
  Schema.Struct({
    type: Schema.Literal("httpGet"),
    scheme: Schema.Literal("http", "https"),
    host: Schema.String,
    port: Schema.Number,
    path: Schema.String,
    headers: Schema.Array(Schema.Struct({ name: Schema.String, value: Schema.String }))
  }),
  /** Just time. */
  Schema.Struct({ type: Schema.Literal("sleep"), seconds: Schema.Number }),
  /** A hook that cannot be carried out, and why; it fails whenever it is its turn. */
  Schema.Struct({ type: Schema.Literal("invalid"), detail: Schema.String })
)
/** @category models */
export type Hook = typeof Hook.Type

/**
 * What the end with one of some exit codes means, before any restart policy is asked.
 *
 * @category schemas
 */
export const RestartRule = Schema.Struct({
  /** Whether this container starts again, or all containers of the pod, from the first init container on. Default `Restart`. */
  action: Schema.optional(Schema.Literal("Restart", "RestartAllContainers")),
  operator: Schema.Literal("In", "NotIn"),
  exitCodes: Schema.Array(Schema.Number)
})
/** @category models */
export type RestartRule = typeof RestartRule.Type

/**
 * The life of one container, as far as it is not that of every container.
 *
 * @category schemas
 */
export const ContainerLifecycle = Schema.Struct({
  /** Done once after each start; a failure ends the attempt. */
  postStart: Schema.optional(Hook),
  /** Done before the stop signal, within the time that is left to end. */
  preStop: Schema.optional(Hook),
  /** Name of the signal without `SIG`. Default `TERM`. */
  stopSignal: Schema.optional(Schema.String.pipe(Schema.pattern(/^[A-Z][A-Z0-9]*(?:[+-]\d{1,2})?$/))),
  /** Takes the place of that of the pod. */
  restartPolicy: Schema.optional(Schema.Literal("Always", "OnFailure", "Never")),
  /** What the first one that fits says is done, whatever the policy says. */
  restartRules: Schema.optional(Schema.Array(RestartRule)),
  /** The container counts as started only when the agent says so in `PodSpec.started`, because a startup probe decides. */
  startupProbe: Schema.optional(Schema.Boolean),
  /** Where the container leaves its last words; with `fallbackToLogs` those of its log count after a failure. */
  terminationMessage: Schema.optional(Schema.Struct({ path: Schema.String, fallbackToLogs: Schema.Boolean }))
})
/** @category models */
export type ContainerLifecycle = typeof ContainerLifecycle.Type

/**
 * How far the hooks of the current attempt are.
 *
 * @category schemas
 */
export const HookProgress = Schema.Struct({
  postStart: Schema.optional(Schema.Literal("running", "done", "failed")),
  preStop: Schema.optional(Schema.Literal("done", "failed"))
})
/** @category models */
export type HookProgress = typeof HookProgress.Type

/**
 * A hook that failed, for people.
 *
 * @category schemas
 */
export const HookFailure = Schema.Struct({
  hook: Schema.Literal("postStart", "preStop"),
  attempt: Schema.Number,
  message: Schema.String
})
/** @category models */
export type HookFailure = typeof HookFailure.Type
