/** Who makes a request. */

/**
 * An authenticated identity, or the anonymous one.
 *
 * @category models
 */
export interface UserInfo {
  readonly name: string
  readonly uid?: string
  readonly groups: ReadonlyArray<string>
  readonly extra?: Readonly<Record<string, ReadonlyArray<string>>>
}

/** Group of everyone who proved an identity. @category models */
export const authenticatedGroup = "system:authenticated"

/** The identity of requests without credentials. @category models */
export const anonymous: UserInfo = { name: "system:anonymous", groups: ["system:unauthenticated"] }

/**
 * An identity that was proved: its own groups and `system:authenticated`.
 *
 * @category constructors
 */
export const authenticated = (name: string, groups: ReadonlyArray<string>): UserInfo => ({
  name,
  groups: groups.includes(authenticatedGroup) ? groups : [...groups, authenticatedGroup]
})

/** The identity that the server's own components act under: it may do everything. @category models */
export const loopback: UserInfo = authenticated("system:apiserver", ["system:masters"])
