/** Which log a request for the logs of a container means, in the words of a kubelet. Pure. */
import { type CoreV1, Timestamp } from "@reddwarf/api-types"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import type { SupervisedPod } from "../supervisor/SupervisorClient.js"
import * as Paths from "../supervisor/SupervisorPaths.js"
import * as LogPieces from "./LogPieces.js"

/** @category models */
export interface Query {
  readonly follow: boolean
  readonly previous: boolean
  readonly timestamps: boolean
  readonly tailLines: number | undefined
  readonly sinceSeconds: number | undefined
  readonly sinceTime: string | undefined
  readonly limitBytes: number | undefined
  /** Whether whoever asks knows logs in pieces; only for one that is followed. */
  readonly pieces: boolean
  /** Where an earlier answer in pieces has ended. */
  readonly from: LogPieces.Place | undefined
}

/** A refusal: HTTP status and text. @category models */
export interface Refusal {
  readonly status: number
  readonly message: string
}

const flag = (value: string | null): boolean => value === "true" || value === "1" || value === ""

/**
 * Reads the query of a log request; left is what is wrong with it.
 *
 * @category constructors
 */
export const parseQuery = (query: URLSearchParams): Either.Either<Query, string> => {
  const problems: Array<string> = []
  const number = (name: string, least: number): number | undefined => {
    const text = query.get(name)
    if (text === null || text === "") return undefined
    const value = Number(text)
    if (/^-?\d+$/.test(text) && Number.isSafeInteger(value) && value >= least) return value
    problems.push(`${name}: Invalid value: ${text}: must be greater than or equal to ${least}`)
    return undefined
  }
  const sinceTime = query.get("sinceTime") ?? undefined
  if (sinceTime !== undefined && Timestamp.parse(sinceTime) === undefined) problems.push(`sinceTime: Invalid value: ${JSON.stringify(sinceTime)}: must be RFC 3339`)
  const parsed: Query = {
    follow: query.has("follow") && flag(query.get("follow")),
    previous: query.has("previous") && flag(query.get("previous")),
    timestamps: query.has("timestamps") && flag(query.get("timestamps")),
    tailLines: number("tailLines", 0),
    sinceSeconds: number("sinceSeconds", 1),
    sinceTime,
    limitBytes: number("limitBytes", 1),
    pieces: flag(query.get("pieces")) && query.has("pieces") && query.has("follow"),
    from: Option.getOrUndefined(LogPieces.parse(query.get("from") ?? ""))
  }
  if (query.has("from") && parsed.from === undefined) problems.push("from: Invalid value: it is no place in a log")
  if (parsed.sinceSeconds !== undefined && sinceTime !== undefined) problems.push("at most one of `sinceTime` or `sinceSeconds` may be specified")
  return problems.length === 0 ? Either.right(parsed) : Either.left(problems.join(", "))
}

const shownStatus = (pod: CoreV1.Pod, container: string): CoreV1.ContainerStatus | undefined =>
  [
    ...pod.status?.initContainerStatuses ?? [],
    ...pod.status?.containerStatuses ?? [],
    ...pod.status?.ephemeralContainerStatuses ?? []
  ].find(({ name }) => name === container)

/**
 * The attempt whose log is meant, and the file it is in.
 *
 * @category combinators
 */
export const find = (
  pod: CoreV1.Pod,
  container: string,
  supervised: Option.Option<SupervisedPod>,
  previous: boolean
): Either.Either<{ readonly path: string; readonly attempt: number }, Refusal> => {
  const name = pod.metadata.name ?? ""
  const { containers = [], ephemeralContainers = [], initContainers = [] } = pod.spec ?? {}
  const known = [...initContainers, ...containers, ...ephemeralContainers].some((other) => other.name === container)
  if (!known) return Either.left({ status: 404, message: `container "${container}" not found in pod "${name}"` })
  const refuse = (message: string) => Either.left({ status: 400, message })
  const waiting = () =>
    refuse(`container "${container}" in pod "${name}" is waiting to start: ${shownStatus(pod, container)?.state?.waiting?.reason ?? "ContainerCreating"}`)
  if (Option.isNone(supervised)) return waiting()
  const { spec, state } = supervised.value
  const current = Option.getOrUndefined(state)?.containers.find((other) => other.name === container)
  const [last, beforeLast] = current?.exits ?? []
  // While a container waits to be started again, its last end is both what there is and what was before.
  const wanted = previous
    ? (current?.phase === "finished" ? beforeLast : last)?.attempt
    : current?.phase === "running" ? current.attempt : last?.attempt
  if (wanted === undefined) return previous ? refuse(`previous terminated container "${container}" in pod "${name}" not found`) : waiting()
  return Either.right({ path: Paths.log(spec.logs.directory, container, wanted), attempt: wanted })
}

/**
 * Whether nothing will be written to the log of this attempt any more.
 *
 * @category combinators
 */
export const isOver = (supervised: Option.Option<SupervisedPod>, container: string, attempt: number): boolean => {
  if (Option.isNone(supervised)) return true
  const state = Option.getOrUndefined(supervised.value.state)?.containers.find((other) => other.name === container)
  return state === undefined || state.attempt !== attempt || state.phase !== "running"
}
