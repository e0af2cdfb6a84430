/** Values a pod can ask for about itself: `fieldRef` and `resourceFieldRef`, in variables and in downward API files. */
import { type CoreV1, Quantity } from "@reddwarf/api-types"
import * as Either from "effect/Either"

/**
 * What is known about the pod beyond its object.
 *
 * @category models
 */
export interface PodFacts {
  readonly podIP: string
  /** All addresses of the pod, that of `podIP` first. Default that one alone. */
  readonly podIPs?: ReadonlyArray<string> | undefined
  readonly hostIP: string
  /** The Services that are known. Default none. */
  readonly services?: ReadonlyArray<CoreV1.Service> | undefined
  /** Amounts a container without a limit is told. */
  readonly allocatable: { readonly cpuMillis: number; readonly memoryBytes: number; readonly ephemeralStorageBytes: number }
}

const escapeValue = (value: string): string =>
  `"${value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n")}"`

/** A map as the downward API writes it: `key="value"`, one per line, sorted. */
const formatMap = (map: Readonly<Record<string, string>> | undefined): string =>
  Object.entries(map ?? {}).sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, value]) => `${key}=${escapeValue(value)}`).join("\n")

const subscript = /^metadata\.(labels|annotations)\['(.+)'\]$/

/**
 * The value of a field path such as `metadata.name` or `metadata.labels['app']`; left is a sentence for people.
 *
 * @category combinators
 */
export const field = (pod: CoreV1.Pod, facts: PodFacts, path: string): Either.Either<string, string> => {
  const indexed = subscript.exec(path)
  if (indexed !== null) {
    const [, map, key = ""] = indexed
    return Either.right((map === "labels" ? pod.metadata.labels : pod.metadata.annotations)?.[key] ?? "")
  }
  switch (path) {
    case "metadata.name":
      return Either.right(pod.metadata.name ?? "")
    case "metadata.namespace":
      return Either.right(pod.metadata.namespace ?? "")
    case "metadata.uid":
      return Either.right(pod.metadata.uid ?? "")
    case "metadata.labels":
      return Either.right(formatMap(pod.metadata.labels))
    case "metadata.annotations":
      return Either.right(formatMap(pod.metadata.annotations))
    case "spec.nodeName":
      return Either.right(pod.spec?.nodeName ?? "")
    case "spec.serviceAccountName":
      return Either.right(pod.spec?.serviceAccountName ?? "")
    case "status.hostIP":
    case "status.hostIPs":
      return Either.right(facts.hostIP)
    case "status.podIP":
      return Either.right(facts.podIP)
    case "status.podIPs":
      return Either.right((facts.podIPs ?? [facts.podIP]).join(","))
    default:
      return Either.left(`unsupported fieldPath: ${path}`)
  }
}

/** Exact amount as `bigint` thousandths, so that CPUs and bytes divide alike. */
const thousandths = (resource: string, amounts: Readonly<Record<string, string>> | undefined, name: string): bigint | undefined => {
  const text = amounts?.[name]
  if (text === undefined) return undefined
  const quantity = Quantity.parse(text)
  if (Either.isLeft(quantity)) return undefined
  return resource.endsWith(".cpu") ? BigInt(Quantity.toMillis(quantity.right)) : BigInt(Quantity.toNumber(quantity.right)) * 1000n
}

/**
 * The value of a `resourceFieldRef`: the amount divided by the divisor, rounded up. A limit that is not set is what the node can give.
 *
 * @category combinators
 */
export const resource = (
  container: CoreV1.Container,
  facts: PodFacts,
  selector: CoreV1.ResourceFieldSelector
): Either.Either<string, string> => {
  const match = /^(limits|requests)\.(cpu|memory|ephemeral-storage)$/.exec(selector.resource)
  if (match === null) return Either.left(`unsupported container resource: ${selector.resource}`)
  const [, list, name = ""] = match
  const { limits, requests } = container.resources ?? {}
  const free = {
    cpu: BigInt(facts.allocatable.cpuMillis),
    memory: BigInt(facts.allocatable.memoryBytes) * 1000n,
    "ephemeral-storage": BigInt(facts.allocatable.ephemeralStorageBytes) * 1000n
  }[name] ?? 0n
  const limit = thousandths(selector.resource, limits, name)
  const amount = list === "limits" ? limit ?? free : thousandths(selector.resource, requests, name) ?? limit ?? 0n
  const divisor = thousandths(selector.resource, { divisor: selector.divisor === "0" ? "1" : selector.divisor ?? "1" }, "divisor") ?? 1000n
  const by = divisor === 0n ? 1000n : divisor
  return Either.right(String((amount + by - 1n) / by))
}
