/** Why a pod cannot be brought up as it is written. Each says what would help. */
import * as Schema from "effect/Schema"

/**
 * A container cannot be started with what its specification refers to. `reason` is the waiting reason users know.
 *
 * @category errors
 */
export class ContainerConfigError extends Schema.TaggedError<ContainerConfigError>()("ContainerConfigError", {
  container: Schema.String,
  reason: Schema.Literal("CreateContainerConfigError", "CreateContainerError"),
  detail: Schema.String
}) {
  override get message(): string {
    return this.detail
  }
}

/**
 * The image of a container is not here. `reason` is the waiting reason users know.
 *
 * @category errors
 */
export class ImageUnavailable extends Schema.TaggedError<ImageUnavailable>()("ImageUnavailable", {
  container: Schema.String,
  image: Schema.String,
  reason: Schema.String,
  detail: Schema.String
}) {
  override get message(): string {
    return this.detail
  }
}

/**
 * A volume cannot be set up.
 *
 * @category errors
 */
export class VolumeSetupError extends Schema.TaggedError<VolumeSetupError>()("VolumeSetupError", {
  volume: Schema.String,
  detail: Schema.String
}) {
  override get message(): string {
    return `MountVolume.SetUp failed for volume "${this.volume}" : ${this.detail}`
  }
}

/**
 * The node refuses the pod for good: it asks for something that no retry will bring.
 *
 * @category errors
 */
export class PodRejected extends Schema.TaggedError<PodRejected>()("PodRejected", {
  reason: Schema.String,
  detail: Schema.String
}) {
  override get message(): string {
    return this.detail
  }
}

/**
 * Something of a pod that ends is still on the host; all else of it is gone. It is tried again.
 *
 * @category errors
 */
export class PodNotRemoved extends Schema.TaggedError<PodNotRemoved>()("PodNotRemoved", {
  namespace: Schema.String,
  name: Schema.String,
  detail: Schema.String
}) {
  override get message(): string {
    return `pod ${this.namespace}/${this.name} was not removed completely: ${this.detail}`
  }
}
