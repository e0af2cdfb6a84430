/** One look at everything that is known of the pods of a node: the API, the agent's ledger, and the host. In agreement they name the same. */
import type { V1Pod } from "@kubernetes/client-node"
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import type { KillNode } from "./killMatrixNode.js"

interface Resource {
  readonly kind: string
  readonly properties: Readonly<Record<string, string>>
}

interface State {
  readonly hostId: string
  readonly zones: ReadonlyArray<{
    readonly name: string
    readonly indexState: string
    readonly kernel?: { readonly state: string }
    readonly configuration: { readonly resources: ReadonlyArray<Resource> }
  }>
  readonly links: ReadonlyArray<{ readonly name: string; readonly zone: string }>
  readonly interfaces: ReadonlyArray<{ readonly name: string; readonly addresses: ReadonlyArray<{ readonly address: string }> }>
  readonly datasets: ReadonlyArray<{ readonly name: string; readonly local: Readonly<Record<string, string>> }>
  readonly network?: unknown
}

interface Instance {
  readonly metadata: { readonly name: string }
  readonly spec: { readonly podUID: string }
  readonly status?: { readonly phase?: string; readonly plan?: { readonly type: string }; readonly current?: { readonly ip?: string } }
}

/** Everything by the uid of its pod, so that two lists can be held against each other. */
export interface Survey {
  readonly pods: ReadonlyArray<V1Pod>
  readonly byUid: {
    /** What the API wants. */
    readonly pods: ReadonlyArray<string>
    readonly instances: ReadonlyArray<string>
    readonly ledger: ReadonlyArray<string>
    readonly zones: ReadonlyArray<string>
    readonly datasets: ReadonlyArray<string>
    readonly links: ReadonlyArray<string>
    readonly leases: ReadonlyArray<string>
    readonly supervised: ReadonlyArray<string>
    readonly logs: ReadonlyArray<string>
    /** Pods with processes in their zones. */
    readonly processes: ReadonlyArray<string>
  }
  /** What differs from one pod to the same pod elsewhere. */
  readonly disagreements: ReadonlyArray<string>
  /** What the host has beside the pods: rules, routes, interfaces, other datasets. The same before and after any pod. */
  readonly rest: string
}

const parse = (file: string): unknown => JSON.parse(readFileSync(file, "utf8"))

const entries = (folder: string): ReadonlyArray<string> => existsSync(folder) ? readdirSync(folder) : []

const sorted = (items: Iterable<string>): ReadonlyArray<string> => [...new Set(items)].sort()

const attributeOf = (resources: ReadonlyArray<Resource>, name: string): string | undefined =>
  resources.find(({ kind, properties }) => kind === "attr" && properties["name"] === name)?.properties["value"]

/** Zones that have processes; more than one look is needed where they come and go. */
const zonesWithProcesses = (hostId: string): ReadonlyArray<string> => {
  const marker = `REDDWARF_SIM_ZONE=${hostId}/`
  return sorted(readdirSync("/proc").filter((name) => /^\d+$/.test(name)).flatMap((pid) => {
    try {
      const found = readFileSync(`/proc/${pid}/environ`, "latin1").split("\0").find((line) => line.startsWith(marker))
      return found === undefined ? [] : [found.slice(marker.length).split("/")[0] ?? ""]
    } catch {
      return []
    }
  }))
}

const disagreementsOf = (node: KillNode, pods: ReadonlyArray<V1Pod>, instances: ReadonlyArray<Instance>): ReadonlyArray<string> =>
  pods.flatMap((pod) => {
    const { name = "", uid = "" } = pod.metadata ?? {}
    const found: Array<string> = []
    const instance = instances.find(({ spec }) => spec.podUID === uid)
    const { plan, phase, current } = instance?.status ?? {}
    if (pod.metadata?.deletionTimestamp !== undefined) found.push("is being deleted")
    if (plan !== undefined) found.push(`has a plan ${plan.type} under way`)
    if (phase !== "Running") found.push(`its zone is ${String(phase)}`)
    if (current?.ip !== pod.status?.podIP) found.push(`has ${String(pod.status?.podIP)}, its zone ${String(current?.ip)}`)
    const records = node.containers(uid)
    for (const status of pod.status?.containerStatuses ?? []) {
      const record = records.find((one) => one.name === status.name)
      if (record?.attempt !== status.restartCount) found.push(`${status.name} was started anew ${String(status.restartCount)} times for the API, ${String(record?.attempt)} times for the supervisor`)
      if ((record?.phase === "running") !== (status.state?.running !== undefined)) found.push(`${status.name} is ${String(record?.phase)} for the supervisor, ${JSON.stringify(status.state)} for the API`)
    }
    return found.map((what) => `${name} ${what}`)
  })

