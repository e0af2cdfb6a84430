/** What a container's process takes from its image where the pod says nothing: command, variables, directory, user. Pure. */
import type { CoreV1 } from "@reddwarf/api-types"
import type { ImageConfig } from "@reddwarf/images"
import * as Either from "effect/Either"
import type * as Files from "../supervisor/SupervisorFiles.js"

/** The accounts of an image: the texts of its `/etc/passwd` and `/etc/group`, empty where it has none. @category models */
export interface Accounts {
  readonly passwd: string
  readonly group: string
}

/** An image as containers use it. @category models */
export interface ContainerImage extends Accounts {
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
  process: ImageConfig.Process | undefined,
  command: ReadonlyArray<string>,
  args: ReadonlyArray<string>
): ReadonlyArray<string> => {
  if (command.length > 0) return [...command, ...args]
  return [...process?.entrypoint ?? [], ...(args.length > 0 ? args : process?.cmd ?? [])]
}

/** The variables of an image. @category combinators */
export const variables = (process: ImageConfig.Process): ReadonlyArray<readonly [name: string, value: string]> =>
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

/**
 * The user of the container's process: `runAsUser` and `runAsGroup` of container or pod, else that of the image. Undefined is the zone's root.
 * Gives the reason when the image does not know the name, or when `runAsNonRoot` forbids what comes out.
 *
 * @category combinators
 */
export const user = (
  image: ContainerImage | undefined,
  pod: CoreV1.Pod,
  container: Pick<CoreV1.Container, "name" | "securityContext">
): Either.Either<Files.ContainerUser | undefined, string> => {
  const own = container.securityContext
  const shared = pod.spec?.securityContext
  const asked = own?.runAsUser ?? shared?.runAsUser
  const askedGroup = own?.runAsGroup ?? shared?.runAsGroup
  const nonRoot = own?.runAsNonRoot ?? shared?.runAsNonRoot ?? false
  const [imageUser = "", imageGroup = ""] = (image?.process.user ?? "").split(":")
  const users = accountsIn(image?.passwd ?? "")
  const named = asked === undefined ? imageUser : String(asked)
  const account = named === "" ? undefined : find(users, named)
  if (named !== "" && account === undefined && !isNumber(named)) {
    return Either.left(`unable to find user ${named}: no matching entries in passwd file of the image`)
  }
  const uid = named === "" ? 0 : account?.id ?? Number(named)
  if (nonRoot && asked === undefined && named !== "" && !isNumber(named)) {
    return Either.left(`container has runAsNonRoot and image has non-numeric user (${named}), cannot verify user is non-root; set runAsUser`)
  }
  if (nonRoot && uid === 0) {
    return Either.left(
      asked === 0
        ? "container's runAsUser breaks non-root policy; set runAsUser to another number than 0, or leave runAsNonRoot out"
        : "container has runAsNonRoot and image will run as root; set runAsUser, or leave runAsNonRoot out"
    )
  }
  const groupText = asked === undefined ? imageGroup : ""
  const group = groupText === "" ? undefined : find(accountsIn(image?.group ?? ""), groupText)
  if (groupText !== "" && group === undefined && !isNumber(groupText)) {
    return Either.left(`unable to find group ${groupText}: no matching entries in group file of the image`)
  }
  const gid = askedGroup ?? group?.id ?? (groupText === "" ? account?.gid ?? 0 : Number(groupText))
  if (uid === 0 && gid === 0) return Either.right(undefined)
  const ownGroup = (account?.gid ?? 0) === gid
  return Either.right({ uid, gid, ...(account === undefined || !ownGroup ? {} : { name: account.name }) })
}
