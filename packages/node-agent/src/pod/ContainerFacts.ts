/** What the status of a container tells about how it was started: user, stop signal, mounts. Pure. */
import type { CoreV1 } from "@reddwarf/api-types"
import type * as Files from "../supervisor/SupervisorFiles.js"

/** The parts of a status that follow from specification and process. @category models */
export type ContainerFacts = Pick<CoreV1.ContainerStatus, "stopSignal" | "user" | "volumeMounts">

const mountStatus = ({ mountPath, name, readOnly }: CoreV1.VolumeMount): CoreV1.VolumeMountStatus => ({
  mountPath,
  name,
  ...(readOnly === true ? { readOnly: true, recursiveReadOnly: "Disabled" } : {})
})

const userStatus = ({ user }: Files.ContainerSpec): CoreV1.ContainerUser => {
  const { gid, groups = [], uid } = user ?? { gid: 0, uid: 0 }
  return { linux: { uid, gid, supplementalGroups: [gid, ...groups.filter((group) => group !== gid)] } }
}

/**
 * The facts about a container that runs or ran. `process` is what was handed over for it.
 *
 * @category constructors
 */
export const of = (container: CoreV1.Container, process: Files.ContainerSpec | undefined): ContainerFacts => ({
  ...(container.lifecycle?.stopSignal === undefined ? {} : { stopSignal: container.lifecycle.stopSignal }),
  ...(process === undefined ? {} : { user: userStatus(process) }),
  ...((container.volumeMounts ?? []).length === 0 ? {} : { volumeMounts: (container.volumeMounts ?? []).map(mountStatus) })
})
