/** The first stage of a pass over everything: looks at the host once, decides about each pod, and asks the pods' own queue to do it. */
import type { CoreV1 } from "@reddwarf/api-types"
import { PodPhase } from "@reddwarf/api-types"
import type { HostError, LinkName } from "@reddwarf/runtime-illumos"
import type { StorageError } from "@reddwarf/storage-zfs"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import * as NodeAgentMetrics from "../NodeAgentMetrics.js"
import * as PodSandbox from "../pod/PodSandbox.js"
import type * as SupervisorClient from "../supervisor/SupervisorClient.js"
import type { SupervisorFileFailed } from "../supervisor/SupervisorError.js"
import type * as Files from "../supervisor/SupervisorFiles.js"
import * as AdoptionMetrics from "./AdoptionMetrics.js"
import * as AdoptionTable from "./AdoptionTable.js"
import type * as BootReconciler from "./BootReconciler.js"
import * as HostSnapshot from "./HostSnapshot.js"
import type * as PodSource from "./PodSource.js"
import type * as ReconcileReport from "./ReconcileReport.js"

/** How one pass over a pod, asked for by this stage, ended. @category models */
export type PassResult =
  | { readonly type: "done" }
  | { readonly type: "failed"; readonly kind: string; readonly error: string }

/** @category models */
export interface Options {
  readonly source: PodSource.PodSource
  readonly snapshot: Effect.Effect<HostSnapshot.HostSnapshot, HostError.HostError | StorageError.StorageError>
  readonly sandbox: Pick<PodSandbox.PodSandbox["Type"], "addressOwners" | "releaseAddress" | "removeLink">
  readonly supervisor: Pick<SupervisorClient.SupervisorClient["Type"], "list">
  /** Uids of which there are records of plans: those of a pod that is gone are removed like anything else of it. */
  readonly recorded: Effect.Effect<ReadonlyArray<string>>
  /** Asks for a pass over a pod, and waits for its end. */
  readonly request: (uid: string) => Effect.Effect<PassResult>
  /** Whether a pass over a pod, whose zone runs and was adopted, would change nothing. */
  readonly isSettled: (uid: string) => Effect.Effect<boolean>
  /** Remembers who a uid is. */
  readonly noteIdentity: (identity: Files.PodIdentity) => void
  /** Whether somebody asked for the zone of a pod to be stopped and kept. */
  readonly isStopped: (pod: CoreV1.Pod) => boolean
  /** Whether the host was booted since the last agent ran. */
  readonly rebooted: () => boolean
  /** Called after the first look, before anything is done: from then on it is known who is not to be touched. */
  readonly onFirstLook: Effect.Effect<void>
  /** What nobody knows is removed only when two looks this far apart agree. */
  readonly confirmation: Duration.DurationInput
  /** Pods worked on at the same time. Default 8. */
  readonly parallelism?: number
  /** How long one pod may hold the pass. Default 5 seconds. */
  readonly patience?: Duration.DurationInput
}

/** A condition of the node that follows from what was seen. @category models */
export interface Finding {
  readonly type: "ForeignZones" | "QuarantinedZones" | "ZoneStuck" | "StateRewound"
  readonly message: string
}

/** @category models */
export interface ZoneStage {
  readonly run: Effect.Effect<BootReconciler.ZoneStageResult, HostError.HostError | StorageError.StorageError | PodSandbox.SandboxError | SupervisorFileFailed>
  /** Why nobody may work on a pod now; undefined when its passes may run. */
  readonly holds: (uid: string) => ReconcileReport.SkipReason | undefined
  /** Pods that wait for a source to be heard. */
  readonly waiting: () => ReadonlyArray<string>
  readonly findings: () => ReadonlyArray<Finding>
}

/** Of what was seen, that which was seen all the time since `confirmation` ago. */
const confirmed = (confirmation: Duration.DurationInput) => {
  const since = new Map<string, number>()
  return (seen: ReadonlyArray<string>, now: number): ReadonlyArray<string> => {
    const present = new Set(seen)
    for (const key of since.keys()) if (!present.has(key)) since.delete(key)
    return seen.filter((key) => {
      const first = since.get(key) ?? now
      since.set(key, first)
      return now - first >= Duration.toMillis(confirmation)
    })
  }
}

