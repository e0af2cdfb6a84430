/** One look at the zone of a pod, for the planner: what is known of it here at no cost; what cannot be seen is said to be unknown. */
import type { CoreV1 } from "@reddwarf/api-types"
import { Observation, type Plan, type ZoneInstance } from "@reddwarf/plans"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as PodSandbox from "../pod/PodSandbox.js"
import * as PodStatus from "../pod/PodStatus.js"
import type * as SupervisorClient from "../supervisor/SupervisorClient.js"
import type { CompanionPlans } from "./CompanionPlans.js"
import type { ConfigLook } from "./ConfigLook.js"
import * as ImageTasks from "./ImageTasks.js"

/** @category models */
export interface Services {
  readonly sandbox: PodSandbox.PodSandbox["Type"]
  readonly supervisor: SupervisorClient.SupervisorClient["Type"]
  readonly find: (uid: string) => CoreV1.Pod | undefined
  /** Digests that are wanted, as far as they are resolved. */
  readonly resolved: (uid: string) => Plan.Digests
  /** Whether the pod asks for other bounds than it was given, and may have them. */
  readonly asksForCaps: (pod: CoreV1.Pod) => boolean
  readonly config: ConfigLook
  /** Services of the host that belong to a pod. */
  readonly companions: CompanionPlans
}

const states: ReadonlyArray<Observation.ZoneState> = [
  "absent",
  "configured",
  "incomplete",
  "installed",
  "ready",
  "mounted",
  "running",
  "shutting_down",
  "down"
]

const restartsOf = (supervised: SupervisorClient.SupervisedPod | undefined): number =>
  Option.match(Option.fromNullable(supervised).pipe(Option.flatMap(({ state }) => state)), {
    onNone: () => 0,
    onSome: ({ containers }) => containers.reduce((sum, { attempt }) => sum + Math.max(0, attempt), 0)
  })

/** @category constructors */
export const make = ({ asksForCaps, companions, config, find, resolved, sandbox, supervisor }: Services) => (instance: ZoneInstance.ZoneInstance): Effect.Effect<Observation.Observation> =>
  Effect.gen(function*() {
    const { podUID } = instance.spec
    const { link, zone: name } = PodSandbox.namesOf({
      namespace: instance.metadata.namespace ?? "default",
      name: instance.metadata.name ?? "",
      uid: podUID
    })
    const pod = find(podUID)
    const listed = yield* Effect.either(sandbox.zoneStates)
    const read = yield* Effect.either(supervisor.read(podUID))
    const supervised = read._tag === "Right" ? Option.getOrUndefined(read.right) : undefined
    const isOver = PodStatus.isOver(Option.getOrUndefined(Option.flatMap(Option.fromNullable(supervised), ({ state }) => state)))
    const isStopping = supervised?.spec.desired.state === "stop"
    const found = listed._tag === "Right" ? listed.right.get(name) ?? "absent" : undefined
    const state = states.find((state) => state === found)
    const nothing = Observation.unknown("it is not looked at without a reason")
    const caps = pod !== undefined && state === "running" && asksForCaps(pod) ? yield* Effect.either(sandbox.liveCaps(pod)) : undefined
    const lease = yield* sandbox.findAddress(podUID)
    const names = Object.keys(resolved(podUID))
    // The links of all pods are compared at once, with the network of the node; here only one of which that told something.
    const faults = pod === undefined || state !== "running" ? Either.right([]) : yield* Effect.either(sandbox.linkFaults(pod))
    return {
      zone: listed._tag === "Left"
        ? Observation.unknown(listed.left.message)
        : state === undefined
        ? Observation.unknown(`the zone is in state ${found ?? ""}, which is none`)
        : Observation.known({ state, name, shouldRun: !isOver && !isStopping }),
      digests: supervised === undefined ? Observation.unknown("nothing was handed over yet") : Observation.known(ImageTasks.digestsOf(supervised.spec)),
      resolved: names.length === 0 ? Observation.unknown("no image was resolved yet") : Observation.known(resolved(podUID)),
      network: Either.isLeft(faults)
        ? Observation.unknown(faults.left.message)
        : Option.match(lease, {
          onNone: () => nothing,
          onSome: (lease) => Observation.known({ vnic: link, ip: PodSandbox.addressesOf(lease)[0], faults: faults.right })
        }),
      config: pod === undefined || state !== "running" || isStopping ? nothing : yield* config(pod, instance, supervised),
      caps: caps === undefined
        ? nothing
        : caps._tag === "Left"
        ? Observation.unknown(caps.left.message)
        : Observation.known({ live: caps.right }),
      companions: Observation.known(companions.faults(podUID)),
      restarts: restartsOf(supervised),
      ...(supervised?.spec.previous === undefined
        ? {}
        : { previous: ImageTasks.digestsOf({ ...supervised.spec, containers: supervised.spec.previous.containers }) })
    } satisfies Observation.Observation
  })
