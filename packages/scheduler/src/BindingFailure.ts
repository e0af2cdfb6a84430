/** A pod could not be brought onto the node that was chosen for it. */
import * as Schema from "effect/Schema"

/**
 * The phase and plugin that failed, and why. The node's claim is given back and the pod goes back to the queue.
 *
 * @category errors
 */
export class BindingFailure extends Schema.TaggedError<BindingFailure>()("BindingFailure", {
  pod: Schema.String,
  node: Schema.String,
  phase: Schema.Literal("Reserve", "PreBind", "Bind"),
  plugin: Schema.String,
  cause: Schema.Defect
}) {
  override get message(): string {
    const why = this.cause instanceof Error ? this.cause.message : String(this.cause)
    return `running ${this.phase} plugin "${this.plugin}" for pod ${this.pod} on node ${this.node}: ${why}; the pod is tried again`
  }
}