interface Item {
  readonly uid: string
  readonly name: string
  readonly priority: number
  readonly zoneRuns: boolean
  readonly decision: AdoptionTable.Decision
}

/** What became of an item. */
interface Done {
  readonly action: ReconcileReport.Action
  readonly failure?: ReconcileReport.Failure | undefined
}

const nameOf = ({ name, namespace }: Files.PodIdentity): string => `${namespace}/${name}`

const isInstalled: ReadonlySet<string> = new Set(["installed", "ready", "mounted", "running", "shutting_down", "down", "transient"])

/** @category constructors */
export const make = (options: Options): ZoneStage => {
  const { sandbox, source } = options
  /** Since when a zone has been in its state. */
  const states = new Map<string, { readonly state: string; readonly since: number }>()
  const adopted = new Set<string>()
  let present: ReadonlySet<string> = new Set()
  let untouchable: ReadonlyMap<string, ReconcileReport.SkipReason> = new Map()
  let waiting: ReadonlyArray<string> = []
  let findings: ReadonlyArray<Finding> = []
  let looked = false
  const confirmLinks = confirmed(options.confirmation)
  const confirmAddresses = confirmed(options.confirmation)

  const sinceOf = (zone: HostSnapshot.ZoneFact, now: number): number => {
    const known = states.get(zone.name)
    if (known?.state === zone.state) return now - known.since
    states.set(zone.name, { state: zone.state, since: now })
    return 0
  }

  const wantedOf = (pod: CoreV1.Pod | undefined): AdoptionTable.Wanted | undefined =>
    pod === undefined ? undefined : {
      stopped: options.isStopped(pod),
      over: PodPhase.isTerminal(pod),
      remembered: source.isRemembered(pod.metadata.uid ?? "")
    }

  /** One row for each zone, and one for each pod that has none. */
  const decide = (snapshot: HostSnapshot.HostSnapshot, supervised: ReadonlyArray<string>, now: number): ReadonlyArray<Item> => {
    const owned = HostSnapshot.owned(snapshot)
    const wanted = new Map(source.list().map((pod) => [pod.metadata.uid ?? "", pod]))
    const byZone = new Map([...wanted.values()].map((pod) => [String(PodSandbox.namesOf(PodSandbox.identityOf(pod)).zone), pod]))
    const claims = new Map<string, number>()
    for (const { tag } of snapshot.zones) if (tag.type === "ours") claims.set(tag.identity.uid, (claims.get(tag.identity.uid) ?? 0) + 1)
    const common = (uid: string) => ({
      synced: source.isSynced(uid),
      held: source.guard.holds(uid, now),
      rebooted: options.rebooted(),
      adopted: adopted.has(uid)
    })
    const names = new Set(snapshot.zones.map(({ name }) => String(name)))
    for (const name of states.keys()) if (!names.has(name)) states.delete(name)
    const seen = new Set<string>()
    const ofZones = snapshot.zones.map((zone): Item => {
      // A zone that does not say whose it is may still have the name of a pod's: then that pod is not touched either.
      const uid = zone.tag.type === "ours" ? zone.tag.identity.uid : byZone.get(zone.name)?.metadata.uid ?? ""
      seen.add(uid)
      const pod = wanted.get(uid)
      return {
        uid,
        name: zone.tag.type === "ours" ? nameOf(zone.tag.identity) : `zone ${zone.name}`,
        zoneRuns: zone.state === "running",
        priority: pod?.spec?.priority ?? 0,
        decision: AdoptionTable.decide({
          ...common(uid),
          zone: { state: zone.state, since: sinceOf(zone, now) },
          tag: zone.tag.type,
          duplicate: (claims.get(uid) ?? 0) > 1,
          wanted: wantedOf(pod)
        })
      }
    })
    const others = new Set([...wanted.keys(), ...owned.keys(), ...supervised].filter((uid) => !seen.has(uid)))
    const ofPods = [...others].map((uid): Item => {
      const pod = wanted.get(uid)
      const identity = pod === undefined ? owned.get(uid) : PodSandbox.identityOf(pod)
      return {
        uid,
        name: identity === undefined ? uid : nameOf(identity),
        zoneRuns: false,
        priority: pod?.spec?.priority ?? 0,
        decision: AdoptionTable.decide({ ...common(uid), zone: undefined, tag: "ours", duplicate: false, wanted: wantedOf(pod) })
      }
    })
    return [...ofZones, ...ofPods].sort((a, b) => b.priority - a.priority)
  }

  const note = (items: ReadonlyArray<Item>, snapshot: HostSnapshot.HostSnapshot, supervised: ReadonlyArray<string>, now: number): void => {
    present = new Set([...HostSnapshot.owned(snapshot).keys(), ...supervised])
    untouchable = new Map(items.flatMap(({ decision: { action, work }, uid }) => {
      if (work || uid === "") return []
      return action.type === "Quarantined" ? [[uid, "held"] as const] : action.type === "Skipped" && action.reason !== "notSynced" ? [[uid, action.reason] as const] : []
    }))
    waiting = items.flatMap(({ decision: { action }, uid }) => action.type === "Skipped" && action.reason === "notSynced" ? [uid] : [])
    const about = (type: Finding["type"], found: ReadonlyArray<string>, message: (names: string) => string): ReadonlyArray<Finding> =>
      found.length === 0 ? [] : [{ type, message: message(`${found.slice(0, 5).join(", ")}${found.length > 5 ? ` and ${found.length - 5} more` : ""}`) }]
    findings = [
      ...about("ForeignZones", snapshot.zones.flatMap(({ name, tag }) => tag.type === "foreign" ? [String(name)] : []), (names) => `zones of another cluster are on this host and left alone: ${names}`),
      ...about(
        "QuarantinedZones",
        items.flatMap(({ decision: { action }, name }) => action.type === "Quarantined" ? [`${name} (${action.reason})`] : []),
        (names) => `left alone until the attributes of the zones are corrected, or the zones removed: ${names}`
      ),
      ...about("ZoneStuck", items.flatMap(({ decision: { stuck }, name }) => stuck === undefined ? [] : [`${name} (${stuck})`]), (names) => `zones that do not leave their state: ${names}`),
      ...(source.guard.isRewound(now)
        ? [{ type: "StateRewound", message: "the API went back to an older state; nothing is removed until it has stayed for 15 minutes, or reddwarf-agent confirm-state is run" } as const]
        : [])
    ]
  }

  const count = (items: ReadonlyArray<Item>, snapshot: HostSnapshot.HostSnapshot) =>
    Effect.gen(function*() {
      const tagged = (type: HostSnapshot.Tag["type"]) => snapshot.zones.filter(({ tag }) => tag.type === type).length
      const held = (reason: string) =>
        Metric.set(
          Metric.tagged(AdoptionMetrics.deletionsHeld, "reason", reason),
          items.filter(({ decision: { action }, uid }) =>
            action.type === "Skipped" && source.byUid(uid) === undefined &&
            (reason === "notSynced" ? action.reason === "notSynced" : action.reason === "held")).length
        )
      yield* Metric.set(AdoptionMetrics.unmanagedZones, tagged("none"))
      yield* Metric.set(AdoptionMetrics.foreignZones, tagged("foreign"))
      yield* Metric.set(AdoptionMetrics.quarantinedZones, items.filter(({ decision }) => decision.action.type === "Quarantined").length)
      yield* Effect.forEach(["notSynced", "held"], held, { discard: true })
      yield* Metric.set(NodeAgentMetrics.orphans, items.filter(({ decision }) => decision.action.type === "Removed").length)
    })

  /** Links and addresses of nobody. A link belongs to whoever its name was made from. */
  const leftovers = (snapshot: HostSnapshot.HostSnapshot, supervised: ReadonlyArray<string>, now: number) =>
    Effect.gen(function*() {
      const owned = HostSnapshot.owned(snapshot)
      const pods = source.list()
      const known = new Set([...pods.map(PodSandbox.identityOf), ...owned.values()].map((identity) => String(PodSandbox.namesOf(identity).link)))
      const stray = snapshot.links.filter((link) => !known.has(link))
      const doomed = new Set(confirmLinks(stray, now))
      yield* Effect.forEach(stray.filter((link): link is LinkName.LinkName => doomed.has(link)), sandbox.removeLink, { discard: true })
      const wanted = new Set([...pods.map((pod) => pod.metadata.uid ?? ""), ...owned.keys(), ...supervised])
      const strayAddresses = (yield* sandbox.addressOwners).filter((uid) => !wanted.has(uid))
      yield* Effect.forEach(confirmAddresses(strayAddresses, now), sandbox.releaseAddress, { discard: true })
    })

  /** Whether a pass over the pod is needed. What runs as it was is found out about without one. */
  const isDue = ({ decision: { action, work }, uid, zoneRuns }: Item): Effect.Effect<boolean> =>
    !work || uid === ""
      ? Effect.succeed(false)
      : action.type === "NoOp" && zoneRuns
      ? Effect.map(options.isSettled(uid), (settled) => !settled)
      : Effect.succeed(true)

  const work = ({ decision, name, uid }: Item): Effect.Effect<Done> =>
    options.request(uid).pipe(
      Effect.timeoutOption(options.patience ?? "5 seconds"),
      Effect.map((result): Done => {
        if (result._tag === "None") return { action: { type: "Running" } }
        if (result.value.type === "failed") {
          const { error, kind } = result.value
          return { action: { type: "Failed", error }, failure: { pod: name, kind, error } }
        }
        if (decision.action.type === "Adopted") adopted.add(uid)
        return { action: decision.action }
      }),
      // The pass goes on in its queue; only the waiting for it may end.
      Effect.interruptible
    )

  const run = Effect.gen(function*() {
    yield* source.look
    const [snapshot, supervised, recorded] = yield* Effect.all([options.snapshot, options.supervisor.list, options.recorded])
    const now = yield* Clock.currentTimeMillis
    for (const identity of HostSnapshot.owned(snapshot).values()) options.noteIdentity(identity)
    const items = decide(snapshot, [...supervised, ...recorded], now)
    note(items, snapshot, supervised, now)
    yield* count(items, snapshot)
    if (!looked) {
      yield* options.onFirstLook
      looked = true
    }
    const due = yield* Effect.filter(items, isDue)
    const worked = new Map(yield* Effect.forEach(due, (item) => Effect.map(work(item), (result) => [item, result] as const), {
      concurrency: options.parallelism ?? 8
    }))
    const done = items.map((item) => ({ pod: item.name, ...(worked.get(item) ?? { action: item.decision.action }) }))
    yield* Metric.set(NodeAgentMetrics.adoptedZones, adopted.size)
    const full = source.isApiSynced() && items.every(({ uid }) => source.isSynced(uid))
    if (full) yield* leftovers(snapshot, supervised, now)
    return {
      mode: full ? "Full" : "ExistingOnly",
      actions: done.map(({ action, pod }) => ({ pod, action })),
      failures: done.flatMap(({ failure }) => failure === undefined ? [] : [failure]),
      installed: new Set(snapshot.zones.flatMap(({ state, tag }) => tag.type === "ours" && isInstalled.has(state) ? [tag.identity.uid] : []))
    } satisfies BootReconciler.ZoneStageResult
  })

  return {
    run,
    holds: (uid) => {
      const reason = untouchable.get(uid)
      if (reason !== undefined) return reason
      if (source.byUid(uid) === undefined) return source.isSynced(uid) ? undefined : "notSynced"
      return source.isRemembered(uid) && !present.has(uid) ? "notSynced" : undefined
    },
    waiting: () => waiting,
    findings: () => findings
  }
}
