/** What is told about the way of an image to this host, and the Kubernetes events that kubectl users know for it. */
import * as Data from "effect/Data"
import type { Digest } from "./Digest.js"
import { type ImageError, kubeletReason } from "./ImageError.js"

/** `image` is always the name as it was asked for. Sizes are bytes, times milliseconds. @category models */
export type PullEvent = Data.TaggedEnum<{
  /** The pull begins. */
  Pulling: { readonly image: string }
  /** The name stands for this content now; what is known of its platform is in the text, as `linux/amd64`. */
  Resolved: { readonly image: string; readonly digest: Digest; readonly platform: string; readonly blobs: number; readonly size: number }
  /** Bytes of one blob that are here. */
  Progress: { readonly image: string; readonly digest: Digest; readonly received: number; readonly total: number }
  /** A blob is complete; `transferred` is false if it was here before. */
  BlobReady: { readonly image: string; readonly digest: Digest; readonly size: number; readonly transferred: boolean }
  /** All of the image is here. `waited` is the part of `duration` that went by before the pull could begin. */
  Pulled: { readonly image: string; readonly digest: Digest; readonly size: number; readonly duration: number; readonly waited: number }
  /** The image was here before and its policy does not ask for more. */
  Present: { readonly image: string }
  Failed: { readonly image: string; readonly error: ImageError }
  /** The next attempt is not yet due. */
  BackOff: { readonly image: string; readonly remaining: number }
}>

/** @category constructors */
export const PullEvent = Data.taggedEnum<PullEvent>()

/** A Kubernetes event without its object. @category models */
export interface KubernetesEvent {
  readonly type: "Normal" | "Warning"
  readonly reason: "Pulling" | "Pulled" | "Failed" | "BackOff" | "InspectFailed" | "ErrImageNeverPull"
  readonly message: string
}

/** As Go prints durations below a minute, to the millisecond; longer ones in minutes and seconds. */
const duration = (millis: number): string => {
  const rounded = Math.max(0, Math.round(millis))
  if (rounded < 1000) return `${rounded}ms`
  const seconds = String((rounded % 60_000) / 1000)
  const minutes = Math.floor(rounded / 60_000)
  return minutes === 0 ? `${seconds}s` : minutes < 60 ? `${minutes}m${seconds}s` : `${Math.floor(minutes / 60)}h${minutes % 60}m${seconds}s`
}

const failure = (image: string, error: ImageError): KubernetesEvent => {
  const reason = kubeletReason(error)
  return reason === "InvalidImageName"
    ? { type: "Warning", reason: "InspectFailed", message: `Failed to apply default image tag "${image}": ${error.message}` }
    : reason === "ErrImageNeverPull"
    ? { type: "Warning", reason: "ErrImageNeverPull", message: error.message }
    : { type: "Warning", reason: "Failed", message: `Failed to pull image "${image}": ${error.message}` }
}

const normal = (reason: KubernetesEvent["reason"], message: string): KubernetesEvent => ({ type: "Normal", reason, message })

/** The event that a kubelet records for it; undefined for what it keeps to itself. @category combinators */
export const kubernetesEvent = (event: PullEvent): KubernetesEvent | undefined => {
  const { image } = event
  switch (event._tag) {
    case "Pulling":
      return normal("Pulling", `Pulling image "${image}"`)
    case "Pulled":
      return normal(
        "Pulled",
        `Successfully pulled image "${image}" in ${duration(event.duration - event.waited)} (${
          duration(event.duration)
        } including waiting). Image size: ${event.size} bytes.`
      )
    case "Present":
      return normal("Pulled", `Container image "${image}" already present on machine`)
    case "Failed":
      return failure(image, event.error)
    case "BackOff":
      return normal("BackOff", `Back-off pulling image "${image}"`)
    case "Resolved":
    case "Progress":
    case "BlobReady":
      break
  }
  return undefined
}

/** Reason and message of a container's `waiting` state after a failure, at once and between two attempts. @category combinators */
export const waitingState = (image: string, error: ImageError, backingOff: boolean): { readonly reason: string; readonly message: string } =>
  backingOff
    ? { reason: "ImagePullBackOff", message: `Back-off pulling image "${image}": ${kubeletReason(error)}: ${error.message}` }
    : { reason: kubeletReason(error), message: error.message }
