/** What a container's process takes from its image where the pod says nothing: command, variables, directory, user. Pure. */
import type { CoreV1 } from "@reddwarf/api-types"
import type { ImageConfig } from "@reddwarf/images"
import type { DatasetName } from "@reddwarf/storage-zfs"
import * as Either from "effect/Either"
import type * as Files from "../supervisor/SupervisorFiles.js"

/** The accounts of an image: the texts of its `/etc/passwd` and `/etc/group`, empty where it has none. @category models */
export interface Accounts {
  readonly passwd: string
  readonly group: string
}

/** What roots are made from, and where things are in it. @category models */
export interface ImageRoot {
  /** A short name that no other root has. */
  readonly id: string
  /** What to clone; the files are in the folder `root`. */
  readonly snapshot: DatasetName.SnapshotName
  /** Operating system of its programs. */
  readonly os: string
  /** Whether there is a program at `/bin/sh`. */
  readonly hasShell: boolean
  /** Paths of the container that lead through symbolic links of the image, and where they lead. */
  readonly places: ReadonlyMap<string, string>
}

/** An image as containers use it. @category models */
export interface ContainerImage extends Accounts {
  /** Absent where nothing is known of its files. */
  readonly root?: ImageRoot | undefined
  /** What the status shows: repository and digest where they are known, else the id. */
  readonly imageID: string
  readonly process: ImageConfig.Process
}

/**
 * Program and arguments by the rules of Kubernetes: `command` takes the place of the entrypoint and of the image's arguments, `args` of the
 * arguments alone.
 *
 * @category combinators
 */
export const words = (
  process: Pick<ImageConfig.Process, "cmd" | "entrypoint"> | undefined,
  command: ReadonlyArray<string>,
  args: ReadonlyArray<string>
): ReadonlyArray<string> => {
  if (command.length > 0) return [...command, ...args]
  return [...process?.entrypoint ?? [], ...(args.length > 0 ? args : process?.cmd ?? [])]
}

/** The variables of an image. @category combinators */
export const variables = (process: Pick<ImageConfig.Process, "env">): ReadonlyArray<readonly [name: string, value: string]> =>
  process.env.flatMap((entry) => {
    const at = entry.indexOf("=")
    return at > 0 ? [[entry.slice(0, at), entry.slice(at + 1)] as const] : []
  })

interface Account {
  readonly name: string
  readonly id: number
  /** Group of a user. */
  readonly gid: number
}

const accountsIn = (text: string): ReadonlyArray<Account> =>
  text.split("\n").flatMap((line) => {
    const [name = "", , id = "", gid = ""] = line.split(":")
    return name !== "" && /^\d+$/.test(id) ? [{ name, id: Number(id), gid: /^\d+$/.test(gid) ? Number(gid) : 0 }] : []
  })

const isNumber = (text: string): boolean => /^\d{1,10}$/.test(text)

const find = (accounts: ReadonlyArray<Account>, text: string): Account | undefined =>
  accounts.find(({ id, name }) => isNumber(text) ? id === Number(text) : name === text)

/** Groups that list the user as a member. */
const membershipsIn = (group: string, user: string): ReadonlyArray<number> =>
  group.split("\n").flatMap((line) => {
    const [, , id = "", members = ""] = line.split(":")
    return /^\d+$/.test(id) && members.split(",").includes(user) ? [Number(id)] : []
  })

/** Who a container runs as in the words of a pod. @category models */
export type Secured = Pick<CoreV1.Container, "name" | "securityContext">

const nonRootProblem = (pod: CoreV1.Pod, container: Secured, asked: number | undefined, named: string, uid: number): string | undefined => {
  const nonRoot = container.securityContext?.runAsNonRoot ?? pod.spec?.securityContext?.runAsNonRoot ?? false
  const { name = "", namespace = "", uid: podUid = "" } = pod.metadata
  const where = `(pod: ${JSON.stringify(`${name}_${namespace}(${podUid})`)}, container: ${container.name})`
  if (!nonRoot) return undefined
  if (asked === undefined && named !== "" && !isNumber(named)) {
    return `container has runAsNonRoot and image has non-numeric user (${named}), cannot verify user is non-root ${where}`
  }
  if (uid !== 0) return undefined
  return asked === 0 ? `container's runAsUser breaks non-root policy ${where}` : `container has runAsNonRoot and image will run as root ${where}`
}

/** Groups beside the main one: those of the pod, and with the policy `Merge` those of the image's account. */
const furtherGroups = (pod: CoreV1.Pod, memberships: ReadonlyArray<number>, gid: number): ReadonlyArray<number> => {
  const { fsGroup, supplementalGroups = [], supplementalGroupsPolicy } = pod.spec?.securityContext ?? {}
  const all = [...(supplementalGroupsPolicy === "Strict" ? [] : memberships), ...(fsGroup === undefined ? [] : [fsGroup]), ...supplementalGroups]
  return [...new Set(all)].filter((group) => group !== gid)
}

/**
 * The user and the groups of the container's process: what container and pod say, else what the image says. Undefined is the zone's root,
 * with the groups it has there. Gives the reason when the image does not know the name, or when `runAsNonRoot` forbids what comes out.
 *
 * @category combinators
 */
export const user = (image: ContainerImage | undefined, pod: CoreV1.Pod, container: Secured): Either.Either<Files.ContainerUser | undefined, string> => {
  const own = container.securityContext
  const shared = pod.spec?.securityContext
  const asked = own?.runAsUser ?? shared?.runAsUser
  const askedGroup = own?.runAsGroup ?? shared?.runAsGroup
  const [imageUser = "", imageGroup = ""] = (image?.process.user ?? "").split(":")
  const users = accountsIn(image?.passwd ?? "")
  const named = asked === undefined ? imageUser : String(asked)
  const account = find(users, named === "" ? "0" : named)
  if (named !== "" && account === undefined && !isNumber(named)) {
    return Either.left(`unable to find user ${named}: no matching entries in passwd file of the image`)
  }
  const uid = named === "" ? 0 : account?.id ?? Number(named)
  const problem = nonRootProblem(pod, container, asked, named, uid)
  if (problem !== undefined) return Either.left(problem)
  const groupText = asked === undefined ? imageGroup : ""
  const group = groupText === "" ? undefined : find(accountsIn(image?.group ?? ""), groupText)
  if (groupText !== "" && group === undefined && !isNumber(groupText)) {
    return Either.left(`unable to find group ${groupText}: no matching entries in group file of the image`)
  }
  const ownGid = named === "" ? 0 : account?.gid ?? 0
  const gid = askedGroup ?? group?.id ?? (groupText === "" ? ownGid : Number(groupText))
  const memberships = account === undefined ? [] : membershipsIn(image?.group ?? "", account.name).filter((id) => id !== gid)
  const groups = furtherGroups(pod, memberships, gid)
  const isRoot = uid === 0 && gid === 0 && groups.every((id) => memberships.includes(id))
  if (isRoot) return Either.right(undefined)
  // Programs that take names look the groups up themselves.
  const byName = account !== undefined && account.gid === gid && groups.length === memberships.length && groups.every((id) => memberships.includes(id))
  return Either.right({ uid, gid, ...(byName ? { name: account.name } : {}), ...(groups.length === 0 ? {} : { groups }) })
}
