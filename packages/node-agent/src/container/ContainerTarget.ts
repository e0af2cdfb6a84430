/** Which container of which pod a request means, in the words of a kubelet. Pure. */
import type { CoreV1 } from "@reddwarf/api-types"
import { ZoneName } from "@reddwarf/runtime-illumos"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type { SupervisedPod } from "../supervisor/SupervisorClient.js"
import * as Environments from "../supervisor/Environments.js"
import * as Files from "../supervisor/SupervisorFiles.js"

/** A refusal: HTTP status and text. @category models */
export interface Refusal {
  readonly status: number
  readonly message: string
}

/**
 * A container that runs.
 *
 * @category schemas
 */
export const ContainerTarget = Schema.Struct({
  pod: Files.PodIdentity,
  zone: ZoneName.ZoneName,
  spec: Files.ContainerSpec,
  attempt: Schema.Number,
  /** Folder of the attempt in the directory that zone and host share. */
  launch: Schema.String,
  /** Log folder of the pod. */
  logDirectory: Schema.String
})
/** @category models */
export type ContainerTarget = typeof ContainerTarget.Type

/**
 * The pod of a request; a uid that is given must be its uid.
 *
 * @category combinators
 */
export const findPod = (
  pods: ReadonlyArray<CoreV1.Pod>,
  namespace: string,
  name: string,
  uid?: string
): Either.Either<CoreV1.Pod, Refusal> => {
  const pod = pods.find(({ metadata }) =>
    metadata.namespace === namespace && metadata.name === name && (uid === undefined || metadata.uid === uid))
  return pod === undefined ? Either.left({ status: 404, message: "pod does not exist" }) : Either.right(pod)
}

/**
 * The running attempt of a container.
 *
 * @category combinators
 */
export const find = (
  supervised: Option.Option<SupervisedPod>,
  container: string,
  /** Kubelets say differently to different requests that a container does not run. */
  notFound: string = `container not found (${JSON.stringify(container)})`
): Either.Either<ContainerTarget, Refusal> => {
  const missing = Either.left({ status: 500, message: notFound })
  if (Option.isNone(supervised) || Option.isNone(supervised.value.state)) return missing
  const { spec, state } = supervised.value
  const found = [...spec.containers, ...spec.ephemeralContainers ?? []].find(({ name }) => name === container)
  const now = state.value.containers.find(({ name }) => name === container)
  if (found === undefined || now?.phase !== "running" || now.launch === undefined) return missing
  return Either.right({
    pod: spec.pod,
    zone: spec.zone,
    spec: { ...found, env: Environments.ofAttempt(found.env, now) },
    attempt: now.attempt,
    launch: now.launch,
    logDirectory: spec.logs.directory
  })
}
