/**
 * Brings the pod network of the node, and the leases of its addresses, in line with what is known. What is of one pod alone is only looked at:
 * its link is repaired by a plan of its zone.
 */
import { type CoreV1, PodPhase } from "@reddwarf/api-types"
import type { Ipam, IpamError } from "@reddwarf/ipam"
import { type CommandRunner, Dladm, type HostError, type LinkName, type NetworkRuntime, PodNetworkPlan, type PodNetwork, Route } from "@reddwarf/runtime-illumos"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import type * as NodeAgentOptions from "../NodeAgentOptions.js"
import * as NodeNetwork from "./NodeNetwork.js"
import * as NodePeers from "./NodePeers.js"
import * as PodCaps from "../pod/PodCaps.js"

/** What is known of the cluster. @category models */
export interface Known {
  /** Further nodes; absent when they are not known yet. */
  readonly peers?: ReadonlyArray<PodNetwork.Peer> | undefined
  /** Pods of this node; absent when they are not known yet. */
  readonly pods?: ReadonlyArray<CoreV1.Pod> | undefined
}

/** What a pod has on the host. @category models */
export interface PodNames {
  readonly uid: string
  readonly link: LinkName.LinkName
}

/** @category models */
export interface Services {
  readonly runner: CommandRunner.CommandRunner["Type"]
  readonly ipam: Ipam.Ipam["Type"]
  readonly network: NetworkRuntime.NetworkRuntime["Type"]
  /** Names of a pod, if its zone runs. */
  readonly running: Effect.Effect<(pod: CoreV1.Pod) => PodNames | undefined, HostError.HostError>
}

/** @category models */
export interface NetworkRepair {
  /**
   * Compares the network with the wanted one and repairs what pods share. Nothing happens when it is right. Gives the uids of pods whose own
   * links are not as wanted.
   */
  readonly network: (known: Known) => Effect.Effect<ReadonlyArray<string>, HostError.HostError>
  /** What is wrong with the link of a pod: looked at again where `network` found something, and nothing else. */
  readonly faults: (pod: CoreV1.Pod) => Effect.Effect<ReadonlyArray<string>, HostError.HostError>
  /** Brings the link of a pod whose zone runs in line. */
  readonly link: (pod: CoreV1.Pod) => Effect.Effect<void, HostError.HostError>
  /** Leases to the pods that are on the host what their links are allowed to use: the record of it may be lost, or older. */
  readonly leases: (pods: ReadonlyArray<PodNames>) => Effect.Effect<void, HostError.HostError | IpamError.LeaseStorageFailed>
}

/** The link of a pod. */
interface OwnLink extends PodNetwork.PodLink {
  readonly uid: string
}

/** What is to be done to a link, as text. */
const stepsOf = ({ steps }: PodNetworkPlan.PodNetworkPlan, link: string): ReadonlyArray<string> =>
  steps.filter(({ action }) => "link" in action && action.link === link).map(PodNetworkPlan.describe)

/** Warns of what is wrong when that changes, not each time it is seen. */
const changes = () => {
  const said = new Map<string, string>()
  return (topic: string, message: string | undefined): Effect.Effect<void> =>
    Effect.suspend(() => {
      if (said.get(topic) === message) return Effect.void
      if (message === undefined) {
        said.delete(topic)
        return Effect.logInfo(`${topic}: in order again`)
      }
      said.set(topic, message)
      return Effect.logWarning(`${topic}: ${message}`)
    })
}

/** The addresses a link is allowed to use, as dladm shows them. */
const addressesOf = (value: string): ReadonlyArray<string> => value.split(",").flatMap((text) => text === "" || text === "--" ? [] : [text.trim()])

/**
 * @category constructors
 */
