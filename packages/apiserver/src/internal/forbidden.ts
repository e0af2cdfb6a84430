/** The words in which a request is refused. */
import { Status } from "@reddwarf/api-types"
import type { Attributes } from "../authorization/Authorizer.js"

const scopeOf = ({ namespace }: Attributes): string =>
  namespace === undefined ? "at the cluster scope" : `in the namespace ${JSON.stringify(namespace)}`

/** 403 for a request that the policy does not allow. */
export const forbiddenMessage = (attributes: Attributes, reason: string | undefined): Status.Status => {
  const { group, name, path, resource, subresource, user, verb } = attributes
  const who = `User ${JSON.stringify(user.name)} cannot ${verb}`
  const because = reason === undefined ? "" : `: ${reason}`
  if (!attributes.isResource) return Status.forbiddenPath(`${who} path ${JSON.stringify(path)}${because}`)
  const full = subresource === undefined ? resource : `${resource}/${subresource}`
  return Status.forbidden(
    { group, plural: resource },
    name ?? "",
    `${who} resource ${JSON.stringify(full)} in API group ${JSON.stringify(group)} ${scopeOf(attributes)}${because}`
  )
}
