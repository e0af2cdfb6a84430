/**
 * All or nothing for pods of a group: each gets a node and waits there until enough of the others have theirs, and all give their room back when one
 * of them fits nowhere.
 *
 * Two groups that each hold what the other needs do not wait for each other: of all groups that hold room, the one that comes later in order (lower
 * priority, then younger, then by name) gives its room to the earlier. So the first of them always gets what there is.
 */
import { PodPhase } from "@reddwarf/api-types"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as CycleState from "../CycleState.js"
import * as GroupContest from "../groups/GroupContest.js"
import * as PodGroup from "../groups/PodGroup.js"
import * as PluginFactory from "../PluginFactory.js"
import * as Rejection from "../Rejection.js"
import * as SchedulerPlugin from "../SchedulerPlugin.js"
import type { WaitingPod } from "../WaitingPods.js"

/**
 * `permitWaitingTimeSeconds`: how long a pod holds its room while others of its group have none.
 *
 * @category models
 */
export const Args = Schema.Struct({
  permitWaitingTimeSeconds: Schema.optionalWith(Schema.Int.pipe(Schema.between(1, 3600)), { default: () => 60 })
})

/**
 * @category models
 */
export type Args = typeof Args.Type

/**
 * The plugin's name.
 *
 * @category constants
 */
export const name = "PodGroups"

const rejectAll = (waiting: Iterable<WaitingPod>, reason: string): void => {
  for (const each of waiting) each.reject(name, reason)
}

const noMembers: PodGroup.Members = new Map()

/** The members that have a node, as of this attempt. */
const members = CycleState.key<PodGroup.Members>("PodGroups/members", () => noMembers)

const preFilter: NonNullable<SchedulerPlugin.SchedulerPlugin["preFilter"]> = (pod, snapshot, state) => {
  const group = PodGroup.of(pod)
  if (group === undefined) return SchedulerPlugin.skip
  if (group.problem !== undefined) return SchedulerPlugin.reject(Rejection.unresolvable(group.problem))
  members.set(state, snapshot.index(PodGroup.placed))
  return SchedulerPlugin.skip
}

const permit = (timeout: number): NonNullable<SchedulerPlugin.SchedulerPlugin["permit"]> => (pod, _, { handle, state }) => {
  const group = PodGroup.of(pod)
  if (group === undefined) return SchedulerPlugin.allow
  const isMember = GroupContest.isOf(group.key)
  const placed = new Set(members.get(state).get(group.key)).add(pod.id)
  if (placed.size >= group.minAvailable) {
    for (const each of GroupContest.waitingOf(handle, group.key)) each.allow(name)
    return SchedulerPlugin.allow
  }
  const others = handle.pending().filter((each) => !placed.has(each.id) && !PodPhase.isGated(each.pod) && isMember(each))
  const known = placed.size + others.length
  if (known < group.minAvailable) {
    return { _tag: "Reject", reason: `pod group "${group.name}" has ${known} of the ${group.minAvailable} pods it needs` }
  }
  // They may sleep because the group was not complete until now.
  handle.activate(others.map(({ id }) => id))
  return { _tag: "Wait", timeout: `${timeout} seconds` }
}

/** Comes after preemption: a pod that others make room for will come, so its group waits for it. */
const postFilter: NonNullable<SchedulerPlugin.SchedulerPlugin["postFilter"]> = ({ handle, pod, state }) =>
  Effect.sync(() => {
    const group = PodGroup.of(pod)
    if (group === undefined || handle === undefined || GroupContest.roomIsComing.get(state)) return {}
    const loser = GroupContest.loser(handle, pod)
    if (loser === undefined) {
      rejectAll(GroupContest.waitingOf(handle, group.key), `pod group "${group.name}": pod ${pod.key} fits on no node`)
      return {}
    }
    rejectAll(GroupContest.waitingOf(handle, loser), `pod group "${loser}" gives its room to pod group "${group.key}"`)
    return { message: `pod group "${loser}" gives its room.` }
  })

/** One of a group cannot have its room after all: the others have no use for theirs. */
const unreserve: NonNullable<SchedulerPlugin.SchedulerPlugin["unreserve"]> = (pod, _, { handle }) =>
  Effect.sync(() => {
    const group = PodGroup.of(pod)
    if (group === undefined) return
    rejectAll(
      GroupContest.waitingOf(handle, group.key).filter((each) => each.pod.id !== pod.id),
      `pod group "${group.name}": pod ${pod.key} gave its room back`
    )
  })

/**
 * The plugin with these arguments.
 *
 * @category constructors
 */
export const make = ({ permitWaitingTimeSeconds }: Args): SchedulerPlugin.SchedulerPlugin => ({
  name,
  requeueOn: ["NodeAdd", "NodeUpdateAllocatable", "NodeUpdateLabels", "NodeUpdateTaints", "AssignedPodDelete", "AssignedPodScaleDown", "PodUpdateOther"],
  preFilter,
  postFilter,
  permit: permit(permitWaitingTimeSeconds),
  unreserve
})

/**
 * The plugin with the usual arguments.
 *
 * @category constructors
 */
export const plugin: SchedulerPlugin.SchedulerPlugin = make({ permitWaitingTimeSeconds: 60 })

/**
 * The plugin as configurations name it.
 *
 * @category constructors
 */
export const factory: PluginFactory.PluginFactory = PluginFactory.make({ name, args: Args, make })
