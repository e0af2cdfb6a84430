import { execFileSync } from "node:child_process"
import type { Cluster } from "./Cluster.js"

/** What pods have on a host. Empty everywhere when nothing leaked. */
export interface HostContents {
  readonly zones: ReadonlyArray<string>
  readonly vnics: ReadonlyArray<string>
  readonly datasets: ReadonlyArray<string>
}

const lines = (text: string): ReadonlyArray<string> => text.split("\n").filter((line) => line !== "")

/** Zones, pod VNICs and zone datasets of the first node's host. */
export const hostContents = async (cluster: Cluster): Promise<HostContents> => {
  const zones = await cluster.host("zoneadm", "list", "-cp")
  const vnics = await cluster.host("dladm", "show-vnic", "-p", "-o", "link,over")
  const datasets = await cluster.host("zfs", "list", "-H", "-o", "name", "-r", "rpool/zones")
  for (const finished of [zones, vnics, datasets]) {
    if (finished.code !== 0) throw new Error(`host command failed: ${finished.stderr}`)
  }
  return {
    zones: lines(zones.stdout).map((line) => line.split(":")[1] ?? "").filter((name) => name !== "global"),
    vnics: lines(vnics.stdout).map((line) => line.split(":")[0] ?? "").filter((name) => name.startsWith("rd_")),
    datasets: lines(datasets.stdout).filter((name) => name !== "rpool/zones")
  }
}

/** Command lines of processes that carry `needle` in their arguments. */
export const processesWith = (needle: string): ReadonlyArray<string> =>
  lines(execFileSync("ps", ["-eo", "pid=,args="], { encoding: "utf8" })).filter((line) => line.includes(needle) && !line.includes("ps -eo"))
