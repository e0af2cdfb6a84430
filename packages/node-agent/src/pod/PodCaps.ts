/** The bounds of a pod's zone and link, from its requests and limits by the rules of Kubernetes. Pure. */
import { type CoreV1, PodResources, Quantity } from "@reddwarf/api-types"
import { ZoneResources } from "@reddwarf/runtime-illumos"
import * as Either from "effect/Either"
import { PodRejected } from "./PodError.js"

/** Annotations with the bandwidth of a pod in each direction, as quantities of bits per second. @category models */
export const bandwidthAnnotations = {
  ingress: "kubernetes.io/ingress-bandwidth",
  egress: "kubernetes.io/egress-bandwidth"
} as const

/** What the host and its operator decide, whatever the pod asks for. @category models */
export interface Settings extends ZoneResources.HostSupport {
  /** Threads of one pod; absent means no bound. */
  readonly pidsLimit?: number | undefined
}

/**
 * The sum of what the containers ask for and may use, sidecars included; what an init container needs while it runs, where that is more;
 * the overhead of the runtime class on top; and the amounts of the pod as a whole in place of all of them. A cap for the zone is right only
 * where every container has a limit.
 *
 * @category combinators
 */
export const demandOf = (pod: CoreV1.Pod, pidsLimit?: number): ZoneResources.Demand => {
  // Amounts that a resize has not given back yet count for the scheduler, not for the zone.
  const asked = { ...pod, status: {} }
  const { cpuMillis, memoryBytes } = PodResources.caps(asked)
  return {
    serviceClass: PodResources.qosClass(asked),
    cpuRequestMillis: PodResources.requests(asked).cpuMillis,
    ...(cpuMillis === undefined ? {} : { cpuLimitMillis: cpuMillis }),
    ...(memoryBytes === undefined ? {} : { memoryLimitBytes: memoryBytes }),
    ...(pidsLimit === undefined ? {} : { pidsLimit })
  }
}

/**
 * The bounds of the zone of a pod.
 *
 * @category combinators
 */
export const of = (pod: CoreV1.Pod, { pidsLimit, zfsIoPriority }: Settings = {}): ZoneResources.ZoneResources =>
  ZoneResources.fromDemand(demandOf(pod, pidsLimit), { zfsIoPriority })

/** What an annotation with a bandwidth may say: from 1 kbit/s to 1 Pbit/s. */
const [leastRate, mostRate] = [1e3, 1e15]

const rateOf = (pod: CoreV1.Pod, name: string): Either.Either<number | undefined, PodRejected> => {
  const text = pod.metadata.annotations?.[name]
  if (text === undefined) return Either.right(undefined)
  const quantity = Quantity.parse(text)
  const rate = Either.isRight(quantity) ? Quantity.toNumber(quantity.right) : Number.NaN
  return rate >= leastRate && rate <= mostRate ? Either.right(rate) : Either.left(
    new PodRejected({ reason: "InvalidBandwidth", detail: `annotation ${name}: ${JSON.stringify(text)} is not a rate from 1k to 1P bit/s` })
  )
}

/**
 * The limit of the pod's link in Mbit/s; absent when none is asked for. A rate that is none, or out of bounds, is refused.
 *
 * @category combinators
 */
export const linkLimit = (pod: CoreV1.Pod): Either.Either<number | undefined, PodRejected> =>
  Either.map(
    Either.all({ ingress: rateOf(pod, bandwidthAnnotations.ingress), egress: rateOf(pod, bandwidthAnnotations.egress) }),
    (limits) => {
      const bits = ZoneResources.linkBandwidth(limits)
      return bits === undefined ? undefined : bits / 1_000_000
    }
  )
