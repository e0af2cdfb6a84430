/** The filters of one pod against one snapshot, prepared once for all nodes. */
import type { CycleState } from "../CycleState.js"
import type { NodeInfo } from "../NodeInfo.js"
import type { PodInfo } from "../PodInfo.js"
import type { Profile } from "../Profile.js"
import * as Rejection from "../Rejection.js"
import type { NodeTest, PreFilterResult, SchedulerPlugin, Trial, WhatIf } from "../SchedulerPlugin.js"
import * as SchedulerPluginModule from "../SchedulerPlugin.js"
import type { Snapshot } from "../Snapshot.js"
import * as NodeInfoModule from "../NodeInfo.js"

export interface Prepared {
  readonly plugin: string
  /** The plugin's place in the profile. */
  readonly order: number
  /** Whether its answer depends on shape and node alone. */
  readonly local: boolean
  readonly test: NodeTest
  readonly whatIf: (() => WhatIf) | undefined
}

export interface Ready {
  readonly _tag: "Ready"
  readonly tests: ReadonlyArray<Prepared>
  /** The only nodes to look at, when plugins name them. */
  readonly names: ReadonlySet<string> | undefined
  readonly namedBy: ReadonlyArray<string>
}

export type Preparation = Ready | {
  readonly _tag: "Refused"
  readonly rejection: Rejection.Rejection
  readonly by: ReadonlyArray<string>
}

const intersection = (a: ReadonlySet<string>, b: ReadonlySet<string>): ReadonlySet<string> => new Set([...a].filter((name) => b.has(name)))

export const resultOf = (plugin: SchedulerPlugin, pod: PodInfo, snapshot: Snapshot, state: CycleState): PreFilterResult => {
  if (plugin.preFilter !== undefined) return plugin.preFilter(pod, snapshot, state)
  const filter = plugin.filter
  return filter === undefined ? SchedulerPluginModule.skip : SchedulerPluginModule.filterBy((node) => filter(pod, node))
}

/** `resultOf` asks the plugin, or remembers what it said of an equal pod. */
export const prepare = (profile: Profile, ask: (plugin: SchedulerPlugin) => PreFilterResult): Preparation => {
  const tests: Array<Prepared> = []
  const namedBy: Array<string> = []
  let names: ReadonlySet<string> | undefined
  for (let order = 0; order < profile.plugins.length; order++) {
    const plugin = profile.plugins[order]
    if (plugin === undefined || (plugin.preFilter === undefined && plugin.filter === undefined)) continue
    const result = ask(plugin)
    if (result._tag === "Skip") continue
    if (result._tag === "Reject") return { _tag: "Refused", rejection: result.rejection, by: [plugin.name] }
    tests.push({ plugin: plugin.name, order, local: plugin.nodeLocal === true, test: result.test, whatIf: result.whatIf })
    if (result.nodeNames === undefined) continue
    namedBy.push(plugin.name)
    names = names === undefined ? result.nodeNames : intersection(names, result.nodeNames)
    if (names.size === 0) {
      const reason = `node(s) didn't satisfy plugin(s) [${namedBy.toSorted().join(" ")}]${namedBy.length > 1 ? " simultaneously" : ""}`
      return { _tag: "Refused", rejection: Rejection.unresolvable(reason), by: namedBy }
    }
  }
  return { _tag: "Ready", tests, names, namedBy }
}

/** Why the named nodes leave this one out. */
export const notNamed = (namedBy: ReadonlyArray<string>): Rejection.Rejection =>
  Rejection.unresolvable(`node(s) didn't satisfy plugin(s) [${namedBy.toSorted().join(" ")}]`)

/** The pods nominated to a node that go before this one, or beside it: they will come, so their room is taken. */
export const claimants = (snapshot: Snapshot, node: string, pod: PodInfo): ReadonlyArray<PodInfo> => {
  const nominated = snapshot.nominated.get(node)
  return nominated === undefined ? none : nominated.filter((other) => other.priority >= pod.priority && other.id !== pod.id)
}
const none: ReadonlyArray<PodInfo> = []

/** Whether the pod is one of these. A loop: it is asked for every node with a nomination. */
export const includes = (pods: ReadonlyArray<PodInfo>, { id }: PodInfo): boolean => {
  for (let i = 0; i < pods.length; i++) if (pods[i]?.id === id) return true
  return false
}

/** Whether the pod itself is one of those nominated to a node. */
const isNominated = (snapshot: Snapshot, node: string, pod: PodInfo): boolean => {
  const nominated = snapshot.nominated.get(node)
  return nominated !== undefined && includes(nominated, pod)
}

type Asked = Pick<Prepared, "plugin" | "test"> & { readonly overlay: WhatIf | undefined }

const firstRejection = (asked: ReadonlyArray<Asked>, node: NodeInfo, blame: (plugin: string) => void): Rejection.Rejection | undefined => {
  for (const { overlay, plugin, test } of asked) {
    const rejection = overlay === undefined ? test(node) : overlay.test(node)
    if (rejection !== undefined) {
      blame(plugin)
      return rejection
    }
  }
  return undefined
}

const noBlame = (): void => undefined

/** A trial of the pod on a node: pods come and go in copies of what the filters count. */
export const trialOf = (ready: Ready, pod: PodInfo, snapshot: Snapshot) => (start: NodeInfo, blame: (plugin: string) => void = noBlame): Trial => {
  let node = start
  const asked: ReadonlyArray<Asked> = ready.tests.map(({ plugin, test, whatIf }) => ({ plugin, test, overlay: whatIf?.() }))
  const others = claimants(snapshot, start.name, pod)
  const excluded = ready.names !== undefined && !ready.names.has(start.name) ? notNamed(ready.namedBy) : undefined

  const add = (other: PodInfo): void => {
    node = NodeInfoModule.withPod(node, other)
    for (const { overlay } of asked) overlay?.addPod(other, node)
  }
  const remove = (other: PodInfo): void => {
    const without = NodeInfoModule.withoutPod(node, other.id)
    if (without === node) return
    node = without
    for (const { overlay } of asked) overlay?.removePod(other, node)
  }
  return {
    node: () => node,
    addPod: add,
    removePod: remove,
    isLocal: excluded === undefined && !isNominated(snapshot, start.name, pod) && ready.tests.every(({ local }) => local),
    test: () => {
      if (excluded !== undefined) return excluded
      if (others.length === 0) return firstRejection(asked, node, blame)
      for (const other of others) add(other)
      const crowded = firstRejection(asked, node, blame)
      for (const other of others) remove(other)
      // Also without them: affinity to a pod that is not there yet must not count.
      return crowded ?? firstRejection(asked, node, blame)
    }
  }
}
