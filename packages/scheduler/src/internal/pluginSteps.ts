/** The plugins of a profile by the steps around the binding: most take part in none, and going through them all for each pod is not free. */
import type { Profile } from "../Profile.js"
import type { SchedulerPlugin } from "../SchedulerPlugin.js"

type Step = "reserve" | "unreserve" | "permit" | "preBindWait" | "preBind" | "bind" | "postBind" | "postFilter" | "preEnqueue"

export type PluginSteps = { readonly [S in Step]: ReadonlyArray<SchedulerPlugin & { readonly [P in S]-?: NonNullable<SchedulerPlugin[P]> }> }

const having = <S extends Step>(profile: Profile, step: S) =>
  profile.plugins.filter((plugin): plugin is SchedulerPlugin & { readonly [P in S]-?: NonNullable<SchedulerPlugin[P]> } => plugin[step] !== undefined)

const known = new WeakMap<Profile, PluginSteps>()

export const of = (profile: Profile): PluginSteps => {
  const found = known.get(profile)
  if (found !== undefined) return found
  const steps: PluginSteps = {
    reserve: having(profile, "reserve"),
    unreserve: having(profile, "unreserve").toReversed(),
    permit: having(profile, "permit"),
    preBindWait: having(profile, "preBindWait"),
    preBind: having(profile, "preBind"),
    bind: having(profile, "bind"),
    postBind: having(profile, "postBind"),
    postFilter: having(profile, "postFilter"),
    preEnqueue: having(profile, "preEnqueue")
  }
  known.set(profile, steps)
  return steps
}