export const make = (options: NodeAgentOptions.Resolved, { ipam, network, runner, running }: Services): NetworkRepair => {
  const warn = changes()
  const dladm = Dladm.make(runner)

  /** Those whose zone runs: the links of others are made and removed with their zones. */
  const linksOf = (pods: ReadonlyArray<CoreV1.Pod>) =>
    Effect.gen(function*() {
      const namesOf = yield* running
      const alive = pods.filter((pod) => !PodPhase.isTerminal(pod) && !PodPhase.isTerminating(pod))
      const links = yield* Effect.forEach(alive, (pod) => {
        const names = namesOf(pod)
        const maxbw = PodCaps.linkLimit(pod)
        if (names === undefined || Either.isLeft(maxbw)) return Effect.succeed([])
        return Effect.map(ipam.find(names.uid), Option.match({
          onNone: () => [],
          onSome: ({ addresses }): ReadonlyArray<OwnLink> => [{
            uid: names.uid,
            name: names.link,
            addresses: addresses.map(({ address }) => address),
            maxbw: maxbw.right,
            whenMissing: "leave"
          }]
        }))
      })
      return links.flat()
    })

  /** Pods of which something was found to be wrong, each with the look that found it. */
  const suspects = new Map<string, object>()

  /** What all pods share. */
  const wanted = (known: Pick<Known, "peers">) =>
    Effect.gen(function*() {
      const egress = yield* NodeNetwork.egressLink(options.network, Route.make(runner))
      const isMissing = options.network.egressLink !== undefined && egress === undefined
      yield* warn("way out of pods", isMissing ? "there is no default route, so packets of pods are not translated" : undefined)
      const facts = { stub: options.stub, gatewayLink: options.gatewayLink, pools: ipam.pools, outside: yield* ipam.outside }
      const alone = NodeNetwork.of(facts, options.network, egress)
      if (options.network.peersFromNodes !== true || known.peers === undefined) return alone
      const { leftOut, peers } = NodePeers.choose(alone, known.peers)
      yield* warn("pods of other nodes", leftOut.length === 0 ? undefined : `not reached: ${leftOut.join("; ")}`)
      return NodeNetwork.of(facts, options.network, egress, { peers })
    })

  /** Repairs what pods share. */
  const repair = (shared: PodNetwork.PodNetwork) =>
    Effect.gen(function*() {
      const outcome = yield* network.reconcile(shared).pipe(
        // A neighbour that cannot be reached is no reason to have no pods: all else was repaired.
        Effect.catchTag("GatewayUnreachable", (error) => Effect.as(warn("routes to other nodes", error.message), undefined))
      )
      if (outcome === undefined) return
      yield* warn("routes to other nodes", undefined)
      const { taken } = outcome
      if (taken.length > 0) {
        yield* Effect.logInfo("pod network set up").pipe(Effect.annotateLogs("steps", taken.map(PodNetworkPlan.describe).join("; ")))
      }
    })

  return {
    network: (known) =>
      Effect.gen(function*() {
        const shared = yield* wanted(known)
        const links = known.pods === undefined ? undefined : yield* linksOf(known.pods)
        const found = yield* network.plan({ ...shared, pods: links })
        const own = new Map((links ?? []).map((link) => [link.uid, stepsOf(found, link.name)]))
        const ofPods = [...own.values()].reduce((sum, steps) => sum + steps.length, 0)
        // One look is enough where nothing is to be done.
        if (found.steps.length > ofPods || found.conflicts.length > 0) yield* repair(shared)
        else yield* warn("routes to other nodes", undefined)
        const faulty = [...own].flatMap(([uid, steps]) => steps.length === 0 ? [] : [uid])
        if (links !== undefined) suspects.clear()
        const look = {}
        for (const uid of faulty) suspects.set(uid, look)
        return faulty
      }),
    faults: (pod) =>
      Effect.gen(function*() {
        const { uid = "" } = pod.metadata
        const look = suspects.get(uid)
        if (look === undefined) return []
        const [link] = yield* linksOf([pod])
        const steps = link === undefined ? [] : stepsOf(yield* network.plan({ ...(yield* wanted({})), pods: [link] }), link.name)
        // What was found meanwhile is another thing than what was looked for.
        if (steps.length === 0 && suspects.get(uid) === look) suspects.delete(uid)
        return steps
      }),
    link: (pod) =>
      Effect.gen(function*() {
        const links = yield* linksOf([pod])
        if (links.length > 0) yield* network.reconcile({ ...(yield* wanted({})), pods: links })
      }),
    leases: (pods) =>
      Effect.gen(function*() {
        const uids = new Map<string, string>(pods.map(({ link, uid }) => [link, uid]))
        if (uids.size === 0) return
        const found = yield* dladm.properties(["allowed-ips"])
        const inUse = found.flatMap(({ link, value }) => {
          const owner = uids.get(link)
          return owner === undefined ? [] : addressesOf(value).map((address) => ({ owner, address }))
        })
        const { adopted, conflicts, moved, outside } = yield* ipam.repair({ inUse })
        const texts = [
          ...adopted.map(({ address, owner }) => `${address} is leased to ${owner}, which uses it`),
          ...moved.map(({ address, from, owner }) => `${owner} uses ${address} and not ${from}`),
          ...conflicts.map(({ address, holder, owner }) => `${owner} uses ${address}, which is leased to ${holder}`),
          ...outside.map(({ address, owner }) => `${owner} uses ${address}, which is not for pods`)
        ]
        if (texts.length > 0) yield* Effect.logWarning("the leases of addresses were not those in use").pipe(Effect.annotateLogs("findings", texts.join("; ")))
      })
  }
}
