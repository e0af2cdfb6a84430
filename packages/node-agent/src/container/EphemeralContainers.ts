/** Debugging containers (`kubectl debug`): added to a pod that is there already, and handed over one by one as they come. Pure. */
import type { CoreV1 } from "@reddwarf/api-types"
import type { ZoneRuntime } from "@reddwarf/runtime-illumos"
import * as Either from "effect/Either"
import { posix } from "node:path"
import * as ContainerEnvironment from "./ContainerEnvironment.js"
import * as ContainerRoots from "./ContainerRoots.js"
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

type Result<A> = Either.Either<A, ContainerConfigError>

const pathOf = (mount: CoreV1.VolumeMount): string => posix.resolve("/", mount.mountPath)

const mountsOf = (pod: CoreV1.Pod): ReadonlyArray<readonly [container: CoreV1.Container, mount: CoreV1.VolumeMount]> =>
  [...pod.spec?.initContainers ?? [], ...pod.spec?.containers ?? []].flatMap((container) =>
    (container.volumeMounts ?? []).map((mount) => [container, mount] as const))

const notMounted = (container: string, mount: CoreV1.VolumeMount, where: string): ContainerConfigError =>
  new ContainerConfigError({
    container,
    reason: "CreateContainerError",
    detail: `volume "${mount.name}" is not mounted ${where} by a container of the pod, and the file systems of a zone that runs cannot be changed; leave the mount out`
  })

/** Where images are not used all containers have one root: a volume can be used where another container has it, and nowhere else. */
const unmounted = (pod: CoreV1.Pod, container: CoreV1.EphemeralContainer): CoreV1.VolumeMount | undefined =>
  container.volumeMounts?.find((mount) =>
    !mountsOf(pod).some(([, other]) => other.name === mount.name && pathOf(other) === pathOf(mount) && (other.subPath ?? "") === (mount.subPath ?? "")))

/** Volumes that another container of the pod has, as binds in the root of this one. */
const bindsOf = (
  inputs: ContainerRoots.Inputs,
  handedOver: Files.PodSpec,
  container: CoreV1.EphemeralContainer
): Result<ReadonlyArray<Files.RootBind>> => {
  const rootOf = (name: string) => handedOver.containers.find((other) => other.name === name)?.root?.path
  // The paths of those in the root of the zone need no resolving.
  const there = mountsOf(inputs.pod).filter(([, { subPath, subPathExpr }]) => (subPath ?? "") === "" && (subPathExpr ?? "") === "")
    .sort(([a], [b]) => Number(rootOf(a.name) !== undefined) - Number(rootOf(b.name) !== undefined))
  return Either.all((container.volumeMounts ?? []).map((mount) => {
    const found = there.find(([, { name }]) => name === mount.name)
    if (found === undefined) return Either.left(notMounted(container.name, mount, "as a whole"))
    const [other, { mountPath }] = found
    return Either.right({
      from: posix.join(rootOf(other.name) ?? "/", mountPath),
      to: ContainerRoots.inContainer(inputs, container.name, mount.mountPath),
      ...(mount.readOnly === true ? { readOnly: true } : {})
    })
  }))
}

/** A process, and the root that it is started with; absent where it is that of the zone. @category models */
export interface Started {
  readonly process: Files.ContainerSpec
  readonly root?: ContainerRoots.ContainerRoot
}

/**
 * The process of an ephemeral container. With an image it has a root of its own, read-only but for folders for temporary files. Without images
 * it finds the programs of the pod's zone, and without `command` and `args` it is a shell, what images for debugging run. It sees the processes of every container
 * of the pod, whichever `targetContainerName` names: they are those of the zone.
 *
 * @category constructors
 */
export const process = (
  inputs: ContainerEnvironment.Inputs,
  handedOver: Files.PodSpec,
  container: CoreV1.EphemeralContainer
): Result<Started> => {
  const image = inputs.images?.get(container.name)
  const root = image === undefined ? undefined : ContainerRoots.later(container, image)
  if (root === undefined) {
    const mount = unmounted(inputs.pod, container)
    if (mount !== undefined) return Either.left(notMounted(container.name, mount, `at ${mount.mountPath}`))
    const isImageOnly = (container.command ?? []).length === 0 && (container.args ?? []).length === 0
    const asked = isImageOnly && image === undefined ? { ...container, command: ["/bin/sh"] } : container
    return Either.map(ContainerEnvironment.process(inputs, asked), (process) => ({ process }))
  }
  return Either.flatMap(bindsOf(inputs, handedOver, container), (volumes) =>
    Either.map(ContainerEnvironment.process(inputs, container), (process) => {
      const temporary = ContainerRoots.temporary(root).filter(({ to }) => !volumes.some((bind) => bind.to === to))
      return { root, process: { ...process, root: ContainerRoots.entry(root, [...temporary, ...volumes]) } }
    }))
}

/** What is mounted in the root of a container that came later. @category combinators */
export const mountsIn = ({ process, root }: Started): ReadonlyArray<ZoneRuntime.ZoneFileSystem> =>
  root === undefined ? [] : (process.root?.binds ?? []).flatMap(({ from, make, to }) =>
    make === "file" ? [] : [{ dir: `${root.path}${to}`, special: from, type: "lofs", options: [] }])
