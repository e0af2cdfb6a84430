/** Decisions of a policy, kept as long as the policy stays as it is: clients ask for the same few things over and over. */
import type { Attributes, Decision } from "../authorization/Authorizer.js"
import type { UserInfo } from "../authentication/UserInfo.js"

/** As many decisions are kept. When there are more, all are forgotten: that costs less than keeping an order. */
const capacity = 8192

/** The same decisions as `decide`, as long as `version` gives the same number. */
export const make = (decide: (attributes: Attributes) => Decision, version: () => number): (attributes: Attributes) => Decision => {
  const decisions = new Map<string, Decision>()
  const users = new WeakMap<UserInfo, string>()
  let decidedAt = version()
  const userKey = (user: UserInfo): string => {
    const known = users.get(user)
    if (known !== undefined) return known
    const made = JSON.stringify([user.name, user.groups])
    users.set(user, made)
    return made
  }
  return (attributes) => {
    const { group, isResource, name, namespace, path, resource, subresource, user, verb } = attributes
    const current = version()
    if (current !== decidedAt || decisions.size >= capacity) {
      decisions.clear()
      decidedAt = current
    }
    // JSON, because no text in a name can then pass for the border between two.
    const asked = isResource ? [verb, group, resource, subresource ?? 0, namespace ?? 0, name ?? 0] : [verb, path]
    const key = userKey(user) + JSON.stringify(asked)
    const known = decisions.get(key)
    if (known !== undefined) return known
    const decision = decide(attributes)
    decisions.set(key, decision)
    return decision
  }
}
