/** Pods that show whether anything of theirs was lost, and what is asked of them. */
import type { V1Pod } from "@kubernetes/client-node"
import type { KillNode } from "./killMatrixNode.js"
import { waitFor } from "./waitFor.js"

const namespace = "default"

export interface PodOptions {
  readonly restartPolicy?: "Always" | "OnFailure" | "Never"
  readonly graceSeconds?: number
  readonly labels?: Readonly<Record<string, string>>
}

export const createPod = async (node: KillNode, name: string, script: string, options: PodOptions = {}): Promise<V1Pod> =>
  await node.api.createNamespacedPod({
    namespace,
    body: {
      metadata: { name, labels: { ...options.labels } },
      spec: {
        restartPolicy: options.restartPolicy ?? "Always",
        terminationGracePeriodSeconds: options.graceSeconds ?? 2,
        containers: [{ name: "main", image: "reddwarf.io/shell:1", command: ["/bin/sh", "-c", script] }]
      }
    }
  })

export const readPod = async (node: KillNode, name: string): Promise<V1Pod> => await node.api.readNamespacedPod({ namespace, name })

export const deletePod = async (node: KillNode, name: string): Promise<void> => {
  await node.api.deleteNamespacedPod({ namespace, name })
}

export const isReady = (pod: V1Pod): boolean => pod.status?.conditions?.some(({ status, type }) => type === "Ready" && status === "True") === true

export const untilReady = (node: KillNode, name: string, seconds = 60): Promise<V1Pod> =>
  waitFor(`pod ${name} to be ready`, async () => {
    const pod = await readPod(node, name)
    return isReady(pod) ? pod : undefined
  }, { seconds, seen: node.logs })

export const untilGone = (node: KillNode, name: string, seconds = 90): Promise<true> =>
  waitFor(`pod ${name} to be gone`, async () => {
    const { items } = await node.api.listNamespacedPod({ namespace })
    return items.every(({ metadata }) => metadata?.name !== name) ? true : undefined
  }, { seconds, seen: node.logs })

export const uidOf = (pod: V1Pod): string => pod.metadata?.uid ?? ""

/** Writes numbered lines for ever, ten in a second. */
export const counting = "i=0; while :; do echo line $i; i=$((i+1)); sleep 0.1; done"

/** The numbers in a log, checked to be without gap or repetition from 0 on; gives how many there are. */
export const checkLines = (what: string, log: string): number => {
  const numbers = log.split("\n").filter((line) => line.startsWith("line ")).map((line) => Number(line.slice(5)))
  numbers.forEach((number, at) => {
    if (number !== at) throw new Error(`${what}: line ${String(at)} is ${String(number)}: lines were lost or repeated`)
  })
  return numbers.length
}

export const logOf = async (node: KillNode, name: string): Promise<string> =>
  await waitFor(`the log of ${name}`, async () => {
    try {
      return await node.api.readNamespacedPodLog({ namespace, name, container: "main" })
    } catch {
      // The agent is being started.
      return undefined
    }
  }, { seconds: 60, seen: node.logs })

export const zoneOf = (node: KillNode, pod: V1Pod): string => {
  const found = [...node.host().zones.keys()].find((zone) => zone.startsWith(`${namespace}-${pod.metadata?.name ?? ""}-`))
  if (found === undefined) throw new Error(`pod ${pod.metadata?.name ?? ""} has no zone`)
  return found
}

/** What must not change by a kill of the agent. */
export interface Life {
  readonly name: string
  readonly uid: string
  readonly zone: string
  readonly boot: string
  readonly pid: number
  readonly attempt: number
}

export const lifeOf = (node: KillNode, pod: V1Pod): Life => {
  const zone = zoneOf(node, pod)
  const main = node.containers(uidOf(pod)).find(({ name }) => name === "main")
  return { name: pod.metadata?.name ?? "", uid: uidOf(pod), zone, boot: node.host().zones.get(zone) ?? "", pid: main?.pid ?? 0, attempt: main?.attempt ?? -1 }
}

/** Nothing of the pod began again, and the API says the same as the host. */
export const checkLife = async (node: KillNode, before: Life): Promise<void> => {
  const pod = await untilReady(node, before.name)
  const now = lifeOf(node, pod)
  if (JSON.stringify(now) !== JSON.stringify(before)) throw new Error(`${before.name} did not stay as it was: ${JSON.stringify(before)}, now ${JSON.stringify(now)}`)
  const [status] = pod.status?.containerStatuses ?? []
  if (status?.restartCount !== before.attempt) throw new Error(`${before.name}: the API counts ${String(status?.restartCount)} restarts, the host ${String(before.attempt)}`)
}

/** Waits until the host has what the pods of the API need, and nothing else; the failure names what is too much or too little. */
export const untilAgreed = async (node: KillNode, seconds = 120): Promise<void> => {
  let last = ""
  await waitFor("API and host to agree", async () => {
    const { items } = await node.api.listNamespacedPod({ namespace })
    const uids = items.map(uidOf).sort()
    const host = node.host()
    const wanted = JSON.stringify({ zones: uids.length, links: uids.length, datasets: uids.length, addresses: uids, supervised: uids })
    last = JSON.stringify({ zones: host.zones.size, links: host.links.length, datasets: host.datasets.length, addresses: host.addresses, supervised: host.supervised })
    const up = items.every((pod) => pod.metadata?.deletionTimestamp === undefined && isReady(pod)) && [...host.zones.values()].every((state) => state.startsWith("running "))
    return last === wanted && up ? true : undefined
  }, { seconds, everyMillis: 500, seen: () => `${last}\n${node.logs()}` })
}
