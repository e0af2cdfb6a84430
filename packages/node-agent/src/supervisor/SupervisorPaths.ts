/** Where the files of a data directory are. */
import type { PodIdentity } from "./SupervisorFiles.js"

/**
 * Where a pod's shared directory appears in its zone. Not below `/var/run`: illumos mounts a tmpfs there while the zone boots, which
 * would hide it.
 *
 * @category models
 */
export const zoneMountPoint = "/var/reddwarf"

/** Folder of everything the supervisor and the agent share. @category constructors */
export const root = (dataDir: string): string => `${dataDir}/supervisor`

/** Database whose lock the living supervisor holds. @category constructors */
export const lock = (dataDir: string): string => `${root(dataDir)}/lock.db`

/** Who supervises. @category constructors */
export const info = (dataDir: string): string => `${root(dataDir)}/supervisor.json`

/** One folder per pod, by uid. @category constructors */
export const pods = (dataDir: string): string => `${root(dataDir)}/pods`

/** Folder of one pod. @category constructors */
export const pod = (dataDir: string, uid: string): string => `${pods(dataDir)}/${uid}`

/** What the agent wants. @category constructors */
export const spec = (dataDir: string, uid: string): string => `${pod(dataDir, uid)}/spec.json`

/** What the supervisor knows. @category constructors */
export const state = (dataDir: string, uid: string): string => `${pod(dataDir, uid)}/state.json`

/** What the roots of its containers begin with. @category constructors */
export const roots = (dataDir: string, uid: string): string => `${pod(dataDir, uid)}/roots.json`

/** What its containers are started with next, where that has changed. @category constructors */
export const environments = (dataDir: string, uid: string): string => `${pod(dataDir, uid)}/environment.json`

/** How an attempt ended. @category constructors */
export const exitRecord = (dataDir: string, uid: string, container: string, attempt: number): string =>
  `${pod(dataDir, uid)}/${container}/${attempt}.exit`

/** Folder that is mounted into the zone at `zoneMountPoint`. @category constructors */
export const zone = (dataDir: string, uid: string): string => `${pod(dataDir, uid)}/zone`

/** Log folder of a pod, below the log folder of the node. @category constructors */
export const podLogs = (logDir: string, identity: PodIdentity): string =>
  `${logDir}/${identity.namespace}_${identity.name}_${identity.uid}`

/** Current log file of an attempt. Rotated ones have `.<number>` appended, the oldest with the smallest number. @category constructors */
export const log = (podLogDirectory: string, container: string, attempt: number): string =>
  `${podLogDirectory}/${container}/${attempt}.log`
