/** Which changes are worth another attempt for a pod, by what the plugins that rejected it say. */
import * as ClusterEvent from "../ClusterEvent.js"
import type { PodInfo } from "../PodInfo.js"
import type { Profile } from "../Profile.js"
import type { SchedulerPlugin } from "../SchedulerPlugin.js"

export interface RequeueRules {
  readonly wakes: (pod: PodInfo, rejectedBy: ReadonlySet<string>, change: ClusterEvent.Change) => boolean
  /** Whether a change of this kind may wake any pod that these plugins rejected. */
  readonly cares: (profile: string, rejectedBy: ReadonlySet<string>, event: ClusterEvent.ClusterEvent) => boolean
  /** Whether any plugin cares for the event at all. */
  readonly matters: (event: ClusterEvent.ClusterEvent) => boolean
}

const defaultName = "default-scheduler"

const eventsOf = (plugin: SchedulerPlugin): ReadonlySet<ClusterEvent.ClusterEvent> | undefined =>
  plugin.requeueOn === undefined ? undefined : new Set(plugin.requeueOn.map(ClusterEvent.eventOf))

export const make = (profiles: ReadonlyArray<Profile>): RequeueRules => {
  const plugins = new Map(profiles.map((profile) => [profile.schedulerName, new Map(profile.plugins.map((plugin) => [plugin.name, plugin]))]))
  const events = new Map(profiles.flatMap((profile) => profile.plugins).map((plugin) => [plugin, eventsOf(plugin)]))
  const interests = [...events.values()]
  const wanted = interests.includes(undefined) ? undefined : new Set(interests.flatMap((each) => [...each ?? []]))
  const pluginOf = (profile: string, name: string): SchedulerPlugin | undefined => plugins.get(profile)?.get(name)

  return {
    wakes: (pod, rejectedBy, change) => {
      const profile = pod.shape.spec.schedulerName ?? defaultName
      for (const name of rejectedBy) if (ClusterEvent.wakes(pluginOf(profile, name)?.requeueOn, pod, change)) return true
      return false
    },
    cares: (profile, rejectedBy, event) => {
      for (const name of rejectedBy) {
        const plugin = pluginOf(profile, name)
        const interest = plugin === undefined ? undefined : events.get(plugin)
        if (interest === undefined || interest.has(event)) return true
      }
      return false
    },
    matters: (event) => event === "NodeAdd" || wanted === undefined || wanted.has(event)
  }
}
