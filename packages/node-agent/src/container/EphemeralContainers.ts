/** Debugging containers (`kubectl debug`): added to a pod that is there already, and handed over one by one as they come. Pure. */
import type { CoreV1 } from "@reddwarf/api-types"
import * as Either from "effect/Either"
import { posix } from "node:path"
import * as ContainerEnvironment from "./ContainerEnvironment.js"
import { ContainerConfigError } from "../pod/PodError.js"
import type * as Files from "../supervisor/SupervisorFiles.js"

/**
 * Those of the pod that were not handed over yet.
 *
 * @category combinators
 */
export const added = (pod: CoreV1.Pod, handedOver: Files.PodSpec): ReadonlyArray<CoreV1.EphemeralContainer> => {
  const known = new Set((handedOver.ephemeralContainers ?? []).map(({ name }) => name))
  return (pod.spec?.ephemeralContainers ?? []).filter(({ name }) => !known.has(name))
}

/** The file systems of a zone that runs are what they are: a volume can be used where another container has it, and nowhere else. */
const unmounted = (pod: CoreV1.Pod, container: CoreV1.EphemeralContainer): CoreV1.VolumeMount | undefined => {
  const there = [...pod.spec?.initContainers ?? [], ...pod.spec?.containers ?? []].flatMap(({ volumeMounts = [] }) => volumeMounts)
  const path = (mount: CoreV1.VolumeMount) => posix.resolve("/", mount.mountPath)
  return container.volumeMounts?.find((mount) =>
    !there.some((other) => other.name === mount.name && path(other) === path(mount) && (other.subPath ?? "") === (mount.subPath ?? "")))
}

/**
 * The process of an ephemeral container. Without `command` and `args` it is a shell, what images for debugging run: it finds the programs
 * of the pod's zone, as all containers share one root. For the same reason it sees the processes of every container of the pod, whichever
 * `targetContainerName` names.
 *
 * @category constructors
 */
export const process = (
  inputs: ContainerEnvironment.Inputs,
  container: CoreV1.EphemeralContainer
): Either.Either<Files.ContainerSpec, ContainerConfigError> => {
  const mount = unmounted(inputs.pod, container)
  if (mount !== undefined) {
    return Either.left(
      new ContainerConfigError({
        container: container.name,
        reason: "CreateContainerError",
        detail: `volume "${mount.name}" is not mounted at ${mount.mountPath} by a container of the pod, and the file systems of a zone that runs cannot be changed; leave the mount out`
      })
    )
  }
  const isImageOnly = (container.command ?? []).length === 0 && (container.args ?? []).length === 0
  return ContainerEnvironment.process(inputs, isImageOnly ? { ...container, command: ["/bin/sh"] } : container)
}
