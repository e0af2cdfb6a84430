/** What the demo shows: one line to a pod, with its zone and the zone's state. */
import { type CoreV1, Kinds } from "@reddwarf/api-types"

/** The zone of a pod, from the ids of its containers (`zone://<zone>/<container>/<attempt>`). */
export const zoneOf = (pod: CoreV1.Pod): string | undefined =>
  pod.status?.containerStatuses?.map((status) => /^zone:\/\/([^/]+)\//.exec(status.containerID ?? "")?.[1]).find((zone) => zone !== undefined)

const HEADER = ["NAMESPACE", "NAME", "READY", "STATUS", "RESTARTS", "NODE", "IP", "ZONE", "ZONE STATE"]

/** Rows of the table, header first, columns padded. */
export const render = (pods: ReadonlyArray<CoreV1.Pod>, zones: ReadonlyMap<string, string>, now: number): ReadonlyArray<string> => {
  const rows = pods.map((pod) => {
    const [, ready, status, restarts] = Kinds.pod.cells(pod, now)
    const zone = zoneOf(pod)
    return [
      pod.metadata.namespace ?? "",
      pod.metadata.name ?? "",
      String(ready),
      String(status),
      String(restarts),
      pod.spec?.nodeName ?? "<none>",
      pod.status?.podIP ?? "<none>",
      zone ?? "<none>",
      zone === undefined ? "<none>" : zones.get(zone) ?? "<none>"
    ]
  })
  const table = [HEADER, ...rows]
  const widths = HEADER.map((_, column) => Math.max(...table.map((row) => (row[column] ?? "").length)))
  return table.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("   ").trimEnd())
}

/** The table without what changes by itself (ages), to tell whether there is something new to print. */
export const signature = (lines: ReadonlyArray<string>): string => lines.join("\n").replaceAll(/ \([^)]* ago\)/g, "")