/** Looks at everything once. */
export const survey = async (node: KillNode): Promise<Survey> => {
  const { items: pods } = await node.api.listPodForAllNamespaces()
  const listed = (await node.objects.listClusterCustomObject({ group: "reddwarf.io", version: "v1alpha1", plural: "zoneinstances" })) as { readonly items: ReadonlyArray<Instance> }
  const state = parse(join(node.dataDir, "host/state.json")) as State
  const uidOfZone = new Map(state.zones.map(({ configuration, name }) => [name, attributeOf(configuration.resources, "reddwarf-uid") ?? `zone ${name}`]))
  const zoneOf = (name: string): string => uidOfZone.get(name) ?? `zone ${name}`
  const isPodLink = ({ name }: { readonly name: string }): boolean => name.startsWith("rd_")
  const zonesAbove = /^(rpool\/zones)\/([^/]+)(\/.*)?$/
  const running = new Set(state.zones.filter(({ kernel }) => kernel?.state === "running").map(({ name }) => name))
  const uids = new Set(pods.map((pod) => pod.metadata?.uid ?? ""))
  return {
    pods,
    byUid: {
      pods: sorted(uids),
      instances: sorted(listed.items.map(({ spec }) => spec.podUID)),
      ledger: sorted(entries(join(node.dataDir, "ledger/pods")).map((name) => name.replace(/\.(?:prev|log|tmp)$/, ""))),
      zones: sorted(state.zones.map(({ name }) => running.has(name) ? zoneOf(name) : `${zoneOf(name)} does not run`)),
      datasets: sorted(state.datasets.flatMap(({ name }) => zonesAbove.exec(name) === null ? [] : [zoneOf(zonesAbove.exec(name)?.[2]?.split("@")[0] ?? "")])),
      links: sorted(state.links.filter(isPodLink).map(({ name }) => {
        const zone = state.zones.find(({ configuration }) => configuration.resources.some(({ kind, properties }) => kind === "net" && properties["physical"] === name))
        return zone === undefined ? `link ${name}` : zoneOf(zone.name)
      })),
      leases: node.host().addresses,
      supervised: node.host().supervised,
      logs: sorted(entries(join(node.dataDir, "logs/pods")).map((name) => name.slice(name.lastIndexOf("_") + 1))),
      processes: sorted(zonesWithProcesses(state.hostId).map(zoneOf))
    },
    disagreements: disagreementsOf(node, pods, listed.items),
    rest: JSON.stringify({
      network: state.network,
      interfaces: state.interfaces.map(({ addresses, name }) => [name, addresses.map(({ address }) => address)]),
      links: state.links.filter((link) => !isPodLink(link)).map(({ name }) => name),
      datasets: state.datasets.map(({ name }) => name).filter((name) => !zonesAbove.test(name) && !name.includes("/images")).sort(),
      volumes: entries(join(node.dataDir, "volumes")).filter((uid) => !uids.has(uid)),
      probes: entries(join(node.dataDir, "probes")).filter((name) => ![...uids].some((uid) => name.includes(uid)))
    })
  }
}

/** What is not the same everywhere; nothing when all agree. */
export const differences = ({ byUid, disagreements }: Survey): ReadonlyArray<string> => {
  const { pods, ...others } = byUid
  return [
    ...Object.entries(others).flatMap(([what, uids]) => {
      const missing = pods.filter((uid) => !uids.includes(uid))
      const extra = uids.filter((uid) => !pods.includes(uid))
      return missing.length + extra.length === 0 ? [] : [`${what}: ${[...missing.map((uid) => `-${uid}`), ...extra.map((uid) => `+${uid}`)].join(" ")}`]
    }),
    ...disagreements
  ]
}
