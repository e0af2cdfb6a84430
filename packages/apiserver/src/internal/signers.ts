/** What the policy says about signers of certificates. They are no objects: only permissions name them. */
import type * as Authorizer from "../authorization/Authorizer.js"
import type { UserInfo } from "../authentication/UserInfo.js"

const attributes = (user: UserInfo, verb: string, name: string): Authorizer.Attributes => ({
  user,
  verb,
  isResource: true,
  group: "certificates.k8s.io",
  version: "*",
  resource: "signers",
  subresource: undefined,
  namespace: undefined,
  name,
  path: ""
})

/** Whether somebody may do something for a signer; a permission may also be for all signers of a domain. */
export const may = (authorize: (attributes: Authorizer.Attributes) => Authorizer.Decision, user: UserInfo, verb: string, signer: string): boolean =>
  [signer, `${signer.split("/")[0] ?? ""}/*`].some((asked) => authorize(attributes(user, verb, asked)).allowed)
